/* Goes through all places of a run at which something from outside can break into it (outside_run.h). */
#ifndef FORKFIT_TESTS_END_TO_END_OUTSIDE_SWEEP_H
#define FORKFIT_TESTS_END_TO_END_OUTSIDE_SWEEP_H

#include "tests/end_to_end/outside_run.h"

/* The strike of the run is theirs to choose. The test is skipped where the means cannot be used. */

/* Kills each of the first workers at each of its calls, until a run passes in which it was not. */
void sweep_worker_deaths(const struct outside_run *run);

/* Kills the coordinator at each of its calls, and resumes. */
void sweep_coordinator_deaths(const struct outside_run *run);

enum outside_errors {
	OUTSIDE_ALL_ERRORS, /* each call with each of its errors, once and for ever */
	OUTSIDE_ONE_ERROR,  /* each with one of them, in turn; and for ever from a few places on */
};

/* Lets each call of the coordinator fail, as the table in plausible_errors_linux.c says. */
void sweep_failing_calls(const struct outside_run *run, enum outside_errors errors);

/* Lets each `stride`th allocation of the process fail, once, and for ever from there on. */
void sweep_failing_allocations(const struct outside_run *run, unsigned process, unsigned stride);

#endif
