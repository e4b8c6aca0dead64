/*
 * The sink that tells a person how the run goes, on standard error: on a terminal a bar that is painted over, elsewhere
 * a line now and then; notes; and one line at the end.
 */
#ifndef FORKFIT_COORDINATOR_PROGRESS_H
#define FORKFIT_COORDINATOR_PROGRESS_H

#include "coordinator/events.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct progress {
	FILE *out;
	bool animated;
	bool colour;
	uint64_t epochs; /* at most so many */
	uint32_t workers;
	uint32_t resumed_epoch;  /* 0: the run began with the first epoch */
	uint32_t first_epoch;    /* that was done in this run, … */
	uint64_t first_epoch_ns; /* … and when */
	uint64_t painted_ns;
	bool bar_shown;
	char loss[1024];    /* a worker was lost, which is told when the run goes on; empty: none */
	bool loss_is_error; /* by a worker that gave up: what it found is told by the error that ends the run */
};

/* `animated` and `colour` as progress_wants_animation and progress_wants_colour say, unless the user says otherwise. */
void progress_init(struct progress *progress, FILE *out, bool animated, bool colour);
struct event_sink progress_sink(struct progress *progress);

/* Takes the bar off, so that an error message stands alone. */
void progress_clear(struct progress *progress);

/* A terminal that can move its cursor: not TERM=dumb. */
bool progress_wants_animation(FILE *out);

/* … and NO_COLOR is not set (https://no-color.org). */
bool progress_wants_colour(FILE *out);

#endif
