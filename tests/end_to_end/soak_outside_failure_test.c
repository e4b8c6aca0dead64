/*
 * All that outside_failure_test.c has no time for: every system call with every error, once and for ever, every
 * allocation, both formats, one to three workers. `make soak` runs it. Each is a test of its own, so that one of them
 * can be run alone.
 */
#include "tests/end_to_end/outside_sweep.h"

#include <criterion/criterion.h>

#define SOAK(SUITE) TestSuite(SUITE, .init = outside_enter, .fini = outside_leave, .timeout = 7200)
SOAK(soak_worker_death);
SOAK(soak_coordinator_death);
SOAK(soak_failing_calls);
SOAK(soak_failing_allocations);
SOAK(soak_failing_worker_allocations);

/* Both formats, each for one to three workers. */
#define FOR_EACH_TRAINING(SUITE, SWEEP)         \
	FOR_TRAINING(SUITE, SWEEP, csv, CSV, 1) \
	FOR_TRAINING(SUITE, SWEEP, csv, CSV, 2) \
	FOR_TRAINING(SUITE, SWEEP, csv, CSV, 3) \
	FOR_TRAINING(SUITE, SWEEP, npy, NPY, 1) \
	FOR_TRAINING(SUITE, SWEEP, npy, NPY, 2) \
	FOR_TRAINING(SUITE, SWEEP, npy, NPY, 3)

#define FOR_TRAINING(SUITE, SWEEP, NAME, FORMAT, WORKERS)                                     \
	Test(SUITE, of_##NAME##_by_##WORKERS)                                                 \
	{                                                                                     \
		SWEEP(&(struct outside_run){.format = OUTSIDE_##FORMAT, .workers = WORKERS}); \
	}

/* A run that trains, one that resumes, and one that only checks. */
#define FOR_EACH_COMMAND(SUITE, SWEEP)                      \
	FOR_COMMAND(SUITE, SWEEP, train_csv, TRAIN, CSV, 2) \
	FOR_COMMAND(SUITE, SWEEP, train_npy, TRAIN, NPY, 3) \
	FOR_COMMAND(SUITE, SWEEP, resume, RESUME, CSV, 2)   \
	FOR_COMMAND(SUITE, SWEEP, check, CHECK, CSV, 2)

#define FOR_COMMAND(SUITE, SWEEP, NAME, COMMAND, FORMAT, WORKERS)                                       \
	Test(SUITE, of_##NAME)                                                                          \
	{                                                                                               \
		SWEEP(&(struct outside_run){                                                            \
		        .command = OUTSIDE_##COMMAND, .format = OUTSIDE_##FORMAT, .workers = WORKERS}); \
	}

static void let_each_call_fail(const struct outside_run *run)
{
	sweep_failing_calls(run, OUTSIDE_ALL_ERRORS);
}

static void let_each_allocation_fail(const struct outside_run *run)
{
	sweep_failing_allocations(run, 0, 1);
}

static void let_each_allocation_of_workers_fail(const struct outside_run *run)
{
	for (unsigned worker = 1; worker <= run->workers; worker++)
		sweep_failing_allocations(run, worker, 1);
}

FOR_EACH_TRAINING(soak_worker_death, sweep_worker_deaths)
FOR_EACH_TRAINING(soak_coordinator_death, sweep_coordinator_deaths)
FOR_EACH_COMMAND(soak_failing_calls, let_each_call_fail)
FOR_EACH_COMMAND(soak_failing_allocations, let_each_allocation_fail)
FOR_COMMAND(soak_failing_allocations, let_each_allocation_fail, campaign, CAMPAIGN, CSV, 2)
FOR_EACH_TRAINING(soak_failing_worker_allocations, let_each_allocation_of_workers_fail)
