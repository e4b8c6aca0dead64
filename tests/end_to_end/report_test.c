/* output.report, read by a program; tests/report/ looks at it in a browser. */
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(report, .init = workspace_open, .fini = workspace_close, .timeout = 120);

static void write_data(const char *header, int rows)
{
	FILE *file = fopen(workspace_path("d.csv"), "w");
	cr_assert(file != NULL);
	fprintf(file, "%s\n", header);
	for (int i = 0; i < rows; i++)
		fprintf(file, "%d,%d,%d\n", i % 23, i % 7, 3 * (i % 23) - 2 * (i % 7) + i % 3);
	cr_assert(fclose(file) == 0);
}

static void configure(unsigned workers, unsigned epochs, const char *more)
{
	workspace_configure("{\"dataset\": {\"path\": \"d.csv\"}, \"workers\": %u, \"training\": {\"epochs\": %u, "
	                    "\"tolerance\": 0}, \"recovery\": {\"max_restarts\": 1000}, "
	                    "\"output\": {\"report\": \"r.html\", \"events\": \"events\"}%s}",
	        workers, epochs, more);
}

/* What the report says that must be the same in every run, if nothing is wrong with it; to be freed. */
static char *check_report(void)
{
	char *script = path_absolute("tests/end_to_end/check_report.py");
	struct run_result result = run_program(RUN_ARGV("/usr/bin/python3", script, workspace_path("r.html")), NULL);
	cr_expect_eq(result.exit_code, 0, "%s", result.err);
	char *same = strdup(result.out);
	run_result_release(&result);
	free(script);
	return same;
}

Test(report, has_the_same_numbers_for_any_number_of_workers)
{
	write_data("a,b,y", 5000);
	configure(1, 40, "");
	workspace_run_to(0, TRAINING("--quiet"));
	char *alone = check_report();
	cr_expect(strstr(alone, "\"rows\": 5000") != NULL);
	for (unsigned workers = 2; workers <= 7; workers += 5) {
		configure(workers, 40, "");
		workspace_run_to(0, TRAINING("--quiet"));
		char *together = check_report();
		cr_expect_str_eq(alone, together, "%u workers", workers);
		free(together);
	}
	free(alone);
}

Test(report, does_not_change_what_is_learnt)
{
	write_data("a,b,y", 500);
	configure(3, 40, "");
	struct run_result with = workspace_run(TRAINING("--json", "--quiet"), NULL);
	struct run_result without = workspace_run(TRAINING("--json", "--quiet", "--set", "output.report=null"), NULL);
	cr_expect_str_eq(with.out, without.out);
	run_result_release(&with);
	run_result_release(&without);
}

Test(report, tells_of_every_loss_and_its_replacement)
{
	write_data("a,b,y", 500);
	configure(3, 8,
	        ", \"faults\": [{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 2}, "
	        "{\"kind\": \"segv\", \"worker\": 0, \"epoch\": 5}]");
	workspace_run_to(0, TRAINING("--quiet"));
	char *same = check_report();
	cr_expect(strstr(same, "\"losses\": 2") != NULL, "%s", same);
	free(same);
}

Test(report, survives_faults_while_the_residuals_are_gathered)
{
	write_data("a,b,y", 500);
	configure(3, 8, "");
	workspace_run_to(0, TRAINING("--quiet"));
	char *undisturbed = check_report();
	/* The last rounds have the last epoch's number: skipping the first two passes by gradient and metrics. */
	configure(3, 8,
	        ", \"faults\": [{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 8, \"skip\": 2}, "
	        "{\"kind\": \"kill\", \"worker\": 2, \"epoch\": 8, \"skip\": 4}]");
	workspace_run_to(0, TRAINING("--quiet"));
	char *disturbed = check_report();
	cr_expect(strstr(disturbed, "\"losses\": 2") != NULL, "%s", disturbed);
	char *losses = strstr(disturbed, "\"losses\": 2");
	if (losses != NULL)
		losses[strlen("\"losses\": ")] = '0';
	cr_expect_str_eq(undisturbed, disturbed);
	free(undisturbed);
	free(disturbed);
}

Test(report, is_written_of_runs_that_fail)
{
	write_data("a,b,y", 500);
	configure(3, 50, ", \"faults\": [{\"kind\": \"segv\", \"worker\": 1, \"epoch\": 4}]");
	workspace_run_to(4, TRAINING("--quiet", "--set", "recovery.policy=abort"));
	char *same = check_report();
	cr_expect(strstr(same, "\"model\": null") != NULL && strstr(same, "\"failed\": true") != NULL, "%s", same);
	free(same);
	workspace_run_to(3, TRAINING("--quiet", "--set", "training.learning_rate=1e30", "--set", "faults=[]"));
	same = check_report();
	cr_expect(strstr(same, "\"model\": null") != NULL && strstr(same, "\"failed\": true") != NULL, "%s", same);
	free(same);
}

Test(report, is_written_after_an_interrupt)
{
	write_data("a,b,y", 500);
	configure(2, 4000000000U, "");
	struct run *run = workspace_start(TRAINING("--quiet"), NULL);
	cr_assert(events_wait(workspace_path("events"), "epoch_done", 3, 60));
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130, "%s", result.err);
	run_result_release(&result);
	char *same = check_report();
	cr_expect(strstr(same, "\"stop_reason\": \"interrupted\"") != NULL, "%s", same);
	free(same);
}

/* Names are text, whatever they look like. */
Test(report, keeps_markup_in_names_as_text)
{
	write_data("</script><script>alert(1)</script>,<!--,\"y & <b>\"", 100);
	configure(2, 5, "");
	workspace_run_to(0, TRAINING("--quiet"));
	char *same = check_report();
	cr_expect(strstr(same, "\"</script><script>alert(1)</script>\", \"<!--\"") != NULL, "%s", same);
	free(same);
}

Test(report, that_cannot_be_written_is_told_before_training)
{
	write_data("a,b,y", 100);
	configure(2, 4000000000U, "");
	struct run_result result = workspace_run(TRAINING("--quiet", "--set", "output.report=nowhere/r.html"), NULL);
	cr_expect_eq(result.exit_code, 73);
	cr_expect_str_eq(result.err, "coordinator: cannot write nowhere/r.html: No such file or directory\n");
	run_result_release(&result);
}

/* check_report.py looks at the size. */
Test(report, of_many_epochs_workers_and_faults_is_small)
{
	char faults[32768] = ", \"faults\": [";
	size_t length = strlen(faults);
	for (unsigned i = 0; i < 200; i++)
		length += (size_t)snprintf(faults + length, sizeof faults - length,
		        "%s{\"kind\": \"kill\", \"worker\": %u, \"incarnation\": %u, \"epoch\": %u}", i > 0 ? ", " : "",
		        i % 64, i / 64, 5 * i + 1);
	snprintf(faults + length, sizeof faults - length, "]");
	write_data("a,b,y", 2000);
	configure(64, 1000, faults);
	workspace_run_to(0, TRAINING("--quiet", "--set", "recovery.max_restarts=1000000"));
	char *same = check_report();
	cr_expect(strstr(same, "\"losses\": 200") != NULL);
	free(same);
}
