#include "coordinator/json_document.h"

#include "coordinator/json_load.h"
#include "coordinator/json_location.h"
#include "coordinator/json_syntax.h"
#include "coordinator/json_text.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static bool out_of_memory(struct error *error)
{
	return error_set(error, EXIT_OS_ERROR, "out of memory");
}

/* Faults of a text whose syntax is good as far as it was read. */
static bool is_fault_of_content(const json_error_t *problem)
{
	enum json_error_code code = json_error_code(problem);
	return code == json_error_duplicate_key || code == json_error_numeric_overflow;
}

/* What is wrong where jansson stopped: behind a key that appears twice, or behind a number. */
static void describe_content(
        const json_error_t *problem, const char *text, const struct json_location *location, struct phrase *phrase)
{
	size_t end = (size_t)problem->position;
	size_t start = end;
	if (json_error_code(problem) == json_error_duplicate_key) {
		phrase_add(phrase, "key appears twice");
		if (location->first_line < location->line)
			phrase_add(phrase, " (first on line %zu)", location->first_line);
		return;
	}
	while (start > 0 && memchr("0123456789+-.eE", text[start - 1], 15))
		start--;
	phrase_add(phrase, "the number ");
	phrase_add_excerpt(phrase, text + start, end - start);
	phrase_add(phrase, " is too large");
}

static bool fail_on_content(const char *source, const char *text, const json_error_t *problem, struct error *error)
{
	struct json_location location;
	struct phrase what = {.length = 0};
	if (!json_location_end(text, (size_t)problem->position, &location))
		return out_of_memory(error);
	describe_content(problem, text, &location, &what);
	const char *colon = location.path.length > 0 ? ": " : ""; /* the document may be one number */
	return error_set(error, EXIT_BAD_CONFIGURATION, "%s:%zu: %s%s%s", source, location.line, location.path.text,
	        colon, what.text);
}

static bool fail_on_syntax(
        const char *source, const char *text, size_t length, const json_error_t *problem, struct error *error)
{
	struct json_syntax_fault fault = {
	        .text = text, .length = length, .position = (size_t)problem->position, .message = problem->text};
	struct phrase what = {.length = 0};
	size_t offset, line = 1, column = 1;
	json_syntax_describe(&fault, &what, &offset);
	for (size_t i = 0; i < offset; i++) {
		if (text[i] == '\n') {
			line++;
			column = 1;
		} else if (((unsigned char)text[i] & 0xC0) != 0x80) {
			column++; /* in characters: continuation bytes of UTF-8 do not count */
		}
	}
	return error_set(
	        error, EXIT_BAD_CONFIGURATION, "%s:%zu:%zu: syntax error: %s", source, line, column, what.text);
}

static bool fail_on_type(const char *source, const char *text, size_t length, json_t *value, struct error *error)
{
	struct phrase found = {.length = 0};
	size_t line;
	char *shown = json_text(value, false);
	if (!shown || !json_location_line(text, length, NULL, &line)) {
		free(shown);
		return out_of_memory(error);
	}
	phrase_add_excerpt(&found, shown, strlen(shown));
	free(shown);
	return error_set(
	        error, EXIT_BAD_CONFIGURATION, "%s:%zu: expected an object, found %s", source, line, found.text);
}

json_t *json_document_read(const char *source, const char *text, size_t length, struct error *error)
{
	json_error_t problem;
	bool no_memory;
	if (strspn(text, " \t\r\n") == length) {
		error_set(error, EXIT_BAD_CONFIGURATION, "%s:1: expected an object, found nothing", source);
		return NULL;
	}
	json_t *root = json_load(text, length, &problem, &no_memory);
	if (no_memory) {
		out_of_memory(error);
	} else if (!root && is_fault_of_content(&problem)) {
		fail_on_content(source, text, &problem, error);
	} else if (!root) {
		fail_on_syntax(source, text, length, &problem, error);
	} else if (!json_is_object(root)) {
		fail_on_type(source, text, length, root, error);
		json_decref(root);
		root = NULL;
	}
	return root;
}

enum json_value_status json_document_read_value(
        const char *where, const char *path, const char *text, json_t **value, struct error *error)
{
	json_error_t problem;
	bool no_memory;
	size_t length = strlen(text);
	*value = json_load(text, length, &problem, &no_memory);
	if (*value)
		return JSON_VALUE_OK;
	if (no_memory)
		return JSON_VALUE_NO_MEMORY;
	if (!is_fault_of_content(&problem))
		return JSON_VALUE_NOT_JSON;
	struct json_location location;
	struct phrase what = {.length = 0};
	if (!json_location_end(text, (size_t)problem.position, &location))
		return JSON_VALUE_NO_MEMORY;
	if (location.path.length == 0 && (size_t)problem.position < length)
		return JSON_VALUE_NOT_JSON; /* text that begins with a long number */
	describe_content(&problem, text, &location, &what);
	bool inside = location.path.length > 0 && location.path.text[0] != '[';
	error_set(error, EXIT_BAD_CONFIGURATION, "%s: %s%s%s: %s", where, path, inside ? "." : "", location.path.text,
	        what.text);
	return JSON_VALUE_FAULT;
}
