/* output.trace, held against its schema, against itself and against the event log of the same run. */
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(timeline, .init = workspace_open, .fini = workspace_close, .timeout = 120);

static void configure(unsigned workers, unsigned epochs, const char *more)
{
	FILE *file = fopen(workspace_path("d.csv"), "w");
	cr_assert(file != NULL);
	for (int i = 0; i < 500; i++)
		fprintf(file, "%d,%d,%d\n", i % 23, i % 7, 3 * (i % 23) - 2 * (i % 7) + i % 3);
	cr_assert(fclose(file) == 0);
	workspace_configure("{\"dataset\": {\"path\": \"d.csv\"}, \"workers\": %u, \"training\": {\"epochs\": %u, "
	                    "\"tolerance\": 0, \"learning_rate\": 0.1}, \"recovery\": {\"max_restarts\": 1000, "
	                    "\"worker_timeout_s\": 0.5, \"backup_after\": 20}, \"output\": {\"trace\": \"trace\", "
	                    "\"events\": \"events\"}%s}",
	        workers, epochs, more);
}

/* The names of all kinds of slices, if nothing is wrong with the timeline. */
static char *check_trace(void)
{
	char *script = path_absolute("tests/end_to_end/check_trace.py");
	struct run_result result = run_program(
	        RUN_ARGV("/usr/bin/python3", script, workspace_path("trace"), workspace_path("events")), NULL);
	cr_expect_eq(result.exit_code, 0, "%s", result.err);
	char *names = strdup(result.out);
	run_result_release(&result);
	free(script);
	return names;
}

Test(timeline, shows_what_every_process_does_and_what_happens_to_it)
{
	static const char *const wanted[] = {"fork", "write PARAMS", "poll", "read GRADIENT", "aggregate", "checkpoint",
	        "bury", "start", "wait", "load", "compute gradient", "leave", "no answer"};
	configure(3, 8,
	        ", \"checkpoint\": {\"path\": \"state\", \"every_epochs\": 3}, \"faults\": ["
	        "{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 2}, {\"kind\": \"flip\", \"worker\": 0, \"epoch\": 3}, "
	        "{\"kind\": \"stop\", \"worker\": 2, \"epoch\": 4}, {\"kind\": \"kill\", \"site\": \"load\", "
	        "\"worker\": 2}, "
	        "{\"kind\": \"slow\", \"worker\": 1, \"incarnation\": 1, \"epoch\": 6, \"ms\": 300}]");
	workspace_run_to(0, TRAINING("--quiet"));
	char *names = check_trace();
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++)
		cr_expect(strstr(names, wanted[i]) != NULL, "no slice %s among %s", wanted[i], names);
	free(names);
}

Test(timeline, is_whole_after_a_run_that_failed)
{
	configure(3, 50, ", \"faults\": [{\"kind\": \"segv\", \"worker\": 1, \"epoch\": 4}]");
	workspace_run_to(4, TRAINING("--quiet", "--set", "recovery.policy=abort"));
	free(check_trace());
	workspace_run_to(3, TRAINING("--quiet", "--set", "training.learning_rate=1e30", "--set", "faults=[]"));
	free(check_trace());
}

Test(timeline, is_whole_after_an_interrupt)
{
	configure(2, 4000000000U, "");
	struct run *run = workspace_start(TRAINING("--quiet"), NULL);
	cr_assert(events_wait(workspace_path("events"), "epoch_done", 3, 60));
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130, "%s", result.err);
	run_result_release(&result);
	free(check_trace());
}

/* Whoever is killed cannot write a bracket, nor always end the line. */
Test(timeline, is_whole_but_for_its_end_if_the_coordinator_is_killed)
{
	configure(4, 4000000000U, "");
	struct run *run = workspace_start(TRAINING("--quiet"), NULL);
	cr_assert(events_wait(workspace_path("events"), "epoch_done", 300, 60));
	run_signal(run, SIGKILL);
	struct run_result result = run_finish(run);
	run_result_release(&result);
	size_t length;
	char *text = file_read(workspace_path("trace"), &length);
	char *last = strrchr(text, '\n');
	cr_assert(length > 10000 && last != NULL && last[-1] == ',');
	strcpy(last - 1, "]"); /* in place of the last line, which may be cut */
	json_decref(json_from_text(text));
	free(text);
}

/* An epoch of eight workers takes about 8 KB: from the 500th on it is every second, and so on. */
Test(timeline, leaves_out_most_of_a_long_run_and_says_so)
{
	configure(8, 2500, ", \"faults\": [{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 2301}]");
	/* Without backups, which a busy machine would have forked in any number of epochs. */
	workspace_run_to(0, TRAINING("--quiet", "--set", "recovery.backup_after=0"));
	free(check_trace());
	size_t length;
	char *text = file_read(workspace_path("trace"), &length);
	cr_expect_lt(length, 4 * 4194304);
	cr_expect(strstr(text, "(left out)") != NULL);
	static const char always[][24] = {"\"epoch 1\"", "\"epoch 2301\"", "\"epoch 2500\""};
	for (size_t i = 0; i < sizeof always / sizeof *always; i++)
		cr_expect(strstr(text, always[i]) != NULL, "no %s", always[i]);
	free(text);
}

Test(timeline, that_cannot_be_written_is_an_error)
{
	static const struct {
		const char *override;
		const char *message;
	} cases[] = {
	        {"output.trace=nowhere/trace", "cannot write nowhere/trace: No such file or directory"},
	        {"output.trace=/dev/full", "cannot write /dev/full: No space left on device"},
	};
	configure(2, 3, "");
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct run_result result = workspace_run(TRAINING("--quiet", "--set", cases[i].override), NULL);
		cr_expect_eq(result.exit_code, 73);
		cr_expect(strstr(result.err, cases[i].message) != NULL, "%s", result.err);
		run_result_release(&result);
	}
}

/* A limit on the file's size is what a full disk is: half a timeline must not be left. */
Test(timeline, that_does_not_fit_on_the_disk_leaves_nothing)
{
	const struct run_limit limit = {RLIMIT_FSIZE, 100000};
	configure(4, 400, "");
	struct run_result result = workspace_run(TRAINING("--quiet", "--json", "--set", "output.events=null"),
	        &(struct run_options){.limits = &limit, .limit_count = 1});
	cr_expect_eq(result.exit_code, 73);
	cr_expect(strstr(result.err, "cannot write trace: File too large") != NULL, "%s", result.err);
	cr_expect(strstr(result.out, "\"w\"") != NULL, "the model is there all the same");
	cr_expect_not(file_exists(workspace_path("trace")));
	run_result_release(&result);
}
