#include "coordinator/config_origin.h"

#include "coordinator/config_value.h"
#include "coordinator/json_location.h"

#include <string.h>

/* Is `path` what the override sets, or a part of it? */
static bool is_set_by(const char *path, const char *override)
{
	size_t length = strcspn(override, "=");
	return strncmp(path, override, length) == 0 && strchr(".[", path[length]) != NULL;
}

/* The override that had the last word on the path; NULL: none. */
static const char *last_override(const struct config_origin *origin, const struct key_path *path)
{
	struct phrase described = {.length = 0};
	key_path_describe(path, &described);
	for (size_t i = origin->override_count; i > 0; i--) {
		if (is_set_by(described.text, origin->overrides[i - 1]))
			return origin->overrides[i - 1];
	}
	return NULL;
}

void config_origin_describe_override(const char *override, struct phrase *phrase)
{
	phrase_add(phrase, "--set ");
	phrase_add_excerpt(phrase, override, strlen(override));
}

/* False: no memory. */
static bool describe_origin(const struct config_origin *origin, const struct key_path *path, struct phrase *phrase)
{
	for (const struct key_path *at = path;; at = at->parent) {
		const char *override = last_override(origin, at);
		size_t line;
		if (override) {
			config_origin_describe_override(override, phrase);
			return true;
		}
		if (!json_location_line(origin->text, origin->length, at, &line))
			return false;
		if (line > 0) {
			phrase_add(phrase, "%s:%zu", origin->source, line);
			return true;
		}
		/* The document itself has a line, so that `at` is not NULL here. */
	}
}

bool config_origin_fail(
        const struct config_origin *origin, const struct key_path *path, const char *what, struct error *error)
{
	struct phrase where = {.length = 0};
	struct phrase key = {.length = 0};
	if (!describe_origin(origin, path, &where))
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	key_path_describe(path, &key);
	return error_set(error, EXIT_BAD_CONFIGURATION, "%s: %s: %s", where.text, key.text, what);
}

bool config_origin_fail_value(const struct config_origin *origin, const struct key_path *path,
        const struct config_key *key, struct json_t *value, struct error *error)
{
	struct phrase what = {.length = 0};
	if (!value_describe_wrong(key, value, &what))
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	return config_origin_fail(origin, path, what.text, error);
}
