/* Campaigns as their user sees them. */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

TestSuite(campaign, .timeout = 120);

/* A directory with a configuration in it, and an empty one that runs take for their temporary files. */
struct place {
	char *directory;
	char *temporary;
	char *variable; /* TMPDIR=… */
	const char *environment[2];
	struct run_options options;
};

static void place_init(struct place *place, const char *recovery, const char *rest)
{
	char *data = path_absolute("configs/data/cars.csv");
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	fprintf(out,
	        "{ \"dataset\": { \"path\": \"%s\", \"target\": \"dist\", \"features\": [\"speed\"] }, \"workers\": 3, "
	        "\"training\": { \"standardize\": false, \"learning_rate\": 0.003, \"epochs\": 20, \"tolerance\": 0 }, "
	        "\"recovery\": { %s }, %s \"output\": { \"model\": \"model.json\" } }",
	        data, recovery, rest);
	fclose(out);
	place->directory = directory_new();
	place->temporary = directory_new();
	size = strlen(place->temporary) + sizeof "TMPDIR=";
	place->variable = malloc(size);
	snprintf(place->variable, size, "TMPDIR=%s", place->temporary);
	place->environment[0] = place->variable;
	place->environment[1] = NULL;
	place->options = (struct run_options){
	        .directory = place->directory, .environment = place->environment, .timeout_s = 100};
	char *path = path_join(place->directory, "run.json");
	file_write(path, text);
	free(path);
	free(text);
	free(data);
}

static void place_release(struct place *place)
{
	directory_remove(place->directory);
	directory_remove(place->temporary);
	free(place->directory);
	free(place->temporary);
	free(place->variable);
}

static bool is_empty(const char *directory)
{
	char *snapshot = directory_snapshot(directory);
	bool empty = snapshot[0] == '\0';
	free(snapshot);
	return empty;
}

/* With replicas and chance it is a worker that ends a run; this is patience enough for a machine with other work. */
#define PATIENT "\"worker_timeout_s\": 0.3, \"max_restarts\": 10000"

#define CAMPAIGN(...) RUN_ARGV(coordinator_path(), "campaign", "--config", "run.json", __VA_ARGS__)

static double count_fired(json_t *report, const char *kind)
{
	size_t index;
	json_t *row;
	double fired = 0;
	json_array_foreach(json_at(report, "faults"), index, row)
	{
		if (strcmp(json_string_at(row, "kind"), kind) == 0)
			fired += json_number_at(row, "fired");
	}
	return fired;
}

static void assert_every_kind_fired(json_t *report)
{
	static const char *const kinds[] = {"kill", "segv", "bus", "abort", "exit", "stop", "spin", "slow",
	        "out_of_memory", "syscall", "crash_loop", "truncate", "short_writes", "flip", "garbage", "duplicate",
	        "stale", "wrong_worker", "oversized", "close", "deaf", "nan", "file_truncated", "fork_fails",
	        "no_descriptors", "no_space"};
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		cr_assert_gt(count_fired(report, kinds[i]), 0, "%s", kinds[i]);
}

/* One campaign and everything that is to be seen of it, because it takes its time. */
Test(campaign, survives_or_tells_every_kind_of_fault)
{
	struct place place;
	place_init(&place, PATIENT, "");
	struct run_result result = run_program(CAMPAIGN("--runs", "500", "--json"), &place.options);
	cr_assert_eq(result.exit_code, 0, "%s%s", result.out, result.err);
	json_t *report = json_from_text(result.out);
	double identical = json_number_at(report, "verdicts.identical");
	double clean_errors = json_number_at(report, "verdicts.clean_error");
	cr_assert_eq(json_number_at(report, "runs"), 500);
	cr_assert_eq(identical + clean_errors, 500);
	cr_assert_gt(identical, 350, "%s", result.out);
	cr_assert_gt(clean_errors, 0);
	assert_every_kind_fired(report);
	cr_assert_eq(result.survivors, 0);
	cr_assert(is_empty(place.temporary));
	char *failures = path_join(place.directory, "run.failures");
	cr_assert_not(file_exists(failures));
	free(failures);
	json_decref(report);
	run_result_release(&result);
	place_release(&place);
}

