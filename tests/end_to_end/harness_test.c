/* The harness itself, on commands whose behaviour is known. */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL(script) RUN_ARGV("sh", "-c", script)

TestSuite(harness, .timeout = 30);

struct ending {
	char script[32];
	int exit_code;
	int signal;
};

ParameterizedTestParameters(harness, tells_how_a_program_ended)
{
	static struct ending endings[] = {
	        {"exit 0", 0, 0},
	        {"exit 78", 78, 0},
	        {"exit 130", 130, 0},
	        {"kill -KILL $$", -1, SIGKILL},
	        {"kill -TERM $$", -1, SIGTERM},
	};
	return cr_make_param_array(struct ending, endings, sizeof endings / sizeof endings[0]);
}

ParameterizedTest(struct ending *ending, harness, tells_how_a_program_ended)
{
	struct run_result result = run_program(SHELL(ending->script), NULL);
	cr_assert_eq(result.exit_code, ending->exit_code, "%s: exit code %d", ending->script, result.exit_code);
	cr_assert_eq(result.signal, ending->signal, "%s: signal %d", ending->script, result.signal);
	cr_assert_eq(WIFSIGNALED(result.status), ending->signal != 0);
	cr_assert_not(result.timed_out);
	run_result_release(&result);
}

Test(harness, captures_both_streams_apart)
{
	struct run_result result = run_program(SHELL("echo result; echo progress >&2; printf more"), NULL);
	cr_assert_str_eq(result.out, "result\nmore");
	cr_assert_str_eq(result.err, "progress\n");
	cr_assert_eq(result.out_length, strlen(result.out));
	run_result_release(&result);
}

Test(harness, captures_output_far_longer_than_a_pipe_holds)
{
	struct run_result result = run_program(SHELL("head -c 3000000 /dev/zero; head -c 2000000 /dev/zero >&2"), NULL);
	cr_assert_eq(result.exit_code, 0);
	cr_assert_eq(result.out_length, 3000000);
	cr_assert_eq(result.err_length, 2000000);
	run_result_release(&result);
}

Test(harness, gives_the_text_on_standard_input)
{
	struct run_options options = {.input = "{\"a\": 1}\n"};
	struct run_result result = run_program(RUN_ARGV("cat"), &options);
	cr_assert_str_eq(result.out, options.input);
	run_result_release(&result);
}

Test(harness, gives_an_empty_standard_input_by_default)
{
	struct run_result result = run_program(RUN_ARGV("cat"), NULL);
	cr_assert_eq(result.exit_code, 0);
	cr_assert_str_eq(result.out, "");
	run_result_release(&result);
}

Test(harness, runs_in_the_directory_with_a_program_path_relative_to_the_tests)
{
	char *directory = directory_new();
	char *script = path_join(directory, "script");
	file_write(script, "#!/bin/sh\npwd\n");
	cr_assert_eq(chmod(script, 0700), 0);
	cr_assert_eq(chdir(directory), 0);
	struct run_options options = {.directory = "/usr"};
	struct run_result result = run_program(RUN_ARGV("./script"), &options);
	cr_assert_str_eq(result.out, "/usr\n");
	run_result_release(&result);
	directory_remove(directory);
	free(script);
	free(directory);
}

Test(harness, sets_and_unsets_environment_variables)
{
	cr_assert_eq(setenv("FORKFIT_TEST_OLD", "old", 1), 0);
	cr_assert_eq(setenv("FORKFIT_TEST_GONE", "gone", 1), 0);
	cr_assert_eq(setenv("FORKFIT_TEST_KEPT", "kept", 1), 0);
	const char *const environment[] = {"FORKFIT_TEST_OLD=new", "FORKFIT_TEST_GONE", "FORKFIT_TEST=a=b", NULL};
	struct run_options options = {.environment = environment};
	/* Not through a shell, which would tidy it. */
	struct run_result result = run_program(RUN_ARGV("env"), &options);
	cr_assert(strstr(result.out, "FORKFIT_TEST_OLD=new\n") != NULL);
	cr_assert(strstr(result.out, "FORKFIT_TEST_OLD=old") == NULL);
	cr_assert(strstr(result.out, "FORKFIT_TEST_GONE") == NULL);
	cr_assert(strstr(result.out, "FORKFIT_TEST_KEPT=kept\n") != NULL);
	cr_assert(strstr(result.out, "FORKFIT_TEST=a=b\n") != NULL);
	run_result_release(&result);
}

Test(harness, sends_standard_output_to_a_file)
{
	struct run_options options = {.output_path = "/dev/full"};
	struct run_result result = run_program(SHELL("echo lost"), &options);
	cr_assert_neq(result.exit_code, 0);
	cr_assert_str_eq(result.out, "");
	run_result_release(&result);
}

