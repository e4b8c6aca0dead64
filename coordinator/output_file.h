/*
 * Result files: whole or not at all, and nothing beside them.
 *
 * A file is written without a name, so that nothing of it is left of a coordinator that is killed meanwhile, and named
 * when it is complete and synced. A path that names nothing yet names it at once. Where there is an old file to be
 * replaced, Linux has no call that does so for a file without a name: it gets the name "<path>.forkfit-draft", and is
 * renamed by the next system call. A kill between these two leaves a complete draft, which the next coordinator to
 * write there takes over. So does a kill at any time on the file systems that have no files without names (NFS; all of
 * them if /proc is not mounted), where the draft has its name from the beginning.
 */
#ifndef FORKFIT_COORDINATOR_OUTPUT_FILE_H
#define FORKFIT_COORDINATOR_OUTPUT_FILE_H

#include "common/error.h"
#include "coordinator/injection.h"

#include <stdbool.h>
#include <stdio.h>

/*
 * Can a file be written there? Asked before hours of training, not after. Leaves nothing behind, and takes nothing
 * away: a draft may be that of a run that goes on. False: *error has code EXIT_OUTPUT_FAILED.
 */
bool output_file_check(const char *path, struct error *error);

/* Writes the text so that the path names, at every moment and after a crash, the old file or the new one complete. */
bool output_file_write(const char *path, const char *text, struct error *error);

/*
 * The same, but the file that was there is kept under the name `previous`, in place of whatever had it. Between the two
 * steps there is no file at `path`, and the old one, complete, at `previous`. previous NULL: it is not kept. points:
 * the sites at which the plan of faults may strike; NULL: none.
 */
bool output_file_rotate(const char *path, const char *previous, const char *text, const struct fault_points *points,
        struct error *error);

/*
 * A file that is too long to be a text in memory: open, write to the FILE, then finish or discard it. It takes its
 * place only when it is finished, and is as whole and as safe as those above.
 */
struct output_stream;

/* path NULL: standard output, which is neither. NULL: *error has code EXIT_OUTPUT_FAILED (or EXIT_OS_ERROR). */
struct output_stream *output_stream_open(const char *path, struct error *error);
FILE *output_stream_file(const struct output_stream *stream);

/* Both free the stream. False: it could not be written, and nothing is left of it. */
bool output_stream_finish(struct output_stream *stream, struct error *error);
void output_stream_discard(struct output_stream *stream);

#endif
