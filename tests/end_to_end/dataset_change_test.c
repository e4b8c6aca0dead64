/* A dataset's file that changes under a run is told as what it is, once: with status 65, or 66 where it is gone. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/inspection_linux.h"
#include "tests/end_to_end/long_run.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(dataset_change, .init = workspace_open, .fini = workspace_close, .timeout = 120);

Test(dataset_change, is_noticed_when_the_file_is_cut_short_during_the_run)
{
	static const char words[] = "coordinator: x.npy: the file was cut short during the run; worker ";
	unsigned worker, epoch;
	int pid, length = 0;
	size_t first, last;
	long_run_prepare();
	struct run *run = long_run_start("workers=3");
	cr_assert_eq(truncate(workspace_path("x.npy"), 4096), 0);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 65, "exit code %d, signal %d", result.exit_code, result.signal);
	cr_expect_eq(result.survivors, 0);
	cr_assert_eq(strncmp(result.err, words, strlen(words)), 0, "%s", result.err);
	sscanf(result.err + strlen(words), "%u (pid %d, rows %zu to %zu) was killed by SIGBUS%n", &worker, &pid, &first,
	        &last, &length);
	cr_assert_gt(length, 0, "%s", result.err);
	/* Between the two, a worker that could still speak says where it read. */
	const char *end = strstr(result.err, " in epoch ");
	cr_assert(end != NULL && sscanf(end, " in epoch %u\n%n", &epoch, &length) == 1, "%s", result.err);
	cr_expect_eq(end[length], '\0', "%s", result.err);
	char *files = workspace_files();
	cr_expect_str_eq(files, "events run.json x.npy");
	free(files);
	run_result_release(&result);
}

static void write_small(const char *name, uint64_t seed)
{
	struct table table = table_new(100, 2, 0.5, seed);
	table_write_npy(&table, workspace_path(name), (struct npy_style){0});
	table_release(&table);
}

/* What a replacement that is forked after the change meets; the worker is killed for that. */
struct later_change {
	const char *name;
	void (*make)(void);
	int exit_code;
	const char *words;
};

static void remove_file(void)
{
	cr_assert_eq(unlink(workspace_path("x.npy")), 0);
}

static void move_file(void)
{
	cr_assert_eq(rename(workspace_path("x.npy"), workspace_path("y.npy")), 0);
}

static void cut_file(void)
{
	cr_assert_eq(truncate(workspace_path("x.npy"), 4096), 0);
}

static void put_file_in_its_place(void)
{
	write_small("other", 2);
	cr_assert_eq(rename(workspace_path("other"), workspace_path("x.npy")), 0);
}

/* One number is another, and the length what it was. */
static void write_to_file(void)
{
	static const double number = 3;
	int file = open(workspace_path("x.npy"), O_WRONLY);
	cr_assert_eq(pwrite(file, &number, sizeof number, 4096), sizeof number);
	close(file);
}

static const struct later_change later_changes[] = {
        {"removed", remove_file, 66, "x.npy: the file cannot be opened any more; worker 1 (pid "},
        {"moved", move_file, 66, "x.npy: the file cannot be opened any more; worker 1 (pid "},
        {"cut short", cut_file, 65, "x.npy: the file was cut short during the run; worker "},
        {"replaced", put_file_in_its_place, 65, "x.npy: the file was changed or replaced after the run had started"},
        {"written to", write_to_file, 65, "x.npy: the file was changed or replaced after the run had started"},
};
enum { LATER_CHANGES = sizeof later_changes / sizeof *later_changes };

/* Their places: a parameter is copied to another process, in which functions are elsewhere. */
ParameterizedTestParameters(dataset_change, is_noticed_when_a_replacement_needs_the_file)
{
	static size_t places[LATER_CHANGES];
	for (size_t i = 0; i < LATER_CHANGES; i++)
		places[i] = i;
	return cr_make_param_array(size_t, places, LATER_CHANGES);
}