Test(harness, sets_resource_limits)
{
	const struct run_limit limits[] = {{RLIMIT_NOFILE, 37}, {RLIMIT_CORE, 0}};
	struct run_options options = {.limits = limits, .limit_count = 2};
	struct run_result result = run_program(SHELL("ulimit -n; ulimit -c"), &options);
	cr_assert_str_eq(result.out, "37\n0\n");
	run_result_release(&result);
}

Test(harness, leaves_the_program_three_descriptors)
{
	/* Of ls itself, one more is the directory it reads. */
	struct run_result result = run_program(RUN_ARGV("ls", "/proc/self/fd"), NULL);
	cr_assert_str_eq(result.out, "0\n1\n2\n3\n");
	run_result_release(&result);
}

Test(harness, leaves_the_program_no_ignored_or_blocked_signal)
{
	sigset_t interrupt;
	sigemptyset(&interrupt);
	sigaddset(&interrupt, SIGINT);
	cr_assert_eq(sigprocmask(SIG_BLOCK, &interrupt, NULL), 0);
	signal(SIGPIPE, SIG_IGN);
	struct run_result result = run_program(RUN_ARGV("grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"), NULL);
	unsigned long long blocked, ignored;
	cr_assert_eq(sscanf(result.out, "SigBlk: %llx SigIgn: %llx", &blocked, &ignored), 2);
	/* 32 and 33 are the C library's own: its posix_spawn leaves them ignored, and signal refuses them. */
	ignored &= ~(3ULL << 31);
	cr_assert_eq(blocked, 0, "%s", result.out);
	cr_assert_eq(ignored, 0, "%s", result.out);
	run_result_release(&result);
}

Test(harness, kills_a_program_with_its_children_when_the_time_is_up)
{
	struct run_options options = {.timeout_s = 0.2};
	struct run_result result = run_program(SHELL("sleep 100 & sleep 100; true"), &options);
	cr_assert(result.timed_out);
	cr_assert_eq(result.signal, SIGKILL);
	cr_assert_geq(result.seconds, 0.2);
	cr_assert_lt(result.seconds, 10.0);
	cr_assert(session_ends(result.pid, 10));
	run_result_release(&result);
}

Test(harness, measures_the_time)
{
	struct run_result result = run_program(RUN_ARGV("sleep", "0.3"), NULL);
	cr_assert_geq(result.seconds, 0.3);
	cr_assert_lt(result.seconds, 10.0);
	run_result_release(&result);
}

Test(harness, lets_a_test_act_while_the_program_runs)
{
	struct run *run = run_start(SHELL("trap 'echo caught; exit 7' TERM; echo ready >&2;"
	                                  "while :; do sleep 0.01; done"),
	        NULL);
	cr_assert(run_wait_for_text(run, RUN_ERR, "ready\n", 10));
	run_signal(run, SIGTERM);
	struct run_result result = run_finish(run);
	cr_assert_eq(result.exit_code, 7);
	cr_assert_str_eq(result.out, "caught\n");
	run_result_release(&result);
}

Test(harness, gives_up_waiting_for_text_that_does_not_come)
{
	struct run *run = run_start(SHELL("echo something else; sleep 100"), NULL);
	cr_assert_not(run_wait_for_text(run, RUN_OUT, "ready", 0.1));
	run_signal(run, SIGKILL);
	struct run_result result = run_finish(run);
	cr_assert_eq(result.signal, SIGKILL);
	run_result_release(&result);
}

Test(harness, lists_the_children_of_a_program)
{
	struct process children[4];
	struct run *run = run_start(SHELL("sleep 100 & sleep 100 & echo ready; wait"), NULL);
	cr_assert(run_wait_for_text(run, RUN_OUT, "ready", 10));
	cr_assert_eq(processes_of_parent(run_pid(run), children, 4), 2);
	for (size_t i = 0; i < 2; i++) {
		cr_assert_eq(children[i].parent, run_pid(run));
		cr_assert_eq(children[i].session, run_pid(run));
	}
	cr_assert_lt(children[0].pid, children[1].pid);
	cr_assert_eq(processes_of_session(run_pid(run), children, 4), 3);
	kill(-run_pid(run), SIGKILL);
	struct run_result result = run_finish(run);
	run_result_release(&result);
}

Test(harness, tells_a_stopped_process_and_a_zombie)
{
	struct process process;
	struct run *run = run_start(RUN_ARGV("sleep", "100"), NULL);
	run_signal(run, SIGSTOP);
	siginfo_t information;
	cr_assert_eq(waitid(P_PID, (id_t)run_pid(run), &information, WSTOPPED | WNOWAIT), 0);
	cr_assert(process_read(run_pid(run), &process));
	cr_assert_eq(process.state, 'T', "stopped, but state %c", process.state);
	run_signal(run, SIGKILL);
	cr_assert_eq(waitid(P_PID, (id_t)run_pid(run), &information, WEXITED | WNOWAIT), 0);
	cr_assert(process_read(run_pid(run), &process));
	cr_assert_eq(process.state, 'Z', "ended, but state %c", process.state);
	pid_t pid = run_pid(run);
	struct run_result result = run_finish(run);
	cr_assert_not(process_read(pid, &process));
	run_result_release(&result);
}

