/* Faults of the coordinator itself: its calls fail, or it is killed, wherever it is. */
#include "tests/end_to_end/fault_run.h"
#include "tests/end_to_end/inspection_linux.h"
#include "tests/end_to_end/system_calls.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(coordinator_faults, .init = fault_lab_enter, .fini = fault_lab_leave, .timeout = 110);

struct own_fault {
	char faults[192];
	int exit_code; /* 0: the result is identical */
	char message[48];
};

Test(coordinator_faults, calls_that_fail_are_tried_again_or_told)
{
	static const struct own_fault cases[] = {
	        {"[{\"kind\": \"fork_fails\"}]", 0, ""},
	        {"[{\"kind\": \"fork_fails\", \"times\": \"any\"}]", 71, "cannot fork a worker: Resource"},
	        {"[{\"kind\": \"no_descriptors\"}]", 0, ""},
	        {"[{\"kind\": \"no_descriptors\", \"times\": \"any\"}]", 71, "cannot make a pipe: Too many"},
	        {"[{\"kind\": \"kill\", \"worker\": 1}, {\"kind\": \"fork_fails\", \"incarnation\": \"any\", "
	         "\"epoch\": 0, "
	         "\"skip\": 3, \"times\": 2}]",
	                0, ""},
	        {"[{\"kind\": \"kill\", \"worker\": 0, \"epoch\": 2}, {\"kind\": \"no_descriptors\", \"incarnation\": "
	         "\"any\", "
	         "\"epoch\": 2, \"times\": 3}]",
	                0, ""},
	        {"[{\"kind\": \"no_space\"}]", 73, "cannot write m.json: No space left"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *faults = cases[i].faults;
		struct run_options options = {.directory = fault_lab()};
		struct run_result plain = fault_run(&(struct fault_run){.faults = faults});
		run_result_release(&plain); /* writes the configuration */
		struct run_result result = run_program(
		        RUN_ARGV(coordinator_path(), "--config", "run.json", "--json", "--set", "output.model=m.json"),
		        &options);
		char *model = path_join(fault_lab(), "m.json");
		char *draft = path_join(fault_lab(), "m.json.forkfit-draft");
		if (cases[i].exit_code == 0)
			expect_identical(&result, faults);
		cr_expect_eq(result.exit_code, cases[i].exit_code, "%s:\n%s", faults, result.err);
		cr_expect_not_null(strstr(result.err, cases[i].message), "%s:\n%s", faults, result.err);
		cr_expect_eq(file_exists(model), cases[i].exit_code == 0, "%s", faults);
		cr_expect_not(file_exists(draft), "%s", faults);
		cr_expect(session_ends(result.pid, 5));
		if (file_exists(model))
			remove(model);
		free(model);
		free(draft);
		run_result_release(&result);
	}
}

/* What the model file holds if the coordinator is killed there: the old text, or the new one. */
struct coordinator_site {
	char site[32];
	bool written;
};

Test(coordinator_faults, a_coordinator_that_is_killed_leaves_nobody_and_no_half_of_a_file)
{
	static const struct coordinator_site places[] = {
	        {"coordinator.start", false},
	        {"coordinator.fork", false},
	        {"coordinator.epoch", false},
	        {"coordinator.output.draft", false},
	        {"coordinator.output.write", false},
	        {"coordinator.output.rename", false},
	        {"coordinator.output.done", true},
	};
	char *model = path_join(fault_lab(), "m.json"), *draft = path_join(fault_lab(), "m.json.forkfit-draft");
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct run_options options = {.directory = fault_lab()};
		char faults[320];
		snprintf(faults, sizeof faults, "faults=[{\"kind\": \"kill\", \"site\": \"%s\"}]", places[i].site);
		file_write(model, "old");
		struct run_result result = run_program(RUN_ARGV(coordinator_path(), "--config", "run.json", "--json",
		                                               "--set", faults, "--set", "output.model=m.json"),
		        &options);
		cr_expect_eq(result.signal, SIGKILL, "%s:\n%s", faults, result.err);
		cr_expect(session_ends(result.pid, 5), "%s: a worker is left", faults);
		cr_expect_not_null(strstr(result.err, places[i].site), "%s:\n%s", faults, result.err);
		char *text = file_read(model, NULL);
		cr_expect_str_eq(text, places[i].written ? fault_free_result() : "old", "%s", faults);
		cr_expect(!file_exists(draft) || !directory_has_nameless_files(fault_lab()), "%s", faults);
		free(text);
		run_result_release(&result);
		struct run_result next = run_program(
		        RUN_ARGV(coordinator_path(), "--config", "run.json", "--json", "--set", "output.model=m.json"),
		        &options);
		expect_identical(&next, "the next run");
		run_result_release(&next);
	}
	free(draft);
	free(model);
}

/* Where a file has to have a name from the beginning: here because access(2) does not find /proc/self/fd. */
static struct run_result run_without_nameless_files(const char *setting)
{
	static const char *const environment[] = {"LSAN_OPTIONS=detect_leaks=0", NULL};
	struct run_options options = {.directory = fault_lab(), .environment = environment};
	return run_program(RUN_ARGV("strace", "-o", "/dev/null", "--inject=access:error=ENOENT", coordinator_path(),
	                           "--config", "run.json", "--json", "--set", "output.model=m.json", "--set", setting),
	        &options);
}

Test(coordinator_faults, a_draft_that_needs_a_name_is_taken_over_by_the_next_run)
{
	if (!system_calls_are_visible())
		cr_skip_test("no process can be traced here");
	char *model = path_join(fault_lab(), "m.json"), *draft = path_join(fault_lab(), "m.json.forkfit-draft");
	struct run_result killed =
	        run_without_nameless_files("faults=[{\"kind\": \"kill\", \"site\": \"coordinator.output.write\"}]");
	cr_expect(file_exists(draft) && !file_exists(model));
	struct run_result next = run_without_nameless_files("faults=[]");
	expect_identical(&next, "the next run");
	char *text = file_read(model, NULL);
	cr_expect_str_eq(text, fault_free_result());
	cr_expect_not(file_exists(draft));
	free(text);
	free(draft);
	free(model);
	run_result_release(&killed);
	run_result_release(&next);
}
