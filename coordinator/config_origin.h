/* Where the parts of a configuration come from, for the beginning of an error: "run.json:7" or "--set workers=x". */
#ifndef FORKFIT_COORDINATOR_CONFIG_ORIGIN_H
#define FORKFIT_COORDINATOR_CONFIG_ORIGIN_H

#include "common/error.h"
#include "coordinator/config_key.h"
#include "coordinator/key_path.h"
#include "coordinator/phrase.h"

#include <stdbool.h>
#include <stddef.h>

struct json_t;

struct config_origin {
	const char *source; /* name of the file */
	const char *text;
	size_t length;
	const char *const *overrides; /* "key.path=value" */
	size_t override_count;        /* those applied up to now */
};

/* Adds how errors refer to an override. */
void config_origin_describe_override(const char *override, struct phrase *phrase);

/*
 * Sets *error to "<origin>: <path>: <what>" with EXIT_BAD_CONFIGURATION, and returns false. The origin of a value that
 * is nowhere is that of the object it is missing from.
 */
bool config_origin_fail(
        const struct config_origin *origin, const struct key_path *path, const char *what, struct error *error);

/* The same for a value that is not what its key expects; EXIT_OS_ERROR without memory. */
bool config_origin_fail_value(const struct config_origin *origin, const struct key_path *path,
        const struct config_key *key, struct json_t *value, struct error *error);

#endif
