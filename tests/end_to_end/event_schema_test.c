/* The event log, as configs/events.schema.json describes it: a test for who reads logs by that. */
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>

TestSuite(event_schema, .init = workspace_open, .fini = workspace_close, .timeout = 120);

/* Twelve rows, a column that is constant, so that there is something to note. */
static void write_rows(void)
{
	FILE *file = fopen(workspace_path("d.csv"), "w");
	cr_assert(file != NULL);
	for (int i = 0; i < 12; i++)
		fprintf(file, "%d,1,%d\n", i, 2 * i + i % 3);
	cr_assert(fclose(file) == 0);
}

/* A run whose log is called `events`. */
static void run_with_log(int exit_code, const char *name, const char *const argv[])
{
	struct run_result result = workspace_run(argv, NULL);
	cr_assert_eq(result.exit_code, exit_code, "%s: exit code %d: %s", name, result.exit_code, result.err);
	run_result_release(&result);
}

#define RUN(exit_code, name, ...) run_with_log(exit_code, name, TRAINING("--set", "output.events=" name, __VA_ARGS__))

Test(event_schema, describes_every_line_of_real_logs)
{
	write_rows();
	workspace_configure("{\"dataset\": {\"path\": \"d.csv\"}, \"workers\": 3, \"training\": {\"epochs\": 6, "
	                    "\"tolerance\": 0}, \"checkpoint\": {\"path\": \"state\", \"every_epochs\": 3}, "
	                    "\"recovery\": {\"max_restarts\": 1000}}");
	RUN(0, "lost", "--set",
	        "faults=[{\"kind\":\"kill\",\"worker\":1,\"epoch\":2},{\"kind\":\"flip\",\"worker\":0,\"epoch\":3},"
	        "{\"kind\":\"stop\",\"worker\":0,\"incarnation\":\"any\",\"epoch\":5,\"ms\":200},"
	        "{\"kind\":\"exit\",\"worker\":2,\"epoch\":4,\"code\":7},{\"kind\":\"no_descriptors\"}]");
	RUN(0, "resumed", "--resume", "--set", "training.epochs=8");
	RUN(0, "late", "--set", "recovery.backup_after=3", "--set",
	        "faults=[{\"kind\":\"slow\",\"worker\":1,\"epoch\":4,\"ms\":500}]");
	RUN(4, "given_up", "--set", "recovery.policy=abort", "--set", "faults=[{\"kind\":\"segv\",\"epoch\":2}]");
	RUN(3, "diverged", "--set", "training.learning_rate=1e30", "--set", "training.epochs=100");
	char *script = path_absolute("tests/end_to_end/check_events.py");
	struct run_result result =
	        run_program(RUN_ARGV("/usr/bin/python3", script, workspace_path("lost"), workspace_path("resumed"),
	                            workspace_path("late"), workspace_path("given_up"), workspace_path("diverged")),
	                NULL);
	cr_expect_eq(result.exit_code, 0, "%s", result.err);
	run_result_release(&result);
	free(script);
}