Test(campaign, resumes_what_was_ended_before_its_result)
{
	struct place place;
	place_init(&place, PATIENT, "\"checkpoint\": { \"path\": \"state\", \"every_epochs\": 7 },");
	struct run_result result = run_program(CAMPAIGN("--runs", "400", "--seed", "7", "--json"), &place.options);
	cr_assert_eq(result.exit_code, 0, "%s%s", result.out, result.err);
	json_t *report = json_from_text(result.out), *row;
	size_t index, sites = 0;
	json_array_foreach(json_at(report, "faults"), index, row)
	{
		sites += strncmp(json_string_at(row, "site"), "coordinator.checkpoint.", 23) == 0;
	}
	cr_expect_eq(sites, 5, "%s", result.out); /* kill at four, no_space at one */
	cr_expect_gt(json_number_at(report, "clean_errors.killed"), 10);
	cr_expect_eq(json_number_at(report, "resumed"), json_number_at(report, "verdicts.clean_error"));
	cr_expect(is_empty(place.temporary));
	char *state = path_join(place.directory, "state");
	cr_expect_not(file_exists(state));
	free(state);
	json_decref(report);
	run_result_release(&result);
	place_release(&place);
}

/* Kinds whose effect does not depend on who is faster; and a deadline that nobody misses. */
#define SETTLED                                                                                                    \
	"\"chaos\": { \"rate\": 0.01, \"kinds\": [\"kill\", \"segv\", \"exit\", \"slow\", \"flip\", \"garbage\", " \
	"\"oversized\", \"nan\"] },"

Test(campaign, gives_the_same_table_for_the_same_seed_with_any_number_of_jobs)
{
	struct place place;
	place_init(&place, "\"max_restarts\": 10000", SETTLED);
	struct run_result one = run_program(CAMPAIGN("--runs", "60", "--seed", "9", "--jobs", "1"), &place.options);
	struct run_result many = run_program(CAMPAIGN("--runs", "60", "--seed", "9", "--jobs", "7"), &place.options);
	struct run_result other = run_program(CAMPAIGN("--runs", "60", "--seed", "10"), &place.options);
	cr_assert_eq(one.exit_code, 0);
	cr_assert_str_eq(one.out, many.out);
	cr_assert_str_neq(one.out, other.out);
	run_result_release(&one);
	run_result_release(&many);
	run_result_release(&other);
	place_release(&place);
}

/* The first file in the directory with that ending, by its path, to be freed. */
static char *find_file(const char *directory, const char *ending)
{
	char *path = NULL;
	DIR *opened = opendir(directory);
	cr_assert_not_null(opened, "%s", directory);
	for (const struct dirent *entry; path == NULL && (entry = readdir(opened)) != NULL;) {
		size_t length = strlen(entry->d_name);
		if (length > strlen(ending) && strcmp(entry->d_name + length - strlen(ending), ending) == 0)
			path = path_join(directory, entry->d_name);
	}
	closedir(opened);
	cr_assert_not_null(path, "no %s in %s", ending, directory);
	return path;
}

#define LIES "\"chaos\": { \"rate\": 0.02, \"kinds\": [\"lie\"] },"

/* A single worker that lies cannot be found out: the campaign has to. */
Test(campaign, finds_wrong_results_and_writes_how_to_repeat_them)
{
	struct place place;
	place_init(&place, PATIENT, LIES);
	struct run_result right =
	        run_program(RUN_ARGV(coordinator_path(), "--config", "run.json", "--json", "--set", "chaos.rate=0"),
	                &place.options);
	struct run_result campaign = run_program(CAMPAIGN("--runs", "20", "--json"), &place.options);
	cr_assert_eq(campaign.exit_code, 5, "%s", campaign.err);
	json_t *report = json_from_text(campaign.out);
	cr_assert_gt(json_number_at(report, "verdicts.wrong"), 0);
	char *failures = path_join(place.directory, "run.failures");
	char *replay = find_file(failures, "-wrong.json");
	struct run_result wrong =
	        run_program(RUN_ARGV(coordinator_path(), "--config", replay, "--json"), &place.options);
	cr_assert_eq(wrong.exit_code, 0, "%s", wrong.err);
	cr_assert_str_neq(wrong.out, right.out);
	cr_assert(strstr(wrong.err, "fault: lie at compute") != NULL, "%s", wrong.err);
	json_decref(report);
	run_result_release(&right);
	run_result_release(&campaign);
	run_result_release(&wrong);
	free(failures);
	free(replay);
	place_release(&place);
}

Test(campaign, three_replicas_outvote_one_that_lies)
{
	struct place place;
	place_init(&place, PATIENT ", \"replicas\": 3",
	        "\"faults\": [ { \"kind\": \"lie\", \"worker\": 1, \"incarnation\": \"any\", \"p\": 0.2 } ],");
	struct run_result result = run_program(CAMPAIGN("--runs", "20", "--json"), &place.options);
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	json_t *report = json_from_text(result.out);
	cr_assert_eq(json_number_at(report, "verdicts.identical"), 20);
	cr_assert_gt(count_fired(report, "lie"), 0);
	json_decref(report);
	run_result_release(&result);
	place_release(&place);
}

