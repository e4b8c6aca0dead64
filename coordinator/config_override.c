#include "coordinator/config_override.h"

#include "common/utf8.h"
#include "coordinator/config_key.h"
#include "coordinator/json_document.h"
#include "coordinator/json_tree.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct override {
	const char *argument;
	size_t path_length; /* before the '=' */
	struct phrase where;
};

static bool out_of_memory(struct error *error)
{
	return error_set(error, EXIT_OS_ERROR, "out of memory");
}

static bool split(const char *argument, struct override *override, struct error *error)
{
	*override = (struct override){.argument = argument, .path_length = strcspn(argument, "=")};
	config_origin_describe_override(argument, &override->where);
	if (argument[override->path_length] == '\0' || override->path_length == 0)
		return error_set(error, EXIT_BAD_USAGE, "%s: expected key.path=value", override->where.text);
	return true;
}

/* The key with a name of `length` bytes behind the first `start` of the path. */
static bool find_step(const struct override *override, size_t start, size_t length, const struct config_key *parent,
        const struct config_key **key, struct error *error)
{
	struct phrase what = {.length = 0};
	if (length == 0)
		return error_set(
		        error, EXIT_BAD_USAGE, "%s: expected key.path=value, found an empty key", override->where.text);
	char *name = strndup(override->argument + start, length);
	if (!name)
		return out_of_memory(error);
	*key = config_key_find(parent, name);
	if (!*key) {
		phrase_add_excerpt(&what, override->argument, start + length);
		phrase_add(&what, ": ");
		config_key_describe_unknown(parent, name, &what);
	}
	free(name);
	return *key != NULL || error_set(error, EXIT_BAD_CONFIGURATION, "%s: %s", override->where.text, what.text);
}

/* Something that the override sets a part of: is it an object? */
static bool check_object(const struct override *override, const struct config_key *key, json_t *there,
        const struct config_origin *origin, struct error *error)
{
	struct key_path steps[CONFIG_KEY_STEPS];
	if (key->kind)
		return error_set(error, EXIT_BAD_CONFIGURATION, "%s: %s: can only be set as a whole",
		        override->where.text, key->path);
	if (there && !json_is_object(there))
		return config_origin_fail_value(origin, config_key_path(key, steps), key, there, error);
	return true;
}

/* Every step of the path must be a known key, and those before the last objects, as far as they are there. */
static bool check_path(
        const struct override *override, json_t *root, const struct config_origin *origin, struct error *error)
{
	const struct config_key *key = NULL;
	json_t *there = root;
	size_t start = 0;
	for (;;) {
		size_t end = start + strcspn(override->argument + start, ".[=");
		if (!find_step(override, start, end - start, key, &key, error))
			return false;
		if (end == override->path_length)
			return true;
		there = json_object_get(there, config_key_name(key));
		if (!check_object(override, key, there, origin, error))
			return false;
		start = end + 1;
	}
}

/* JSON, or else a string. */
static bool read_value(const struct override *override, json_t **value, struct error *error)
{
	const char *text = override->argument + override->path_length + 1;
	struct phrase path = {.length = 0};
	phrase_add_excerpt(&path, override->argument, override->path_length);
	switch (json_document_read_value(override->where.text, path.text, text, value, error)) {
	case JSON_VALUE_OK:
		return true;
	case JSON_VALUE_FAULT:
		return false;
	case JSON_VALUE_NO_MEMORY:
		return out_of_memory(error);
	case JSON_VALUE_NOT_JSON:
		break;
	}
	if (!utf8_is_valid(text))
		return error_set(error, EXIT_BAD_CONFIGURATION, "%s: %s: the value is not UTF-8", override->where.text,
		        path.text);
	*value = json_string_nocheck(text);
	return *value != NULL || out_of_memory(error);
}

bool config_override_apply(
        json_t *root, const char *const *overrides, size_t count, struct config_origin *origin, struct error *error)
{
	origin->overrides = overrides;
	for (size_t i = 0; i < count; i++) {
		struct override override;
		json_t *value;
		if (!split(overrides[i], &override, error) || !check_path(&override, root, origin, error) ||
		        !read_value(&override, &value, error))
			return false;
		if (!json_tree_set(root, override.argument, override.path_length, value))
			return out_of_memory(error);
		origin->override_count = i + 1;
	}
	return true;
}
