#include "tests/end_to_end/outside_run.h"

#include "tests/end_to_end/allocation_report.h"
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/outside_verdict.h"
#include "tests/end_to_end/system_calls.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Two for a CPU or so: some wait for the disk, some for deadlines. */
enum { LANES = 4, ARGUMENTS_MAX = 24, FORMATS = 2, COMMANDS = OUTSIDE_CAMPAIGN + 1 };

struct lane {
	char *directory;
	struct run *under_way; /* NULL: the lane is free */
	struct outside_run run;
	enum outside_verdict verdict;
};

static struct lane lanes[LANES];
static size_t next_lane;
static size_t struck;
static bool missed;

/* What an undisturbed run prints, and the checkpoint after the second epoch; made when they are needed. */
static char *references[COMMANDS][FORMATS];
static char *checkpoints[FORMATS];

static const char *const data_names[FORMATS] = {"d.csv", "d.npy"};

static void write_in(const struct lane *lane, const char *name, const char *text)
{
	char *path = path_join(lane->directory, name);
	file_write(path, text);
	free(path);
}

static void write_data(const struct lane *lane)
{
	struct table table = table_new(12, 1, 0.5, 7);
	char *csv = path_join(lane->directory, data_names[OUTSIDE_CSV]);
	char *npy = path_join(lane->directory, data_names[OUTSIDE_NPY]);
	table_write_csv(&table, csv, (struct csv_style){0});
	table_write_npy(&table, npy, (struct npy_style){0});
	table_release(&table);
	free(csv);
	free(npy);
}

void outside_enter(void)
{
	coordinator_path(); /* as long as a relative one is right */
	for (size_t i = 0; i < LANES; i++) {
		lanes[i] = (struct lane){.directory = directory_new()};
		write_data(&lanes[i]);
		/* Deadlines are short and restarts few, so that what fails for ever is soon told. */
		write_in(&lanes[i], "run.json",
		        "{ \"dataset\": { \"path\": \"d.csv\" }, \"training\": { \"epochs\": 3, \"tolerance\": 0 },\n"
		        "  \"recovery\": { \"max_restarts\": 2, \"worker_timeout_s\": 0.3 },\n"
		        "  \"checkpoint\": { \"path\": \"state\", \"every_epochs\": 1 },\n"
		        "  \"output\": { \"model\": \"model.json\", \"events\": \"events.jsonl\" } }\n");
	}
}

void outside_leave(void)
{
	for (size_t i = 0; i < LANES; i++) {
		directory_remove(lanes[i].directory);
		free(lanes[i].directory);
	}
	for (size_t format = 0; format < FORMATS; format++) {
		for (size_t command = 0; command < COMMANDS; command++)
			free(references[command][format]);
		free(checkpoints[format]);
	}
}

bool outside_can(enum outside_means means)
{
	return means == OUTSIDE_SYSTEM_CALL ? system_calls_are_visible() : !HARNESS_SANITIZED;
}

/* Texts of one command line; numbers are kept in it. */
struct arguments {
	const char *list[ARGUMENTS_MAX];
	size_t count;
	char numbers[6][32];
	size_t number_count;
};

static void add(struct arguments *arguments, const char *text)
{
	cr_assert(arguments->count < ARGUMENTS_MAX - 1);
	arguments->list[arguments->count++] = text;
}

