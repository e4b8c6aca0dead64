/*
 * Workers are killed and stopped from outside while a run goes on; what its policy survives leaves no trace in the
 * result: the same bytes on standard output, and the same loss in every epoch, as without a fault.
 */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 3, EPOCHS = 300 };

TestSuite(recovery, .init = workspace_open, .fini = workspace_close, .timeout = 120);

static void prepare(const char *recovery)
{
	struct table table = table_new(20000, 9, 0.5, 1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){.repeat = 10});
	table_release(&table);
	workspace_configure("{\"dataset\": {\"path\": \"x.npy\"}, \"workers\": %d, \"training\": {\"epochs\": %d, "
	                    "\"tolerance\": 0}, \"recovery\": {%s}, \"output\": {\"events\": \"events\"}}",
	        WORKERS, EPOCHS, recovery);
}

/* Starts with an event log of its own. A SIGSEGV that a test sends is nothing that AddressSanitizer should report. */
static struct run *start(void)
{
	static char sanitizer[1024];
	static const char *const environment[] = {sanitizer, NULL};
	const char *given = getenv("ASAN_OPTIONS");
	struct run_options options = {.environment = environment};
	snprintf(sanitizer, sizeof sanitizer, "ASAN_OPTIONS=%s:handle_segv=0", given != NULL ? given : "");
	unlink(workspace_path("events"));
	return workspace_start(TRAINING("--json", "--quiet"), &options);
}

/* The pid of the worker that was forked last, as the log has it. */
static pid_t last_pid(void)
{
	json_t *forks = events_read(workspace_path("events"), "worker_forked");
	json_t *event = json_array_get(forks, json_array_size(forks) - 1);
	pid_t pid = (pid_t)json_integer_value(json_object_get(event, "pid"));
	json_decref(forks);
	return pid;
}

static size_t count_events(const char *type)
{
	json_t *events = events_read(workspace_path("events"), type);
	size_t count = json_array_size(events);
	json_decref(events);
	return count;
}

struct outcome {
	char *out;
	char *losses;
	int exit_code;
	size_t lost;
};

static void outcome_release(struct outcome *outcome)
{
	free(outcome->out);
	free(outcome->losses);
}

/* Runs to the end, with so many blows of a signal to the worker forked last, each at work when it comes. */
static struct outcome run_with(int signal, size_t blows)
{
	struct run *run = start();
	for (size_t blow = 0; blow < blows; blow++) {
		cr_assert(events_wait(workspace_path("events"), "epoch_done", 5 + 10 * blow, 60));
		cr_assert(events_wait(workspace_path("events"), "worker_replaced", blow, 60) || blow == 0);
		cr_assert_eq(kill(last_pid(), signal), 0);
	}
	struct run_result result = run_finish(run);
	cr_expect_eq(result.survivors, 0);
	struct outcome outcome = {
	        .out = strdup(result.out),
	        .losses = events_losses(workspace_path("events")),
	        .exit_code = result.exit_code,
	        .lost = count_events("worker_lost"),
	};
	run_result_release(&result);
	return outcome;
}

struct fault {
	int signal;
	size_t blows;
	char recovery[120];
};

ParameterizedTestParameters(recovery, leaves_no_trace_in_the_result)
{
	static struct fault faults[] = {
	        {SIGKILL, 5, "\"max_restarts\": 100"},
	        {SIGSEGV, 3, "\"max_restarts\": 100"},
	        {SIGTERM, 2, "\"policy\": \"respawn\""},
	        {SIGSTOP, 2, "\"worker_timeout_s\": 0.3"},
	        {SIGKILL, 1, "\"policy\": \"redistribute\""},
	        {SIGSTOP, 1, "\"policy\": \"redistribute\", \"worker_timeout_s\": 0.3"},
	        {SIGKILL, 3, "\"replicas\": 2"},
	        {SIGKILL, 3, "\"replicas\": 3"},
	        {SIGSTOP, 1, "\"backup_after\": 20, \"worker_timeout_s\": 60"},
	};
	return cr_make_param_array(struct fault, faults, sizeof faults / sizeof faults[0]);
}

