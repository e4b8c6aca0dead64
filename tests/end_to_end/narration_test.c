/* --explain: what it tells is what strace has seen, call by call, and all of it. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/system_calls.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(narration, .init = workspace_open, .fini = workspace_close, .timeout = 120);

static void configure(const char *data, unsigned epochs, const char *more)
{
	struct table table = table_new(400, 2, 0.5, 1);
	table_write_csv(&table, workspace_path("d.csv"), (struct csv_style){0});
	table_write_npy(&table, workspace_path("d.npy"), (struct npy_style){.fortran = false});
	table_write_npy(&table, workspace_path("f.npy"), (struct npy_style){.fortran = true});
	table_release(&table);
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"workers\": 3, \"training\": {\"epochs\": %u, "
	                    "\"tolerance\": 0, \"learning_rate\": 0.1}, \"recovery\": {\"max_restarts\": 1000, "
	                    "\"worker_timeout_s\": 1}%s}",
	        data, epochs, more);
}

struct story {
	char data[8];
	unsigned epochs;
	char more[320];
	int exit_code;
};

ParameterizedTestParameters(narration, is_what_strace_has_seen)
{
	static struct story stories[] = {
	        {"d.csv", 2, "", 0},
	        {"d.npy", 1, ", \"isolation\": {\"enabled\": false}", 0},
	        {"f.npy", 0, "", 0},
	        {"d.csv", 2,
	                ", \"faults\": [{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 1}, {\"kind\": \"flip\", "
	                "\"worker\": 0, \"epoch\": 2}, {\"kind\": \"exit\", \"worker\": 2, \"epoch\": 2, \"code\": 9}]",
	                0},
	        {"d.csv", 2,
	                ", \"faults\": [{\"kind\": \"stop\", \"worker\": 1, \"epoch\": 1}, {\"kind\": \"syscall\", "
	                "\"worker\": 2, \"epoch\": 2}, {\"kind\": \"no_descriptors\"}, {\"kind\": \"short_writes\"}]",
	                0},
	        {"d.npy", 40, ", \"faults\": [{\"kind\": \"segv\", \"worker\": 1, \"epoch\": 20}]", 4},
	        {"d.npy", 60, ", \"faults\": [{\"kind\": \"kill\", \"worker\": 2, \"epoch\": 31}]", 0},
	};
	return cr_make_param_array(struct story, stories, sizeof stories / sizeof stories[0]);
}

ParameterizedTest(struct story *story, narration, is_what_strace_has_seen)
{
	static const char *const environment[] = {"LSAN_OPTIONS=detect_leaks=0", NULL};
	if (!system_calls_are_visible())
		cr_skip("no process can be traced here");
	if (HARNESS_SANITIZED)
		cr_skip("a sanitizer makes calls of its own when a signal comes");
	configure(story->data, story->epochs, story->more);
	const char *policy = story->exit_code == 4 ? "recovery.policy=abort" : "recovery.policy=respawn";
	struct run_result run = workspace_run(RUN_ARGV("strace", "-ff", "-o", "strace", coordinator_path(), "--config",
	                                              "run.json", "--explain", "--set", policy),
	        &(struct run_options){.environment = environment});
	cr_assert_eq(run.exit_code, story->exit_code, "exit code %d: %s", run.exit_code, run.err);
	file_write(workspace_path("told"), run.err);
	char *script = path_absolute("tests/end_to_end/check_narration.py");
	struct run_result result = run_program(
	        RUN_ARGV("/usr/bin/python3", script, workspace_path("told"), workspace_path("strace")), NULL);
	cr_expect_eq(result.exit_code, 0, "%s%s", result.err, run.err);
	run_result_release(&result);
	run_result_release(&run);
	free(script);
}

Test(narration, changes_nothing_about_the_result)
{
	configure("d.csv", 30, ", \"faults\": [{\"kind\": \"kill\", \"worker\": 2, \"epoch\": 11}]");
	struct run_result plain = workspace_run(TRAINING("--quiet"), NULL);
	struct run_result told = workspace_run(TRAINING("--explain"), NULL);
	cr_assert(plain.exit_code == 0 && told.exit_code == 0, "%s", told.err);
	cr_expect_str_eq(told.out, plain.out);
	run_result_release(&plain);
	run_result_release(&told);
}

Test(narration, tells_the_unusual_and_counts_the_usual)
{
	static const char *const wanted[] = {"Worker 0: two pipes and a process", "begins: a copy of the coordinator",
	        "Epoch 2:", "Epochs 3 to 10 went the same way", "Epoch 11:", "{SIGKILL}", "shown as worker 2/1",
	        "Worker 2 is at work again", "Epochs 12 to 29 went the same way", "Epoch 30:", "Everybody leaves"};
	configure("d.npy", 30, ", \"faults\": [{\"kind\": \"kill\", \"worker\": 2, \"epoch\": 11}]");
	struct run_result told = workspace_run(TRAINING("--explain"), NULL);
	cr_assert_eq(told.exit_code, 0, "%s", told.err);
	const char *at = told.err;
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const char *found = strstr(at, wanted[i]);
		cr_assert(found != NULL, "no \"%s\" behind the one before, in:\n%s", wanted[i], told.err);
		at = found;
	}
	cr_expect(strstr(told.err, "of the file, read-only") != NULL, "which pages: %s", told.err);
	cr_expect(strstr(told.err, "\033[") == NULL, "no colours where there is no terminal");
	run_result_release(&told);
}

Test(narration, and_quiet_contradict_each_other)
{
	configure("d.csv", 1, "");
	struct run_result result = workspace_run(TRAINING("--explain", "--quiet"), NULL);
	cr_expect_eq(result.exit_code, 64);
	cr_expect(strstr(result.err, "--explain and --quiet contradict each other") != NULL, "%s", result.err);
	run_result_release(&result);
}