/* One replica of each share answers twice and is replaced, while the other has not answered yet. */
#define ANSWERS_TWICE(worker)                                                                               \
	"{ \"kind\": \"duplicate\", \"site\": \"gradient.write\", \"worker\": " worker ", \"epoch\": 5 }, " \
	"{ \"kind\": \"slow\", \"worker\": " worker ", \"incarnation\": 1, \"epoch\": 5, \"ms\": 150 }"
#define ANSWERS_LATE(worker) "{ \"kind\": \"slow\", \"worker\": " worker ", \"epoch\": 5, \"ms\": 100 }"

Test(campaign, runs_write_checkpoints_of_their_own)
{
	struct place place;
	place_init(&place, PATIENT,
	        "\"checkpoint\": { \"path\": \"state\", \"every_epochs\": 1 },"
	        "\"faults\": [ { \"kind\": \"kill\", \"p\": 0.1 },"
	        " { \"kind\": \"no_space\", \"site\": \"coordinator.checkpoint.write\", \"epoch\": 20, \"p\": 0.5 } "
	        "],");
	char *state = path_join(place.directory, "state");
	file_write(state, "of a run that is to go on");
	char *before = directory_snapshot(place.directory);
	struct run_result result = run_program(CAMPAIGN("--runs", "24", "--json"), &place.options);
	cr_assert_eq(result.exit_code, 0, "%s%s", result.out, result.err);
	char *after = directory_snapshot(place.directory);
	cr_expect_str_eq(after, before, "a run of the campaign has written beside the configuration");
	cr_expect(is_empty(place.temporary), "the runs' own directories are left");
	json_t *report = json_from_text(result.out);
	cr_expect_gt(count_fired(report, "no_space"), 0);
	cr_expect_gt(json_number_at(report, "verdicts.identical"), 0);
	json_decref(report);
	free(before);
	free(after);
	free(state);
	run_result_release(&result);
	place_release(&place);
}

Test(campaign, a_replacement_counts_only_when_it_has_answered)
{
	struct place place;
	place_init(&place, "\"replicas\": 2",
	        "\"faults\": [ " ANSWERS_LATE("0") ", " ANSWERS_LATE("1") ", " ANSWERS_LATE("2") ", " ANSWERS_TWICE(
	                "3") ", " ANSWERS_TWICE("4") ", " ANSWERS_TWICE("5") " ],");
	struct run_result result = run_program(CAMPAIGN("--runs", "3", "--jobs", "1", "--json"), &place.options);
	cr_assert_eq(result.exit_code, 0, "%s%s", result.out, result.err);
	json_t *report = json_from_text(result.out);
	cr_assert_eq(json_number_at(report, "verdicts.identical"), 3);
	cr_assert_eq(count_fired(report, "duplicate"), 9);
	json_decref(report);
	run_result_release(&result);
	place_release(&place);
}

Test(campaign, puts_failures_where_it_is_told)
{
	struct place place;
	place_init(&place, PATIENT, LIES);
	struct run_result result = run_program(CAMPAIGN("--runs", "20", "--failures", "found"), &place.options);
	char *found = path_join(place.directory, "found");
	char *explanation = find_file(found, "-wrong.txt");
	char *text = file_read(explanation, NULL);
	cr_assert(strstr(text, "wrong: its result is not that of the run without faults\n") == text, "%s", text);
	free(text);
	free(explanation);
	free(found);
	run_result_release(&result);
	place_release(&place);
}

struct policy_row {
	char policy[128];
};