ParameterizedTest(struct fault *fault, recovery, leaves_no_trace_in_the_result)
{
	prepare(fault->recovery);
	struct outcome whole = run_with(0, 0);
	struct outcome struck = run_with(fault->signal, fault->blows);
	cr_expect_eq(whole.exit_code, 0);
	cr_expect_eq(struck.exit_code, 0);
	cr_expect_geq(struck.lost, fault->blows);
	cr_expect_str_eq(struck.out, whole.out);
	cr_expect_str_eq(struck.losses, whole.losses);
	outcome_release(&whole);
	outcome_release(&struck);
}

/* Catches the mutation one_restart_too_many. */
Test(recovery, gives_up_after_more_restarts_than_are_allowed)
{
	prepare("\"max_restarts\": 2");
	struct run *run = start();
	for (size_t blow = 0; blow < 3; blow++) {
		cr_assert(events_wait(workspace_path("events"), "worker_replaced", blow, 60) || blow == 0);
		cr_assert(events_wait(workspace_path("events"), "epoch_done", 5, 60));
		cr_assert_eq(kill(last_pid(), SIGKILL), 0);
	}
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 4);
	cr_expect_eq(result.survivors, 0);
	cr_expect_str_eq(result.out, "");
	cr_expect(strstr(result.err, "that is more than 2 restarts in 10 s") != NULL, "%s", result.err);
	run_result_release(&result);
}

Test(recovery, goes_on_without_rows_only_where_that_is_said_to_be_a_success)
{
	static const char *const recoveries[] = {
	        "\"policy\": \"drop\"",
	        "\"policy\": \"drop\", \"allow_degraded\": true",
	};
	for (int allowed = 0; allowed < 2; allowed++) {
		prepare(recoveries[allowed]);
		struct run *run = start();
		cr_assert(events_wait(workspace_path("events"), "epoch_done", 5, 60));
		cr_assert_eq(kill(last_pid(), SIGKILL), 0);
		struct run_result result = run_finish(run);
		json_t *model = json_loads(result.out, 0, NULL);
		json_int_t lost = json_integer_value(json_object_get(json_object_get(model, "degraded"), "rows_lost"));
		json_int_t rows = json_integer_value(json_object_get(json_object_get(model, "metrics"), "rows"));
		cr_expect_eq(result.exit_code, allowed ? 0 : 4);
		cr_expect(lost > 0 && lost + rows == 200000, "%d rows and %d lost", (int)rows, (int)lost);
		json_decref(model);
		run_result_release(&result);
	}
}

/*
 * Nine workers of ten are lost while the bounds for the step are gathered, and the tenth's rows vary most: their
 * Hessian has ten times the trace that all rows had.
 */
Test(recovery, takes_a_step_that_is_stable_for_the_rows_that_are_left)
{
	struct table table = table_new(5000, 4, 0.5, 1);
	for (size_t i = 0; i < table.rows; i++)
		for (size_t j = 0; j < table.features; j++)
			*table_at(&table, i, j) = (i < 500 ? 1 : 1e-3) * (i % 2 == 0 ? 1 : -1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	table_release(&table);
	for (int skipped = 2; skipped < 4; skipped++) {
		char faults[1024] = "";
		for (int worker = 1; worker < 10; worker++)
			sprintf(faults + strlen(faults), "%s{\"kind\": \"kill\", \"worker\": %d, \"skip\": %d}",
			        worker > 1 ? ", " : "", worker, skipped);
		workspace_configure("{\"dataset\": {\"path\": \"x.npy\"}, \"workers\": 10, "
		                    "\"recovery\": {\"policy\": \"drop\", \"allow_degraded\": true}, "
		                    "\"faults\": [%s]}",
		        faults);
		struct run_result result = workspace_run(TRAINING("--json"), NULL);
		json_t *model = model_of(&result);
		cr_expect_gt(json_number_at(model, "degraded.rows_lost"), 4400);
		cr_expect_str_eq(json_string_at(model, "training.stop_reason"), "tolerance");
		json_decref(model);
		run_result_release(&result);
	}
}
