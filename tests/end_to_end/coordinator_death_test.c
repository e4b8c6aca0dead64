/* Nothing outlives the coordinator, although SIGKILL gives it no chance to see to that. */
#include "tests/end_to_end/long_run.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>

/* A sanitizer's memory takes long to tear down. */
#define GRACE_S (HARNESS_SANITIZED ? 2.0 : 0.1)

TestSuite(coordinator_death, .init = workspace_open, .fini = workspace_close, .timeout = 120);

static void expect_no_survivors(struct run *run)
{
	run_signal(run, SIGKILL);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.signal, SIGKILL, "exit code %d: %s", result.exit_code, result.err);
	cr_expect(session_ends(result.pid, GRACE_S), "a process has outlived the coordinator by %g s", GRACE_S);
	run_result_release(&result);
}

ParameterizedTestParameters(coordinator_death, leaves_no_process_behind)
{
	static char workers[][16] = {"workers=1", "workers=3", "workers=40"};
	return cr_make_param_array(char[16], workers, sizeof workers / sizeof workers[0]);
}

ParameterizedTest(char (*workers)[16], coordinator_death, leaves_no_process_behind)
{
	long_run_prepare();
	expect_no_survivors(long_run_start(*workers));
}

/* Catches the mutation death_not_inherited. */
Test(coordinator_death, ends_a_stopped_worker_too)
{
	long_run_prepare();
	struct run *run = long_run_start("workers=3");
	cr_assert_eq(kill(long_run_pid(1), SIGSTOP), 0);
	expect_no_survivors(run);
}

Test(coordinator_death, while_loading_leaves_no_process_behind)
{
	expect_no_survivors(long_load_start());
}
