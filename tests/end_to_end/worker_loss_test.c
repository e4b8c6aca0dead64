/* A worker that is lost ends the run by its name, and nothing of the run is left but its event log. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/long_run.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { VICTIM = 1 };

TestSuite(worker_loss, .init = workspace_open, .fini = workspace_close, .timeout = 120);

struct blow {
	int signal;
	char fate[40]; /* what is said to have happened … */
	char end[40];  /* … and how that sentence ends, before the epoch */
	char cause[16];
	int last_signal; /* that the worker died of */
};

ParameterizedTestParameters(worker_loss, ends_the_run_by_worker_pid_rows_epoch_and_signal)
{
	static struct blow blows[] = {
	        {SIGKILL, "was killed by SIGKILL", "", "death", SIGKILL},
	        {SIGSEGV, "was killed by SIGSEGV", "", "death", SIGSEGV},
	        {SIGTERM, "was killed by SIGTERM", "", "death", SIGTERM},
	        {SIGSTOP, "did not answer within ", " s and was ended with SIGKILL", "deadline", SIGKILL},
	};
	return cr_make_param_array(struct blow, blows, sizeof blows / sizeof blows[0]);
}

/* What has to be known before the run ends, to say what it must tell. */
struct victim {
	pid_t pid;
	size_t first_row;
	size_t last_row;
};

static struct victim find_victim(void)
{
	struct victim victim = {.pid = long_run_pid(VICTIM)};
	json_t *loads = events_read(workspace_path("events"), "worker_ready");
	for (size_t i = 0; i < LONG_RUN_WORKERS; i++) {
		json_t *load = json_array_get(loads, i);
		size_t rows = (size_t)json_number_at(load, "rows");
		size_t worker = (size_t)json_number_at(load, "worker");
		victim.first_row += worker < VICTIM ? rows : 0;
		victim.last_row += worker <= VICTIM ? rows : 0;
	}
	victim.last_row--;
	json_decref(loads);
	return victim;
}

static void expect_event(const struct blow *blow, const struct victim *victim, const char *text, unsigned epoch)
{
	json_t *losses = events_read(workspace_path("events"), "worker_lost");
	json_t *ends = events_read(workspace_path("events"), "run_ended");
	cr_assert_eq(json_array_size(losses), 1);
	cr_assert_eq(json_array_size(ends), 1);
	json_t *loss = json_array_get(losses, 0);
	json_t *end = json_array_get(ends, 0);
	cr_expect_eq(json_number_at(loss, "worker"), VICTIM);
	cr_expect_eq(json_number_at(loss, "pid"), victim->pid);
	cr_expect_eq(json_number_at(loss, "epoch"), epoch);
	cr_expect_eq(json_number_at(loss, "signal"), blow->last_signal);
	cr_expect_str_eq(json_string_at(loss, "cause"), blow->cause);
	cr_expect_str_eq(json_string_at(loss, "text"), text);
	cr_expect_eq(json_number_at(end, "exit_code"), 4);
	cr_expect_eq(json_number_at(end, "epochs"), epoch - 1);
	json_decref(losses);
	json_decref(ends);
}

ParameterizedTest(struct blow *blow, worker_loss, ends_the_run_by_worker_pid_rows_epoch_and_signal)
{
	char expected[256];
	unsigned epoch = 0;
	int length = 0;
	long_run_prepare();
	struct run *run = long_run_start("recovery.worker_timeout_s=1");
	struct victim victim = find_victim();
	cr_assert_eq(kill(victim.pid, blow->signal), 0);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 4, "exit code %d, signal %d", result.exit_code, result.signal);
	cr_expect_eq(result.survivors, 0);
	cr_expect_str_eq(result.out, "");
	snprintf(expected, sizeof expected, "coordinator: worker %d (pid %d, rows %zu to %zu) %s", VICTIM,
	        (int)victim.pid, victim.first_row, victim.last_row, blow->fate);
	cr_assert(strncmp(result.err, expected, strlen(expected)) == 0, "%s\nis not\n%s …", result.err, expected);
	const char *end = strstr(result.err, " in epoch ");
	cr_assert(end != NULL && sscanf(end, " in epoch %u%n", &epoch, &length) == 1, "%s", result.err);
	cr_expect_str_eq(end + length, "\n", "%s", result.err);
	cr_expect(strlen(blow->end) == 0 || strncmp(end - strlen(blow->end), blow->end, strlen(blow->end)) == 0, "%s",
	        result.err);
	cr_expect(epoch > 5, "epoch %u", epoch);
	*strchr(result.err, '\n') = '\0';
	expect_event(blow, &victim, result.err + strlen("coordinator: "), epoch);
	char *files = workspace_files();
	cr_expect_str_eq(files, "events run.json x.npy");
	free(files);
	run_result_release(&result);
}

