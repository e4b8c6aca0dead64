/* What --set puts in place of parts of the configuration file. */
#ifndef FORKFIT_COORDINATOR_CONFIG_OVERRIDE_H
#define FORKFIT_COORDINATOR_CONFIG_OVERRIDE_H

#include "common/error.h"
#include "coordinator/config_origin.h"

#include <stdbool.h>
#include <stddef.h>

struct json_t;

/*
 * Applies count strings "key.path=value" to the tree, in order, and records them in origin as it does. The path must be
 * one of the table of keys, so that a tree never grows deeper than that; its value is checked with the whole.
 * On failure *error has code EXIT_BAD_USAGE where there is no '=' or no key, else EXIT_BAD_CONFIGURATION.
 */
bool config_override_apply(struct json_t *root, const char *const *overrides, size_t count,
        struct config_origin *origin, struct error *error);

#endif
