#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

json_t *json_from_text(const char *text)
{
	json_error_t error;
	json_t *value = json_loads(text, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
	cr_assert(value != NULL, "%d:%d: %s in the JSON text: %s", error.line, error.column, error.text, text);
	return value;
}

json_t *json_from_file(const char *path)
{
	char *text = file_read(path, NULL);
	json_t *value = json_from_text(text);
	free(text);
	return value;
}

/* One step of a path, ".key", "key" or "[index]": the value it leads to, or NULL. Moves *path behind it. */
static json_t *json_step(json_t *value, const char **path)
{
	if (**path == '[') {
		char *end;
		unsigned long index = strtoul(*path + 1, &end, 10);
		*path = *end == ']' ? end + 1 : end;
		return json_array_get(value, index);
	}
	*path += **path == '.';
	char key[256];
	size_t length = strcspn(*path, ".[");
	cr_assert(length < sizeof key);
	memcpy(key, *path, length);
	key[length] = '\0';
	*path += length;
	return json_object_get(value, key);
}

json_t *json_at(json_t *root, const char *path)
{
	json_t *value = root;
	for (const char *at = path; *at != '\0' && value != NULL;)
		value = json_step(value, &at);
	cr_assert(value != NULL, "nothing at %s in the JSON value", path);
	return value;
}

double json_number_at(json_t *root, const char *path)
{
	json_t *value = json_at(root, path);
	cr_assert(json_is_number(value), "no number at %s in the JSON value", path);
	return json_number_value(value);
}

const char *json_string_at(json_t *root, const char *path)
{
	json_t *value = json_at(root, path);
	cr_assert(json_is_string(value), "no string at %s in the JSON value", path);
	return json_string_value(value);
}
