/*
 * Where a checkpoint lies: the newest at a path, and the one before it at the path with ".previous" behind. What the
 * newest has lost to a crash or a bad disk, the one before it still has.
 */
#ifndef FORKFIT_COORDINATOR_CHECKPOINT_FILE_H
#define FORKFIT_COORDINATOR_CHECKPOINT_FILE_H

#include "common/error.h"
#include "coordinator/checkpoint.h"
#include "coordinator/injection.h"
#include "coordinator/phrase.h"

#include <stdbool.h>

enum checkpoint_found {
	CHECKPOINT_NEWEST,
	CHECKPOINT_PREVIOUS, /* the newest is missing or damaged: *remark says how */
	CHECKPOINT_NONE,     /* there is neither of the two */
	CHECKPOINT_UNUSABLE, /* *error says why, with the code EXIT_BAD_DATASET, EXIT_INPUT_MISSING or EXIT_OS_ERROR */
};

/* The path of the one before; the caller frees it. NULL: out of memory. */
char *checkpoint_file_previous(const char *path);

/* Reads the newest checkpoint that is whole; NEWEST and PREVIOUS: it is the caller's to release. */
enum checkpoint_found checkpoint_file_find(
        const char *path, struct checkpoint *checkpoint, struct phrase *remark, struct error *error);

/*
 * Writes the newest. keep_old: what is at the path becomes the one before it; else it is lost. injection: NULL without
 * faults.
 */
bool checkpoint_file_write(const char *path, const struct checkpoint *checkpoint, bool keep_old,
        struct injection *injection, struct error *error);

#endif
