/* The text of a configuration, from a file or from standard input. */
#ifndef FORKFIT_COORDINATOR_CONFIG_FILE_H
#define FORKFIT_COORDINATOR_CONFIG_FILE_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * path: "-" is standard input. *text: *length bytes without a byte order mark, and a NUL behind; the caller frees it.
 * On failure *error has code EXIT_INPUT_MISSING, EXIT_BAD_CONFIGURATION if there is far too much, or EXIT_OS_ERROR
 * without memory.
 */
bool config_file_read(const char *path, char **text, size_t *length, struct error *error);

/* How errors name it. */
const char *config_file_name(const char *path);

#endif
