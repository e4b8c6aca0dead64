/* SIGINT, SIGTERM and SIGHUP end a run in good order: with the result of an epoch, if there has been one. */
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/long_run.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(interrupt, .init = workspace_open, .fini = workspace_close, .timeout = 120);

static unsigned interrupted_epoch(const struct run_result *result)
{
	unsigned epoch = 0;
	int length = 0;
	sscanf(result->err, "coordinator: interrupted; the result is that of epoch %u\n%n", &epoch, &length);
	cr_assert(length > 0 && result->err[length] == '\0', "%s", result->err);
	return epoch;
}

static void expect_equal_at(json_t *left, json_t *right, const char *path)
{
	cr_expect(json_equal(json_at(left, path), json_at(right, path)), "%s differs", path);
}

static void expect_result_of_epoch(json_t *interrupted, unsigned epoch)
{
	char setting[48];
	snprintf(setting, sizeof setting, "training.epochs=%u", epoch);
	json_t *complete = TRAIN("--quiet", "--set", setting);
	expect_equal_at(interrupted, complete, "w");
	expect_equal_at(interrupted, complete, "b");
	expect_equal_at(interrupted, complete, "metrics");
	expect_equal_at(interrupted, complete, "training.loss");
	json_decref(complete);
}

ParameterizedTestParameters(interrupt, ends_the_run_with_the_result_of_an_epoch)
{
	static int signals[] = {SIGINT, SIGTERM, SIGHUP};
	return cr_make_param_array(int, signals, sizeof signals / sizeof signals[0]);
}

ParameterizedTest(int *number, interrupt, ends_the_run_with_the_result_of_an_epoch)
{
	long_run_prepare();
	struct run *run = long_run_start("workers=3");
	run_signal(run, *number);
	struct run_result result = run_finish(run);
	cr_assert_eq(result.exit_code, 130, "exit code %d, signal %d", result.exit_code, result.signal);
	cr_expect_eq(result.survivors, 0);
	unsigned epoch = interrupted_epoch(&result);
	char *files = workspace_files();
	cr_expect_str_eq(files, "events model run.json x.npy");
	char *written = file_read(workspace_path("model"), NULL);
	cr_expect_str_eq(written, result.out, "the model file is not what was printed");
	json_t *model = json_from_text(written);
	cr_expect_str_eq(json_string_at(model, "training.stop_reason"), "interrupted");
	cr_expect_eq(json_number_at(model, "training.epochs"), epoch);
	expect_result_of_epoch(model, epoch);
	json_decref(model);
	free(written);
	free(files);
	run_result_release(&result);
}

Test(interrupt, from_a_terminal_reaches_the_workers_and_does_them_no_harm)
{
	long_run_prepare();
	struct run *run = long_run_start("workers=3");
	cr_assert_eq(kill(-run_pid(run), SIGINT), 0);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130, "exit code %d", result.exit_code);
	cr_expect(interrupted_epoch(&result) > 0);
	cr_expect_eq(result.survivors, 0);
	run_result_release(&result);
}

static double now(void)
{
	struct timespec reading;
	clock_gettime(CLOCK_MONOTONIC, &reading);
	return (double)reading.tv_sec + (double)reading.tv_nsec * 1e-9;
}

/* Waits for the end, which must come within so many seconds, with status 130 and nothing left. */
static void expect_quick_end(struct run *run, double seconds)
{
	double began = now();
	struct run_result result = run_finish(run);
	double taken = now() - began;
	cr_expect_eq(result.exit_code, 130, "exit code %d, signal %d", result.exit_code, result.signal);
	cr_expect_eq(strncmp(result.err, "coordinator: interrupted", 24), 0, "%s", result.err);
	cr_expect(taken < seconds, "it took %g s", taken);
	cr_expect_eq(result.survivors, 0);
	run_result_release(&result);
}

Test(interrupt, may_come_twice_at_once)
{
	long_run_prepare();
	struct run *run = long_run_start("workers=3");
	run_signal(run, SIGINT);
	run_signal(run, SIGINT);
	expect_quick_end(run, 4);
}

/* Until a stopped worker owes an answer, or a signal has been taken. */
static void pause_for_a_round(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
}

Test(interrupt, by_a_second_signal_does_not_wait_for_a_stopped_worker)
{
	long_run_prepare();
	struct run *run = long_run_start("workers=3");
	cr_assert_eq(kill(long_run_pid(2), SIGSTOP), 0);
	run_signal(run, SIGINT);
	pause_for_a_round();
	run_signal(run, SIGINT);
	expect_quick_end(run, 4);
	cr_expect_not(file_exists(workspace_path("model")));
}

Test(interrupt, waits_some_seconds_for_a_stopped_worker_and_no_longer)
{
	long_run_prepare();
	struct run *run = long_run_start("workers=3");
	cr_assert_eq(kill(long_run_pid(2), SIGSTOP), 0);
	pause_for_a_round();
	run_signal(run, SIGINT);
	expect_quick_end(run, 10);
	cr_expect_not(file_exists(workspace_path("model")));
}

Test(interrupt, while_loading_leaves_nothing)
{
	struct run *run = long_load_start();
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130, "exit code %d", result.exit_code);
	cr_expect_str_eq(result.err, "coordinator: interrupted\n");
	cr_expect_str_eq(result.out, "");
	cr_expect_eq(result.survivors, 0);
	char *files = workspace_files();
	cr_expect_str_eq(files, "events run.json x.csv");
	free(files);
	run_result_release(&result);
}
