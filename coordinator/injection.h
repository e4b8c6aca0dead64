/*
 * The coordinator's half of the laboratory: it hands the plan of faults to the workers, does to itself what the plan
 * says, and tells which faults really happened, in the event stream and as a list that makes them happen again.
 *
 * Without faults there is no struct injection; every function takes NULL for it and then does nothing.
 */
#ifndef FORKFIT_COORDINATOR_INJECTION_H
#define FORKFIT_COORDINATOR_INJECTION_H

#include "common/error.h"
#include "common/fault.h"
#include "coordinator/config.h"
#include "coordinator/events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct injection;

struct fault_log;

/*
 * *injection becomes NULL where the configuration has neither faults nor chaos. log: where all faults, the
 * coordinator's too, are to be seen by another process that outlives this one; NULL: nowhere. Everything is borrowed.
 */
bool injection_open(const struct config *config, const struct event_stream *events, struct fault_log *log,
        struct injection **injection, struct error *error);
void injection_free(struct injection *injection);

/* The plan as it concerns a worker's process. NULL: there are no faults. */
const struct fault_plan *injection_plan(
        const struct injection *injection, uint32_t worker, uint32_t incarnation, struct fault_plan *plan);

/*
 * The coordinator has come to one of its sites. Does not return if it is to be killed there. Otherwise the errno with
 * which the step is to fail, or 0.
 */
int fault_point(struct injection *injection, enum fault_site site, uint32_t epoch);

/* The same before a worker is forked. */
int fault_point_fork(struct injection *injection, uint32_t worker, uint32_t incarnation, uint32_t epoch);

/* Where a file is written whole or not at all; sites[0] is that of STEP_DRAFT. */
struct fault_points {
	struct injection *injection;
	enum fault_site draft;
	uint32_t epoch;
};
int fault_point_step(const struct fault_points *points, enum fault_step step);

/* Emits an event for each fault that a worker has announced since. `last`: all workers are gone. */
void injection_report(struct injection *injection, bool last);

/* The faults that happened, if output.faults asks for them: the text of a configuration's object with the list that
 * makes them happen again, for the caller to free. NULL: out of memory, now or when one of them was noted. */
char *injection_text(const struct injection *injection);

#endif