ParameterizedTestParameters(campaign, holds_under_every_policy)
{
	static struct policy_row rows[] = {
	        {PATIENT ", \"policy\": \"redistribute\""},
	        {PATIENT ", \"policy\": \"drop\""},
	        {PATIENT ", \"policy\": \"abort\""},
	        {PATIENT ", \"replicas\": 2"},
	        {PATIENT ", \"replicas\": 3"},
	        {PATIENT ", \"backup_after\": 3"},
	        {"\"worker_timeout_s\": 0.3, \"max_restarts\": 1"},
	};
	return cr_make_param_array(struct policy_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct policy_row *row, campaign, holds_under_every_policy)
{
	struct place place;
	place_init(&place, row->policy, "");
	struct run_result result = run_program(CAMPAIGN("--runs", "150", "--seed", "3"), &place.options);
	cr_assert_eq(result.exit_code, 0, "%s: %s%s", row->policy, result.out, result.err);
	run_result_release(&result);
	place_release(&place);
}

Test(campaign, an_interrupt_ends_it_with_the_table_so_far)
{
	struct place place;
	place_init(&place, PATIENT, "");
	struct run *run = run_start(CAMPAIGN("--runs", "1000000"), &place.options);
	cr_assert(run_wait_for_text(run, RUN_ERR, "runs/s", 60));
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	cr_assert_eq(result.exit_code, 130);
	cr_assert(strstr(result.out, "all faults") != NULL, "%s", result.out);
	cr_assert(strstr(result.err, "coordinator: interrupted after ") != NULL, "%s", result.err);
	cr_assert(is_empty(place.temporary));
	run_result_release(&result);
	place_release(&place);
}

Test(campaign, leaves_no_process_when_it_is_killed)
{
	struct place place;
	place_init(&place, PATIENT, "");
	struct run *run = run_start(CAMPAIGN("--runs", "1000000", "--jobs", "2"), &place.options);
	pid_t pid = run_pid(run);
	struct process jobs[2];
	cr_assert(run_wait_for_text(run, RUN_ERR, "runs/s", 60));
	size_t count = processes_of_parent(pid, jobs, 2);
	run_signal(run, SIGKILL);
	struct run_result result = run_finish(run);
	for (size_t i = 0; i < count && i < 2; i++)
		cr_assert(session_ends(jobs[i].pid, 5));
	run_result_release(&result);
	place_release(&place);
}

Test(campaign, is_silent_when_told_so)
{
	struct place place;
	place_init(&place, PATIENT, "");
	struct run_result result = run_program(CAMPAIGN("--runs", "5", "--quiet"), &place.options);
	cr_assert_eq(result.exit_code, 0);
	cr_assert_str_eq(result.err, "");
	run_result_release(&result);
	place_release(&place);
}

Test(campaign, tells_why_the_run_without_faults_fails)
{
	struct place place;
	place_init(&place, PATIENT, "");
	struct run_result result =
	        run_program(CAMPAIGN("--runs", "5", "--set", "training.learning_rate=1000"), &place.options);
	cr_assert_eq(result.exit_code, 3);
	cr_assert(strstr(result.err, "coordinator: the run without faults failed: coordinator: training diverged") !=
	                  NULL,
	        "%s", result.err);
	cr_assert_str_eq(result.out, "");
	run_result_release(&result);
	place_release(&place);
}

/* As it is shipped. */
Test(campaign, the_example_runs)
{
	struct place place;
	place_init(&place, PATIENT, "");
	char *example = path_absolute("configs/campaign.json");
	struct run_result result = run_program(
	        RUN_ARGV(coordinator_path(), "campaign", "--config", example, "--runs", "30", "--failures", "found"),
	        &place.options);
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	cr_assert(strncmp(result.out, "fault ", 6) == 0, "%s", result.out);
	free(example);
	run_result_release(&result);
	place_release(&place);
}

struct usage_row {
	char arguments[4][24];
	char message[80];
};

ParameterizedTestParameters(campaign, refuses_what_makes_no_sense)
{
	static struct usage_row rows[] = {
	        {{"campaign", "--runs", "0"}, "--runs: expected an integer from 1 to 1000000000, found \"0\""},
	        {{"campaign", "--runs", "1e3"}, "--runs: expected an integer from 1 to 1000000000, found \"1e3\""},
	        {{"campaign", "--runs", "-1"}, "--runs: expected an integer from 1 to 1000000000, found \"-1\""},
	        {{"campaign", "--runs", ""}, "--runs: expected an integer from 1 to 1000000000, found \"\""},
	        {{"campaign", "--jobs", "1025"}, "--jobs: expected an integer from 1 to 1024, found \"1025\""},
	        {{"campaign", "--seed", "4294967296"}, "--seed: expected an integer from 0 to 4294967295, found"},
	        {{"campaign", "--check"}, "not an option of this command: --check; coordinator campaign --help"},
	        {{"--runs", "5"}, "only of a campaign"},
	        {{"campaign", "campaign"}, "nothing takes the argument campaign"},
	};
	return cr_make_param_array(struct usage_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct usage_row *row, campaign, refuses_what_makes_no_sense)
{
	const char *argv[8] = {coordinator_path(), row->arguments[0]};
	size_t count = 2;
	for (size_t i = 1; i < 3 && (row->arguments[i][0] != '\0' || (i == 2 && row->arguments[1][2] == 'r')); i++)
		argv[count++] = row->arguments[i];
	argv[count++] = "--config";
	argv[count++] = "configs/campaign.json";
	struct run_result result = run_program(argv, NULL);
	cr_assert_eq(result.exit_code, 64, "%s", result.err);
	cr_assert(strstr(result.err, row->message) != NULL, "%s", result.err);
	run_result_release(&result);
}