ParameterizedTest(size_t *place, dataset_change, is_noticed_when_a_replacement_needs_the_file)
{
	const struct later_change *change = &later_changes[*place];
	long_run_prepare();
	struct run *run = long_run_start("recovery.policy=respawn");
	change->make();
	kill(long_run_pid(1), SIGKILL);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, change->exit_code, "%s: exit code %d", change->name, result.exit_code);
	cr_expect(strncmp(result.err, "coordinator: ", 13) == 0 &&
	                  strncmp(result.err + 13, change->words, strlen(change->words)) == 0,
	        "%s: %s", change->name, result.err);
	cr_expect_str_eq(result.out, "");
	cr_expect_eq(result.survivors, 0);
	cr_expect(!file_exists(workspace_path("model")));
	run_result_release(&result);
}

static void expect_change_told(const struct run_result *result)
{
	cr_expect_eq(result->exit_code, 65, "exit code %d", result->exit_code);
	cr_expect_str_eq(result->err, "coordinator: x.npy: the file was changed during the run: its size or the "
	                              "time of its last change is another\n");
}

/* Nobody has died; but who reads the file in place has calculated with numbers of two states of it. */
Test(dataset_change, is_noticed_at_the_end_where_nobody_needs_the_file_anew)
{
	long_run_prepare();
	struct run *run = long_run_start("checkpoint.path=state");
	write_to_file();
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	expect_change_told(&result);
	cr_expect_str_eq(result.out, "");
	char *files = workspace_files();
	cr_expect_str_eq(files, "events run.json x.npy");
	free(files);
	run_result_release(&result);
}

/* The last checkpoint that is left is one from before. */
Test(dataset_change, ends_the_run_where_a_checkpoint_is_due)
{
	long_run_prepare();
	struct run *run = long_run_start("checkpoint={\"path\": \"state\", \"every_epochs\": 20}");
	write_to_file();
	struct run_result result = run_finish(run);
	expect_change_told(&result);
	cr_expect(!file_exists(workspace_path("model")));
	run_result_release(&result);
}

/* Workers have the file open as long as they live: its name may go. */
Test(dataset_change, does_not_matter_where_only_the_name_is_gone)
{
	long_run_prepare();
	struct run *run = long_run_start("workers=2");
	remove_file();
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130, "exit code %d: %s", result.exit_code, result.err);
	cr_expect(file_exists(workspace_path("model")));
	run_result_release(&result);
}

struct awaited_file {
	pid_t pid;
	const char *path;
};

static bool has_file_open(void *context)
{
	const struct awaited_file *awaited = context;
	struct open_descriptor found[64];
	size_t count = process_descriptors(awaited->pid, found, 64);
	for (size_t i = 0; i < count && i < 64; i++)
		if (strcmp(found[i].target, awaited->path) == 0)
			return true;
	return false;
}

struct change {
	char name[16];
	bool in_place; /* the same file with other bytes; else another file in its place */
};

ParameterizedTestParameters(dataset_change, is_noticed_between_the_header_and_the_rows)
{
	static struct change changes[] = {{"replaced", false}, {"rewritten", true}};
	return cr_make_param_array(struct change, changes, sizeof changes / sizeof changes[0]);
}

/* The event log is a named pipe, whose opening holds the program up when it has read the header and forked nobody. */
ParameterizedTest(struct change *change, dataset_change, is_noticed_between_the_header_and_the_rows)
{
	write_small("x.npy", 1);
	cr_assert_eq(mkfifo(workspace_path("events"), 0600), 0);
	workspace_configure("{\"dataset\": {\"path\": \"x.npy\"}, \"output\": {\"events\": \"events\"}}");
	struct run *run = workspace_start(TRAINING("--quiet"), NULL);
	struct awaited_file awaited = {run_pid(run), workspace_path("x.npy")};
	cr_assert(wait_until(has_file_open, &awaited, 30));
	write_small(change->in_place ? "x.npy" : "other", 2);
	if (!change->in_place)
		cr_assert_eq(rename(workspace_path("other"), workspace_path("x.npy")), 0);
	int events = open(workspace_path("events"), O_RDONLY);
	cr_assert(events >= 0);
	struct run_result result = run_finish(run);
	close(events);
	cr_expect_eq(result.exit_code, 65, "%s: exit code %d", change->name, result.exit_code);
	cr_expect_str_eq(
	        result.err, "coordinator: x.npy: the file was changed or replaced after the run had started\n");
	cr_expect_eq(result.survivors, 0);
	run_result_release(&result);
}
