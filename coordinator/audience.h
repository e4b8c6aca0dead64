/* Everybody who watches a run: the sinks of its event stream, as configuration and command line ask for them. */
#ifndef FORKFIT_COORDINATOR_AUDIENCE_H
#define FORKFIT_COORDINATOR_AUDIENCE_H

#include "common/error.h"
#include "coordinator/command_line.h"
#include "coordinator/config.h"
#include "coordinator/event_log.h"
#include "coordinator/events.h"
#include "coordinator/narration.h"
#include "coordinator/progress.h"
#include "coordinator/report.h"
#include "coordinator/summary.h"
#include "coordinator/timeline.h"

#include <stdbool.h>

struct audience {
	struct progress progress;
	struct summary summary;
	struct event_log *log;       /* NULL: none */
	struct timeline *timeline;   /* NULL: none */
	struct report *report;       /* NULL: none */
	struct narration *narration; /* NULL: none; else it takes the progress line's place */
};

/*
 * Opens the files and adds the sinks, those that speak on standard error last, and only unless it is to be quiet.
 * False: *error has code EXIT_OUTPUT_FAILED, and nothing is open.
 */
bool audience_open(struct audience *audience, const struct command_line *line, const struct config *config,
        struct event_stream *events, struct error *error);

/* Takes off the terminal what is painted over, since something else is to be printed. */
void audience_make_room(struct audience *audience);

/* Closes the files. False: one of them could not be written, and *error says which. */
bool audience_close(struct audience *audience, struct error *error);

#endif
