#include "coordinator/json_text.h"

#include "coordinator/number_text.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COMPACT = -1, INDENT = 2 };

/* Beyond it the shortest form of a double has an exponent, and would not be written as an integer anyway. */
static const double LARGEST_PLAIN_INTEGER = 1e15;

struct writer {
	FILE *out;
	bool failed;
};

static void write_value(struct writer *writer, json_t *value, int depth);

/* The shortest text, but as a real number of JSON, and with e-9 for e-09. */
static void write_real(struct writer *writer, double value)
{
	char text[NUMBER_TEXT_BYTES];
	number_text(value, text);
	size_t mantissa = strcspn(text, "e");
	fprintf(writer->out, "%.*s", (int)mantissa, text);
	if (text[mantissa] == 'e')
		fprintf(writer->out, "e%d", (int)strtol(text + mantissa + 1, NULL, 10));
	else if (!strchr(text, '.'))
		fputs(".0", writer->out);
}

static void write_line_break(struct writer *writer, int depth)
{
	if (depth != COMPACT)
		fprintf(writer->out, "\n%*s", depth * INDENT, "");
}

static void write_key(struct writer *writer, const char *key, int depth)
{
	json_t *string = json_string(key);
	if (string)
		write_value(writer, string, depth);
	else
		writer->failed = true;
	json_decref(string);
	fputs(depth == COMPACT ? ":" : ": ", writer->out);
}

static void write_object(struct writer *writer, json_t *object, int depth)
{
	int inner = depth == COMPACT ? COMPACT : depth + 1;
	const char *key;
	json_t *value;
	bool first = true;
	fputc('{', writer->out);
	json_object_foreach(object, key, value)
	{
		if (!first)
			fputc(',', writer->out);
		first = false;
		write_line_break(writer, inner);
		write_key(writer, key, depth);
		write_value(writer, value, inner);
	}
	if (!first)
		write_line_break(writer, depth);
	fputc('}', writer->out);
}

static void write_array(struct writer *writer, json_t *array, int depth)
{
	size_t index;
	json_t *value;
	fputc('[', writer->out);
	json_array_foreach(array, index, value)
	{
		if (index > 0)
			fputs(depth == COMPACT ? "," : ", ", writer->out);
		write_value(writer, value, COMPACT);
	}
	fputc(']', writer->out);
}

static void write_value(struct writer *writer, json_t *value, int depth)
{
	if (json_is_object(value))
		write_object(writer, value, depth);
	else if (json_is_array(value))
		write_array(writer, value, depth);
	else if (json_is_real(value))
		write_real(writer, json_real_value(value));
	else if (json_dumpf(value, writer->out, JSON_ENCODE_ANY) != 0)
		writer->failed = true;
}

char *json_text(json_t *value, bool indented)
{
	char *text = NULL;
	size_t length;
	struct writer writer = {.out = open_memstream(&text, &length)};
	if (!writer.out)
		return NULL;
	write_value(&writer, value, indented ? 0 : COMPACT);
	bool failed = writer.failed || ferror(writer.out) != 0;
	if (fclose(writer.out) == 0 && !failed)
		return text;
	free(text);
	return NULL;
}

json_t *json_text_number(double value)
{
	bool negative_zero = value == 0 && signbit(value);
	if (fabs(value) < LARGEST_PLAIN_INTEGER && trunc(value) == value && !negative_zero)
		return json_integer((json_int_t)value);
	return json_real(value);
}
