/*
 * The sink that tells a person how the run goes, on standard error: on a terminal a bar that is painted over, with a
 * panel of the workers below it where they are few; elsewhere a line now and then; notes; and one line at the end.
 */
#ifndef FORKFIT_COORDINATOR_PROGRESS_H
#define FORKFIT_COORDINATOR_PROGRESS_H

#include "coordinator/events.h"
#include "coordinator/loss_curve.h"
#include "coordinator/panel.h"
#include "coordinator/terminal_lines.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum progress_style {
	PROGRESS_AUTO,    /* workers where there are at most PANEL_WORKERS, else bar */
	PROGRESS_WORKERS, /* bar, curve of the loss, and a row a worker */
	PROGRESS_BAR,
	PROGRESS_LINES, /* nothing that moves */
};

/* How often a panel wants to be told that nothing happens: it shows how long that takes. */
#define PROGRESS_TICK_NS UINT64_C(100000000)

struct progress {
	FILE *out;
	enum progress_style style;
	bool colour;
	uint64_t epochs; /* at most so many */
	uint32_t workers;
	uint32_t resumed_epoch;  /* 0: the run began with the first epoch */
	uint32_t first_epoch;    /* that was done in this run, … */
	uint64_t first_epoch_ns; /* … and when */
	uint32_t last_epoch;     /* the one that was done last, … */
	uint64_t last_epoch_ns;  /* … when, … */
	double last_loss;        /* … and its loss */
	bool training;           /* between start and end: what moves is to be seen */
	uint64_t painted_ns;
	struct terminal_lines lines;
	struct loss_curve curve;
	struct panel panel;
	char loss[1024];    /* a worker was lost, which is told when the run goes on; empty: none */
	bool loss_is_error; /* by a worker that gave up: what it found is told by the error that ends the run */
};

/*
 * `style`: PROGRESS_LINES where progress_wants_animation says no. `colour`: as progress_wants_colour says, unless the
 * user says otherwise.
 */
void progress_init(struct progress *progress, FILE *out, enum progress_style style, bool colour);
void progress_release(struct progress *progress);
struct event_sink progress_sink(struct progress *progress);

/* Takes bar and panel off, so that an error message stands alone. */
void progress_clear(struct progress *progress);

/* A terminal that can move its cursor: not TERM=dumb. */
bool progress_wants_animation(FILE *out);

/* … and NO_COLOR is not set (https://no-color.org). */
bool progress_wants_colour(FILE *out);

#endif