static void add_number(struct arguments *arguments, const char *format, long number)
{
	char *text = arguments->numbers[arguments->number_count++];
	/* The formats stand in this file. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof arguments->numbers[0], format, number);
#pragma GCC diagnostic pop
	add(arguments, text);
}

/* Then the result must be identical: no worker may be replaced because the machine is busy. */
static bool is_deadly(const struct outside_strike *strike)
{
	return strike->means == OUTSIDE_SYSTEM_CALL && strike->failure == 0;
}

static void add_program(struct arguments *arguments, const struct outside_run *run)
{
	add(arguments, coordinator_path());
	if (run->command == OUTSIDE_CAMPAIGN)
		add(arguments, "campaign");
	add(arguments, "--config");
	add(arguments, "run.json");
	if (run->format == OUTSIDE_NPY) {
		add(arguments, "--set");
		add(arguments, "dataset.path=d.npy");
	}
	add(arguments, "--set");
	add_number(arguments, "workers=%ld", run->workers);
	if (is_deadly(&run->strike)) {
		add(arguments, "--set");
		add(arguments, "recovery.worker_timeout_s=20");
	}
	if (run->command == OUTSIDE_CHECK) {
		add(arguments, "--check");
		return;
	}
	add(arguments, "--json");
	add(arguments, "--quiet");
	if (run->command == OUTSIDE_RESUME)
		add(arguments, "--resume");
	if (run->command == OUTSIDE_CAMPAIGN) {
		add(arguments, "--runs");
		add(arguments, "2");
		add(arguments, "--set");
		add(arguments, "faults=[{\"kind\":\"kill\",\"worker\":0,\"epoch\":2}]");
	}
}

/* The driver's words, see call_driver_linux.c. */
static void add_driver(struct arguments *arguments, const char *driver, const struct outside_strike *strike)
{
	add(arguments, driver);
	add(arguments, "report");
	add_number(arguments, "%ld", strike->process);
	add_number(arguments, "%ld", strike->call);
	add_number(arguments, "%ld", strike->from);
	add_number(arguments, "%ld", strike->times);
	if (strike->failure == 0)
		add(arguments, "kill");
	else
		add_number(arguments, "%ld", strike->failure);
}

static struct run *start_in(const struct lane *lane, const struct outside_run *run)
{
	const struct outside_strike *strike = &run->strike;
	struct arguments arguments = {.count = 0};
	char plan[96], *driver = coordinator_test_path("call_driver"),
	               *preload = coordinator_preload("allocation_shim.so");
	snprintf(plan, sizeof plan, "FORKFIT_ALLOCATIONS=%u %u %u", strike->process, strike->from, strike->times);
	/* What a campaign leaves is looked for where it ran. */
	const char *environment[] = {"LSAN_OPTIONS=detect_leaks=0", "ASAN_OPTIONS=detect_leaks=0", "TMPDIR=.", preload,
	        plan, "FORKFIT_ALLOCATIONS_REPORT=report", NULL};
	if (strike->means == OUTSIDE_SYSTEM_CALL) {
		environment[3] = NULL;
		add_driver(&arguments, driver, strike);
	} else {
		char *report = path_join(lane->directory, "report");
		bytes_write(report, &(struct allocation_report){0}, sizeof(struct allocation_report));
		free(report);
	}
	add_program(&arguments, run);
	struct run_options options = {.directory = lane->directory, .environment = environment, .timeout_s = 30};
	struct run *started = run_start(arguments.list, &options);
	free(preload);
	free(driver);
	return started;
}

static struct outside_report read_report(const struct lane *lane)
{
	struct outside_report report = {.struck_call = -1, .struck_descriptor = -1};
	size_t length;
	char *path = path_join(lane->directory, "report"), *text = file_read(path, &length), *rest = NULL;
	if (lane->run.strike.means == OUTSIDE_ALLOCATION) {
		struct allocation_report allocations;
		cr_assert_eq(length, sizeof allocations);
		memcpy(&allocations, text, sizeof allocations);
		report.fired = allocations.failed;
		report.seen = allocations.seen;
	} else {
		for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
			char word[32];
			long first = 0, second = 0;
			cr_assert(sscanf(line, "%31s %ld %ld", word, &first, &second) >= 2, "%s", line);
			if (strcmp(word, "fired") == 0)
				report.fired = (unsigned long)first;
			else if (strcmp(word, "struck_call") == 0)
				report.struck_call = first;
			else if (strcmp(word, "struck_descriptor") == 0)
				report.struck_descriptor = first;
			else if (strcmp(word, "end_us") == 0)
				report.end_s = (double)first * 1e-6;
			else if (strcmp(word, "unattended") == 0)
				report.unattended = (unsigned long)first;
			else if (strcmp(word, "left") == 0)
				report.left = (unsigned long)first;
			else if (strcmp(word, "call") == 0)
				report.calls[first] = (unsigned long)second;
		}
	}
	free(text);
	free(path);
	return report;
}

/* Removes what a run has written. */
static void clean(const struct lane *lane)
{
	static const char *const names[] = {"model.json", "model.json.forkfit-draft", "state", "state.previous",
	        "state.forkfit-draft", "events.jsonl", "report"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		char *path = path_join(lane->directory, names[i]);
		remove(path);
		free(path);
	}
}

