/*
 * Thousands of workers are killed in one run, every one while it works on its second question, so that each question
 * kills all workers and is answered by their replacements. Nothing of that adds up: neither descriptors nor processes
 * nor memory, and the result is that of the run in which nobody dies. `make soak` does it a hundred thousand times.
 */
#include "tests/end_to_end/inspection_linux.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(many_kills, .init = workspace_open, .fini = workspace_close, .timeout = 110);
TestSuite(soak_many_kills, .init = workspace_open, .fini = workspace_close, .timeout = 3600);

enum {
	WORKERS = 2,
	OTHER_QUESTIONS = 5, /* means, moments, two for the step, metrics; the first question of a run kills nobody */
};

/* The times of max_restarts restarts are kept; so many do not come within a millisecond. */
static void prepare(unsigned kills)
{
	file_write(workspace_path("d.csv"), "x,y\n1,3.1\n2,5.2\n3,6.9\n4,9.1\n5,11.2\n6,12.8\n7,15.1\n8,17.0\n");
	workspace_configure(
	        "{ \"dataset\": { \"path\": \"d.csv\" }, \"workers\": %d,\n"
	        "  \"training\": { \"epochs\": %u, \"tolerance\": 0, \"standardize\": false,\n"
	        "    \"learning_rate\": 0.001 },\n"
	        "  \"recovery\": { \"max_restarts\": 100, \"restart_window_s\": 0.001, \"worker_timeout_s\": 60 },\n"
	        "  \"output\": { \"events\": \"events\" },\n"
	        "  \"faults\": [ { \"kind\": \"kill\", \"incarnation\": \"any\", \"skip\": 1 } ] }",
	        WORKERS, kills / WORKERS + 1 - OTHER_QUESTIONS);
}

/* What the coordinator holds at a moment. */
struct holdings {
	int highest_descriptor;
	size_t children; /* zombies included */
	long memory_kb;
};

/* False: it has ended. */
static bool look_at(pid_t pid, struct holdings *holdings)
{
	struct open_descriptor descriptors[64];
	struct process process;
	size_t count = process_descriptors(pid, descriptors, 64);
	holdings->children = processes_of_parent(pid, NULL, 0);
	/* Of its own: the ring of faults that it shares with the workers is touched page by page as it fills. */
	holdings->memory_kb = process_memory_kb(pid, "status", "RssAnon");
	if (count == 0 || count > 64 || holdings->memory_kb < 0)
		return false;
	holdings->highest_descriptor = descriptors[count - 1].number;
	return process_read(pid, &process) && process.state != 'Z';
}

static void raise_to(struct holdings *most, const struct holdings *now)
{
	if (now->highest_descriptor > most->highest_descriptor)
		most->highest_descriptor = now->highest_descriptor;
	if (now->children > most->children)
		most->children = now->children;
	if (now->memory_kb > most->memory_kb)
		most->memory_kb = now->memory_kb;
}

struct history {
	struct holdings *items;
	size_t count;
};

/* Looks again and again until the end. */
static struct history watch(pid_t pid)
{
	enum { LOOKS_MAX = 100000 };
	struct history history = {.items = calloc(LOOKS_MAX, sizeof *history.items)};
	while (history.count < LOOKS_MAX && look_at(pid, &history.items[history.count])) {
		history.count++;
		nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
	}
	return history;
}

/* The most of each in a part of the history. */
static struct holdings most_of(const struct history *history, size_t begin, size_t end)
{
	struct holdings most = {0};
	for (size_t i = begin; i < end; i++)
		raise_to(&most, &history->items[i]);
	return most;
}

/* A page or two come and go with the C library; a leak of a byte for each of the fewest kills would be more. */
enum { MEMORY_SLACK_KB = 64 };

static void expect_nothing_adds_up(const struct history *history)
{
	cr_assert_geq(history->count, 10, "the run was too short to be looked at");
	struct holdings early = most_of(history, 0, history->count / 3);
	struct holdings late = most_of(history, history->count / 3, history->count);
	/* Two for each worker; while one is replaced, the lowest that are free are taken again. */
	cr_expect_leq(late.highest_descriptor, early.highest_descriptor + 1, "descriptor %d, and early on up to %d",
	        late.highest_descriptor, early.highest_descriptor);
	cr_expect_leq(early.highest_descriptor, 3 + 4 * (WORKERS + 1));
	cr_expect_leq(late.children, WORKERS, "%zu children", late.children);
	if (HARNESS_SANITIZED)
		return; /* AddressSanitizer keeps what is freed for a while */
	cr_expect_leq(late.memory_kb, early.memory_kb + MEMORY_SLACK_KB, "%ld kB, and early on %ld kB", late.memory_kb,
	        early.memory_kb);
}

/* A log that may be larger than memory is read line by line. */
static size_t count_lines_with(const char *path, const char *text)
{
	char line[4096];
	size_t count = 0;
	FILE *file = fopen(path, "r");
	cr_assert_not_null(file);
	while (fgets(line, sizeof line, file) != NULL)
		count += strstr(line, text) != NULL;
	fclose(file);
	return count;
}

static void kill_so_many(unsigned kills, double patience_s)
{
	prepare(kills);
	struct run_result whole = workspace_run(TRAINING("--json", "--quiet", "--set", "faults=[]"), NULL);
	cr_assert_eq(whole.exit_code, 0, "%s", whole.err);
	struct run *run =
	        workspace_start(TRAINING("--json", "--quiet"), &(struct run_options){.timeout_s = patience_s});
	struct history history = watch(run_pid(run));
	struct run_result struck = run_finish(run);
	cr_expect_eq(struck.exit_code, 0, "exit code %d: %s", struck.exit_code, struck.err);
	cr_expect_str_eq(struck.out, whole.out);
	cr_expect_eq(struck.survivors, 0);
	expect_nothing_adds_up(&history);
	const char *events = workspace_path("events");
	cr_expect_eq(count_lines_with(events, "\"event\":\"fault_fired\""), kills);
	cr_expect_eq(count_lines_with(events, "\"event\":\"worker_lost\""), kills);
	cr_expect_eq(count_lines_with(events, "\"event\":\"worker_replaced\""), kills);
	cr_expect_eq(count_lines_with(events, "\"event\":\"worker_forked\""), kills + WORKERS);
	free(history.items);
	run_result_release(&whole);
	run_result_release(&struck);
}

Test(many_kills, of_two_thousand_nothing_is_left)
{
	kill_so_many(HARNESS_SANITIZED ? 400 : 2000, 100);
}

Test(soak_many_kills, of_a_hundred_thousand_nothing_is_left)
{
	kill_so_many(100000, 3500);
}
