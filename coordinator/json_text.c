#include "coordinator/json_text.h"

#include "coordinator/number_text.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	COMPACT = -1,         /* a depth: no line breaks */
	FIRST_CAPACITY = 256, /* enough for a value shown in a message; it doubles from there */
};

static const char INDENT[] = "  ";

/* Beyond it the shortest form of a double has an exponent, and would not be written as an integer anyway. */
static const double LARGEST_PLAIN_INTEGER = 1e15;

struct writer {
	char *text;
	size_t length;
	size_t capacity;
	bool failed; /* for want of memory; nothing more is written */
};

static void write_value(struct writer *writer, json_t *value, int depth);

/* Leaves room for a NUL behind. As jansson calls it: 0 is good. */
static int put_bytes(const char *bytes, size_t length, void *data)
{
	struct writer *writer = data;
	while (!writer->failed && writer->capacity - writer->length <= length) {
		size_t larger = writer->capacity * 2;
		char *moved = realloc(writer->text, larger);
		writer->failed = !moved;
		if (moved) {
			writer->text = moved;
			writer->capacity = larger;
		}
	}
	if (writer->failed)
		return -1;
	memcpy(writer->text + writer->length, bytes, length);
	writer->length += length;
	return 0;
}

static void put(struct writer *writer, const char *text)
{
	put_bytes(text, strlen(text), writer);
}

/* The shortest text, but as a real number of JSON, and with e-9 for e-09. */
static void write_real(struct writer *writer, double value)
{
	char text[NUMBER_TEXT_BYTES + 2]; /* and ".0" */
	number_text(value, text);
	char *exponent = strchr(text, 'e');
	if (exponent)
		snprintf(exponent + 1, NUMBER_TEXT_BYTES / 2, "%d", atoi(exponent + 1));
	else if (!strchr(text, '.'))
		strcat(text, ".0");
	put(writer, text);
}

static void write_line_break(struct writer *writer, int depth)
{
	if (depth == COMPACT)
		return;
	put(writer, "\n");
	for (int i = 0; i < depth; i++)
		put(writer, INDENT);
}

static void write_key(struct writer *writer, const char *key, int depth)
{
	json_t *string = json_string(key);
	if (string)
		write_value(writer, string, depth);
	else
		writer->failed = true;
	json_decref(string);
	put(writer, depth == COMPACT ? ":" : ": ");
}

static void write_object(struct writer *writer, json_t *object, int depth)
{
	int inner = depth == COMPACT ? COMPACT : depth + 1;
	const char *key;
	json_t *value;
	bool first = true;
	put(writer, "{");
	json_object_foreach(object, key, value)
	{
		if (!first)
			put(writer, ",");
		first = false;
		write_line_break(writer, inner);
		write_key(writer, key, depth);
		write_value(writer, value, inner);
	}
	if (!first)
		write_line_break(writer, depth);
	put(writer, "}");
}

static void write_array(struct writer *writer, json_t *array, int depth)
{
	size_t index;
	json_t *value;
	put(writer, "[");
	json_array_foreach(array, index, value)
	{
		if (index > 0)
			put(writer, depth == COMPACT ? "," : ", ");
		write_value(writer, value, COMPACT);
	}
	put(writer, "]");
}

static void write_value(struct writer *writer, json_t *value, int depth)
{
	if (json_is_object(value))
		write_object(writer, value, depth);
	else if (json_is_array(value))
		write_array(writer, value, depth);
	else if (json_is_real(value))
		write_real(writer, json_real_value(value));
	else if (json_dump_callback(value, put_bytes, writer, JSON_ENCODE_ANY) != 0)
		writer->failed = true;
}

char *json_text(json_t *value, bool indented)
{
	struct writer writer = {.text = malloc(FIRST_CAPACITY), .capacity = FIRST_CAPACITY};
	writer.failed = !writer.text;
	write_value(&writer, value, indented ? 0 : COMPACT);
	if (writer.failed) {
		free(writer.text);
		return NULL;
	}
	writer.text[writer.length] = '\0';
	return writer.text;
}

json_t *json_text_number(double value)
{
	bool negative_zero = value == 0 && signbit(value);
	if (fabs(value) < LARGEST_PLAIN_INTEGER && trunc(value) == value && !negative_zero)
		return json_integer((json_int_t)value);
	return json_real(value);
}