Test(harness, reads_a_process_whose_name_has_parentheses)
{
	struct process process;
	char *directory = directory_new();
	char *script = path_join(directory, "a) Z 1 (b");
	file_write(script, "#!/bin/sh\nsleep 100\n");
	cr_assert_eq(chmod(script, 0700), 0);
	struct run *run = run_start(RUN_ARGV(script), NULL);
	cr_assert(process_read(run_pid(run), &process));
	cr_assert_str_eq(process.name, "a) Z 1 (b");
	cr_assert_neq(process.state, 'Z');
	cr_assert_eq(process.session, run_pid(run));
	kill(-run_pid(run), SIGKILL);
	struct run_result result = run_finish(run);
	run_result_release(&result);
	directory_remove(directory);
	free(script);
	free(directory);
}

Test(harness, takes_a_session_with_none_but_zombies_for_empty)
{
	siginfo_t information;
	struct run *run = run_start(RUN_ARGV("true"), NULL);
	cr_assert_eq(waitid(P_PID, (id_t)run_pid(run), &information, WEXITED | WNOWAIT), 0);
	cr_assert(session_ends(run_pid(run), 0));
	struct run_result result = run_finish(run);
	run_result_release(&result);
}

Test(harness, finds_what_outlives_the_program)
{
	struct run_result result = run_program(SHELL("sleep 100 & exit 0"), NULL);
	cr_assert_eq(result.survivors, 1);
	cr_assert_not(session_ends(result.pid, 0.1), "a sleeping process was not found");
	cr_assert(session_ends(result.pid, 10), "what is found should be killed");
	run_result_release(&result);
}

Test(harness, finds_nothing_where_nothing_is_left)
{
	struct run_result result = run_program(SHELL("sleep 0.05 & wait"), NULL);
	cr_assert_eq(result.survivors, 0);
	cr_assert(session_ends(result.pid, 0));
	run_result_release(&result);
}

Test(harness, waits_for_text_in_a_file)
{
	char *directory = directory_new();
	char *path = path_join(directory, "events");
	struct run_options options = {.directory = directory};
	struct run *run = run_start(SHELL("sleep 0.1; echo first >events; sleep 0.1; echo second >>events"), &options);
	cr_assert_not(file_exists(path));
	cr_assert(file_wait_for_text(path, "second\n", 10));
	char *text = file_read(path, NULL);
	cr_assert_str_eq(text, "first\nsecond\n");
	struct run_result result = run_finish(run);
	run_result_release(&result);
	directory_remove(directory);
	cr_assert_not(file_exists(directory));
	free(text);
	free(path);
	free(directory);
}

struct change {
	char script[48];
	bool shows;
};

ParameterizedTestParameters(harness, sees_changes_in_a_directory)
{
	static struct change changes[] = {
	        {"cat file below/other", false},
	        {"touch new; rm new", false},
	        {"touch new", true},
	        {"touch below/new", true},
	        {"rm file", true},
	        {"echo TEXT >file", true},
	        {"touch file", true},
	        {"chmod 600 file", true},
	        {"mkdir directory", true},
	};
	return cr_make_param_array(struct change, changes, sizeof changes / sizeof changes[0]);
}

ParameterizedTest(struct change *change, harness, sees_changes_in_a_directory)
{
	char *directory = directory_new();
	struct run_options options = {.directory = directory};
	struct run_result prepared = run_program(SHELL("echo text >file; mkdir below; echo other >below/other; chmod "
	                                               "644 file; touch -d 2001-02-03 file"),
	        &options);
	char *before = directory_snapshot(directory);
	struct run_result changed = run_program(SHELL(change->script), &options);
	char *after = directory_snapshot(directory);
	cr_assert_eq(strcmp(before, after) != 0, change->shows, "%s", change->script);
	run_result_release(&prepared);
	run_result_release(&changed);
	free(before);
	free(after);
	directory_remove(directory);
	free(directory);
}

Test(harness, finds_json_values_by_path)
{
	json_t *root = json_from_text("{\"w\": [0.5, {\"deep\": \"text\"}], \"metrics\": {\"rmse\": 3}}");
	cr_assert_eq(json_number_at(root, "w[0]"), 0.5);
	cr_assert_eq(json_number_at(root, "metrics.rmse"), 3);
	cr_assert_str_eq(json_string_at(root, "w[1].deep"), "text");
	json_decref(root);
}
