/*
 * A run from the dataset to the result: workers are counted, who watches is attached, the trainer does it, and what
 * came of it is delivered and judged.
 */
#ifndef FORKFIT_COORDINATOR_TRAINING_RUN_H
#define FORKFIT_COORDINATOR_TRAINING_RUN_H

#include "common/error.h"
#include "common/fault_log.h"
#include "coordinator/command_line.h"
#include "coordinator/config.h"
#include "coordinator/events.h"
#include "coordinator/loader.h"

#include <stdbool.h>
#include <stdint.h>

/* What a campaign wants of the runs it makes. */
struct run_observer {
	struct fault_log *log;
	struct event_sink sink;
};

/*
 * Trains as line and config say. observer: NULL but in a run of a campaign. False: *error holds what went wrong, or
 * EXIT_INTERRUPTED after an interrupt in good order. In either case no process is left.
 */
bool training_run(const struct command_line *line, const struct config *config, const struct run_observer *observer,
        struct error *error);

/* Can the outputs be written, and is none of them a file that it must not be? */
bool training_run_may_write(const struct command_line *line, const struct config *config, struct error *error);

/* How many workers the configuration asks for, or the dataset keeps busy. */
bool training_run_workers(
        const struct config *config, const struct loader *loader, uint32_t *workers, struct error *error);

#endif
