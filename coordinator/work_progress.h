/*
 * Tells a person on standard error how far long work has come that is not training: on a terminal a bar that is
 * painted over, elsewhere a line now and then, and one line at the end.
 */
#ifndef FORKFIT_COORDINATOR_WORK_PROGRESS_H
#define FORKFIT_COORDINATOR_WORK_PROGRESS_H

#include "coordinator/terminal_lines.h"

#include <stdbool.h>
#include <stdint.h>

struct work_progress {
	bool quiet;
	bool animated;
	bool colour;
	struct terminal_lines lines;
	const char *what; /* "rows are predicted" */
	uint64_t total;   /* of the same unit as what is done */
	uint64_t began_ns;
	uint64_t painted_ns;
};

void work_progress_init(struct work_progress *progress, bool quiet, const char *what, uint64_t total);

/* done: of the total; rows: so many. It costs little where there is nothing to paint yet. */
void work_progress_show(struct work_progress *progress, uint64_t done, uint64_t rows);

/* Takes the bar off, so that something else can be printed. */
void work_progress_clear(struct work_progress *progress);

/* All is done. */
void work_progress_end(struct work_progress *progress, uint64_t rows);

#endif
