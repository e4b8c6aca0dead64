#include "coordinator/json_tree.h"

#include <jansson.h>
#include <string.h>

static size_t step_length(const char *path, size_t length)
{
	const char *dot = memchr(path, '.', length);
	return dot ? (size_t)(dot - path) : length;
}

/* The object at one step from another, made if it does not exist; NULL: no memory. */
static json_t *enter(json_t *object, const char *name, size_t length)
{
	json_t *child = json_object_getn(object, name, length);
	if (child)
		return child;
	child = json_object();
	return json_object_setn_new(object, name, length, child) == 0 ? child : NULL;
}

bool json_tree_set(json_t *root, const char *path, size_t length, json_t *value)
{
	json_t *object = root;
	size_t step = step_length(path, length);
	while (object && step < length) {
		object = enter(object, path, step);
		path += step + 1;
		length -= step + 1;
		step = step_length(path, length);
	}
	return json_object_setn_new(object, path, length, value) == 0;
}

json_t *json_tree_get(json_t *root, const char *path)
{
	json_t *value = root;
	size_t length = strlen(path);
	while (value && length > 0) {
		size_t step = step_length(path, length);
		value = json_object_getn(value, path, step);
		path += step;
		length -= step;
		if (length > 0) {
			path++;
			length--;
		}
	}
	return value;
}