/* With nothing under way, in the first lane. */
static char *output_of(const struct outside_run *run, struct outside_report *report)
{
	struct lane *lane = &lanes[0];
	struct outside_run undisturbed = *run;
	cr_assert(lane->under_way == NULL);
	undisturbed.strike.from = 0;
	lane->run = undisturbed;
	struct run_result result = run_finish(start_in(lane, &undisturbed));
	cr_assert_eq(result.exit_code, 0, "exit code %d: %s", result.exit_code, result.err);
	*report = read_report(lane);
	char *output = strdup(result.out);
	run_result_release(&result);
	return output;
}

static const char *reference_of(const struct outside_run *run)
{
	/* A resumed run ends as one that has not been stopped. */
	enum outside_command command = run->command == OUTSIDE_RESUME ? OUTSIDE_TRAIN : run->command;
	char **reference = &references[command][run->format];
	if (*reference == NULL) {
		struct outside_run plain = *run;
		struct outside_report report;
		outside_finish();
		clean(&lanes[0]);
		plain.command = command;
		*reference = output_of(&plain, &report);
	}
	return *reference;
}

/* Gives the lane a checkpoint to go on from: that before the last. */
static void put_checkpoint(const struct lane *lane, const struct outside_run *run)
{
	char **checkpoint = &checkpoints[run->format];
	if (*checkpoint == NULL) {
		struct outside_run plain = *run;
		struct outside_report report;
		outside_finish();
		clean(&lanes[0]);
		plain.command = OUTSIDE_TRAIN;
		free(output_of(&plain, &report));
		char *path = path_join(lanes[0].directory, "state.previous");
		*checkpoint = file_read(path, NULL);
		free(path);
	}
	clean(lane);
	write_in(lane, "state", *checkpoint);
}

static void prepare(const struct lane *lane, const struct outside_run *run)
{
	clean(lane);
	if (run->command == OUTSIDE_RESUME)
		put_checkpoint(lane, run);
}

struct outside_report outside_undisturbed(const struct outside_run *run)
{
	struct outside_report report;
	outside_finish();
	prepare(&lanes[0], run);
	free(output_of(run, &report));
	return report;
}

/* The coordinator was killed: what does it come to when it goes on? */
static void go_on(struct lane *lane, struct outside_ending *ending)
{
	struct outside_run next = lane->run;
	next.command = OUTSIDE_RESUME;
	next.strike = (struct outside_strike){.means = OUTSIDE_SYSTEM_CALL};
	struct run_result result = run_finish(start_in(lane, &next));
	ending->result = &result;
	ending->report = read_report(lane);
	outside_judge(ending, OUTSIDE_IDENTICAL);
	run_result_release(&result);
}

/* Waits for the lane's run, and judges it. */
static void finish(struct lane *lane)
{
	if (lane->under_way == NULL)
		return;
	struct run_result result = run_finish(lane->under_way);
	lane->under_way = NULL;
	struct outside_ending ending = {
	        .run = &lane->run,
	        .result = &result,
	        .report = read_report(lane),
	        .directory = lane->directory,
	        .reference = reference_of(&lane->run),
	};
	struck += ending.report.fired > 0;
	missed = missed || ending.report.fired == 0;
	bool killed = lane->verdict == OUTSIDE_KILLED && ending.report.fired > 0;
	/* Who came to the end before it could be killed has succeeded. */
	outside_judge(&ending, lane->verdict == OUTSIDE_KILLED && !killed ? OUTSIDE_IDENTICAL : lane->verdict);
	run_result_release(&result);
	if (killed)
		go_on(lane, &ending);
}

void outside_start(const struct outside_run *run, enum outside_verdict verdict)
{
	struct lane *lane = &lanes[next_lane];
	reference_of(run);
	finish(lane);
	prepare(lane, run);
	lane->run = *run;
	lane->verdict = verdict;
	lane->under_way = start_in(lane, run);
	next_lane = (next_lane + 1) % LANES;
}

size_t outside_finish(void)
{
	for (size_t i = 0; i < LANES; i++)
		finish(&lanes[i]);
	size_t count = struck;
	struck = 0;
	missed = false;
	return count;
}

bool outside_missed(void)
{
	return missed;
}
