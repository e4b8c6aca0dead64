/*
 * Which files a command reads and writes: no output may be another's file, nor that of an input, which would be lost.
 */
#ifndef FORKFIT_COORDINATOR_OUTPUT_PATHS_H
#define FORKFIT_COORDINATOR_OUTPUT_PATHS_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>

struct named_path {
	const char *name; /* what the user calls it: "output.model", "the dataset" */
	const char *path; /* NULL: there is none */
	bool is_input;
};

/*
 * Two paths are one file if they lead to the same regular file, by whatever name or link, or to the same name in the
 * same directory where there is no file yet. What is not a regular file (a terminal, a pipe, /dev/null) is nobody's.
 * False: *error, with that code, names the first two that are one.
 */
bool output_paths_check(const struct named_path *paths, size_t count, enum exit_code code, struct error *error);

#endif