Test(worker_loss, while_loading_is_told_by_the_bytes_of_the_chunk)
{
	char expected[256];
	static const char header[] = "x0,x1,x2,x3,x4,x5,x6,x7,x8,y\n";
	struct stat dataset;
	struct run *run = long_load_start();
	pid_t pid = long_run_pid(0);
	cr_assert_eq(kill(pid, SIGKILL), 0);
	struct run_result result = run_finish(run);
	cr_assert_eq(stat(workspace_path("x.csv"), &dataset), 0);
	snprintf(expected, sizeof expected,
	        "coordinator: worker 0 (pid %d, bytes %zu to %jd) was killed by SIGKILL before the first epoch\n",
	        (int)pid, strlen(header), (intmax_t)dataset.st_size - 1);
	cr_expect_eq(result.exit_code, 4, "exit code %d", result.exit_code);
	cr_expect_eq(result.survivors, 0);
	cr_expect_str_eq(result.err, expected);
	char *files = workspace_files();
	cr_expect_str_eq(files, "events run.json x.csv");
	free(files);
	run_result_release(&result);
}

struct poison {
	char file[8];
	char site[12];
	char place[64]; /* as the message has it */
};

/* Rows of a CSV are known when all have loaded; those of an array lie in one piece in C order only. */
ParameterizedTestParameters(worker_loss, by_rows_that_end_every_worker_is_told_by_their_place_in_the_file)
{
	static struct poison places[] = {
	        {"x.csv", "load", "bytes 12 to 29 of x.csv"},
	        {"x.csv", "compute", "rows 2 to 5 (bytes 12 to 29) of x.csv"},
	        {"c.npy", "load", "rows 3 to 5 (bytes 176 to 223) of c.npy"},
	        {"f.npy", "compute", "rows 3 to 5 of f.npy"},
	};
	return cr_make_param_array(struct poison, places, sizeof places / sizeof places[0]);
}

ParameterizedTest(struct poison *poison, worker_loss, by_rows_that_end_every_worker_is_told_by_their_place_in_the_file)
{
	char expected[192], faults[96];
	struct table table = table_new(6, 1, 0.5, 1);
	file_write(workspace_path("x.csv"), "x,y\n1,3\n2,4\n3,5\n4,67\n5,8\n6,10\n");
	table_write_npy(&table, workspace_path("c.npy"), (struct npy_style){0});
	table_write_npy(&table, workspace_path("f.npy"), (struct npy_style){.fortran = true});
	table_release(&table);
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"workers\": 2, \"recovery\": {\"max_restarts\": 99}}",
	        poison->file);
	snprintf(faults, sizeof faults, "faults=[{\"kind\": \"crash_loop\", \"worker\": 1, \"site\": \"%s\"}]",
	        poison->site);
	snprintf(expected, sizeof expected,
	        "coordinator: %s ended every worker that touched them, 8 in a row: was killed by", poison->place);
	struct run_result result = workspace_run(TRAINING("--quiet", "--set", faults), NULL);
	cr_expect_eq(result.exit_code, 4, "exit code %d", result.exit_code);
	cr_expect_eq(strncmp(result.err, expected, strlen(expected)), 0, "%s\nbut expected: %s", result.err, expected);
	run_result_release(&result);
}
