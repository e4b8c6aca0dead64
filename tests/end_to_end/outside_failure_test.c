/*
 * Death from outside, at every system call; and every system call and every allocation that fails, once and for ever.
 * Here each call once, on one format and number of workers; soak_outside_failure_test.c goes through the rest.
 */
#include "tests/end_to_end/outside_sweep.h"

#include <criterion/criterion.h>

TestSuite(outside_failure, .init = outside_enter, .fini = outside_leave, .timeout = 110);

/* Catches the mutation broken_pipe_deadly. */
Test(outside_failure, a_worker_may_be_killed_at_every_system_call)
{
	sweep_worker_deaths(&(struct outside_run){.format = OUTSIDE_CSV, .workers = 2});
	sweep_worker_deaths(&(struct outside_run){.format = OUTSIDE_NPY, .workers = 1});
}

/* Catches the mutation checkpoint_before_ignored. */
Test(outside_failure, a_coordinator_may_be_killed_at_every_system_call)
{
	sweep_coordinator_deaths(&(struct outside_run){.format = OUTSIDE_CSV, .workers = 2});
}

/* Catches the mutations fork_not_tried_again and lost_output_ignored. */
Test(outside_failure, every_system_call_of_the_coordinator_may_fail)
{
	sweep_failing_calls(&(struct outside_run){.format = OUTSIDE_CSV, .workers = 2}, OUTSIDE_ONE_ERROR);
}

/*
 * Every few allocations, and from there on all; how few is as short a time allows. Catches the mutation
 * allocation_unchecked.
 */
Test(outside_failure, allocations_of_the_coordinator_may_fail)
{
	sweep_failing_allocations(&(struct outside_run){.format = OUTSIDE_CSV, .workers = 2}, 0, 23);
	sweep_failing_allocations(&(struct outside_run){.format = OUTSIDE_NPY, .workers = 1}, 0, 41);
}

Test(outside_failure, allocations_of_other_commands_may_fail)
{
	sweep_failing_allocations(&(struct outside_run){.command = OUTSIDE_CHECK, .workers = 2}, 0, 7);
	sweep_failing_allocations(&(struct outside_run){.command = OUTSIDE_RESUME, .workers = 2}, 0, 41);
}

/* One that failed as a run ended made the campaign end its own process group instead of that of the run. */
Test(outside_failure, every_allocation_of_a_campaign_may_fail)
{
	sweep_failing_allocations(&(struct outside_run){.command = OUTSIDE_CAMPAIGN, .workers = 2}, 0, 1);
}

Test(outside_failure, every_allocation_of_a_worker_may_fail)
{
	sweep_failing_allocations(&(struct outside_run){.format = OUTSIDE_CSV, .workers = 2}, 1, 1);
	sweep_failing_allocations(&(struct outside_run){.format = OUTSIDE_NPY, .workers = 2}, 2, 1);
}
