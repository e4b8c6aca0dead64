/* Result files: whole or not at all. */
#ifndef FORKFIT_COORDINATOR_OUTPUT_FILE_H
#define FORKFIT_COORDINATOR_OUTPUT_FILE_H

#include "common/error.h"
#include "coordinator/injection.h"

#include <stdbool.h>

/*
 * Can a file be written there? Asked before hours of training, not after. Leaves nothing behind. False: *error has
 * code EXIT_OUTPUT_FAILED.
 */
bool output_file_check(const char *path, struct error *error);

/*
 * Writes the text so that the path names, at every moment and after a crash, the old file or the new one complete:
 * a file beside it that is synced and renamed over it. What a killed coordinator may leave of that file, the next
 * takes over.
 */
bool output_file_write(const char *path, const char *text, struct error *error);

/*
 * The same, but the file that was there is kept under the name `previous`, in place of whatever had it. Between the two
 * renames there is no file at `path`, and the old one, complete, at `previous`. previous NULL: it is not kept. points:
 * the sites at which the plan of faults may strike; NULL: none.
 */
bool output_file_rotate(const char *path, const char *previous, const char *text, const struct fault_points *points,
        struct error *error);

#endif
