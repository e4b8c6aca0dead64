/*
 * All that outside_failure_test.c has no time for: every system call with every error, once and for ever, every
 * allocation, both formats, one to three workers. `make soak` runs it.
 */
#include "tests/end_to_end/outside_sweep.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

TestSuite(soak_outside_failure, .init = outside_enter, .fini = outside_leave, .timeout = 7200);

static struct outside_run trainings[] = {
        {.format = OUTSIDE_CSV, .workers = 1},
        {.format = OUTSIDE_CSV, .workers = 2},
        {.format = OUTSIDE_CSV, .workers = 3},
        {.format = OUTSIDE_NPY, .workers = 1},
        {.format = OUTSIDE_NPY, .workers = 2},
        {.format = OUTSIDE_NPY, .workers = 3},
};
enum { TRAININGS = sizeof trainings / sizeof *trainings };

ParameterizedTestParameters(soak_outside_failure, a_worker_is_killed_at_every_system_call)
{
	return cr_make_param_array(struct outside_run, trainings, TRAININGS);
}

ParameterizedTest(struct outside_run *run, soak_outside_failure, a_worker_is_killed_at_every_system_call)
{
	sweep_worker_deaths(run);
}

ParameterizedTestParameters(soak_outside_failure, a_coordinator_is_killed_at_every_system_call)
{
	return cr_make_param_array(struct outside_run, trainings, TRAININGS);
}

ParameterizedTest(struct outside_run *run, soak_outside_failure, a_coordinator_is_killed_at_every_system_call)
{
	sweep_coordinator_deaths(run);
}

/* A run that trains, one that resumes, one that only checks, and a campaign. */
static struct outside_run commands[] = {
        {.command = OUTSIDE_TRAIN, .format = OUTSIDE_CSV, .workers = 2},
        {.command = OUTSIDE_TRAIN, .format = OUTSIDE_NPY, .workers = 3},
        {.command = OUTSIDE_RESUME, .format = OUTSIDE_CSV, .workers = 2},
        {.command = OUTSIDE_CHECK, .format = OUTSIDE_CSV, .workers = 2},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

ParameterizedTestParameters(soak_outside_failure, every_system_call_fails_with_every_error)
{
	return cr_make_param_array(struct outside_run, commands, COMMANDS);
}

ParameterizedTest(struct outside_run *run, soak_outside_failure, every_system_call_fails_with_every_error)
{
	sweep_failing_calls(run, OUTSIDE_ALL_ERRORS);
}

ParameterizedTestParameters(soak_outside_failure, every_allocation_of_the_coordinator_fails)
{
	return cr_make_param_array(struct outside_run, commands, COMMANDS);
}

ParameterizedTest(struct outside_run *run, soak_outside_failure, every_allocation_of_the_coordinator_fails)
{
	sweep_failing_allocations(run, 0, 1);
}

Test(soak_outside_failure, every_allocation_of_a_campaign_fails)
{
	sweep_failing_allocations(&(struct outside_run){.command = OUTSIDE_CAMPAIGN, .workers = 2}, 0, 1);
}

ParameterizedTestParameters(soak_outside_failure, every_allocation_of_every_worker_fails)
{
	return cr_make_param_array(struct outside_run, trainings, TRAININGS);
}

ParameterizedTest(struct outside_run *run, soak_outside_failure, every_allocation_of_every_worker_fails)
{
	for (unsigned worker = 1; worker <= run->workers; worker++)
		sweep_failing_allocations(run, worker, 1);
}
