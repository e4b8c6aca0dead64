/*
 * Sums beyond the range of a double. They are no numbers, as those of a broken worker are; but they come again from
 * any worker, so that a run ends by naming the cause, in the same words and with the same status for any number of
 * them.
 */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(overflow, .init = workspace_open, .fini = workspace_close, .timeout = 60);

/* More than restarts are allowed, so that none would end well if all were replaced. */
static const char *const workers[] = {"workers=1", "workers=2", "workers=23"};
enum { COUNTS = sizeof workers / sizeof *workers };

struct overflow {
	double scale; /* of the target */
	char training[120];
	int exit_code;
	char words[120];
};

ParameterizedTestParameters(overflow, ends_a_training_in_the_same_way_for_any_number_of_workers)
{
	static struct overflow overflows[] = {
	        {1, "\"learning_rate\": 1e200", 3,
	                "coordinator: training diverged in epoch 2 (loss inf): the learning"},
	        {1, "\"learning_rate\": 1e200, \"epochs\": 1", 3, "coordinator: training diverged in epoch 1 (loss "},
	        {1, "\"epochs\": 0, \"initial\": {\"w\": [1e200, 1], \"b\": 0}", 78,
	                "run.json: training.initial: the sum of the squared errors is beyond the range of a double\n"},
	        {1e200, "\"epochs\": 9", 65,
	                "x.csv: the numbers of column \"y\" are too large: the sum of their squares is beyond"},
	};
	return cr_make_param_array(struct overflow, overflows, sizeof overflows / sizeof *overflows);
}

static size_t count_of(const char *text, const char *words)
{
	size_t count = 0;
	for (const char *at = text; (at = strstr(at, words)) != NULL; at++)
		count++;
	return count;
}

static void write_rows(double scale)
{
	struct table table = table_new(500, 2, 0.5, 1);
	for (size_t i = 0; i < table.rows; i++)
		*table_at(&table, i, 2) *= scale;
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){0});
	table_release(&table);
}

ParameterizedTest(struct overflow *overflow, overflow, ends_a_training_in_the_same_way_for_any_number_of_workers)
{
	write_rows(overflow->scale);
	workspace_configure("{\"dataset\": {\"path\": \"x.csv\"}, \"recovery\": {\"max_restarts\": 0}, "
	                    "\"training\": {%s}}",
	        overflow->training);
	for (size_t i = 0; i < COUNTS; i++) {
		struct run_result result = workspace_run(TRAINING("--set", workers[i]), NULL);
		cr_expect_eq(result.exit_code, overflow->exit_code, "%s: %d", workers[i], result.exit_code);
		cr_expect(strstr(result.err, overflow->words) != NULL, "%s: %s", workers[i], result.err);
		cr_expect_eq(count_of(result.err, "is replaced by"), 1, "%s: %s", workers[i], result.err);
		cr_expect_str_eq(result.out, "");
		run_result_release(&result);
	}
}

/* Every worker's first answer in the epoch is a fault, and not one of them counts. */
Test(overflow, is_not_seen_where_every_worker_was_broken)
{
	write_rows(1);
	workspace_configure("{\"dataset\": {\"path\": \"x.csv\"}, \"workers\": 9, \"training\": {\"epochs\": 5}, "
	                    "\"recovery\": {\"max_restarts\": 9}}");
	struct run_result calm = workspace_run(TRAINING("--json"), NULL);
	struct run_result broken =
	        workspace_run(TRAINING("--json", "--set", "faults=[{\"kind\":\"nan\",\"epoch\":3}]"), NULL);
	cr_expect_eq(broken.exit_code, 0, "%s", broken.err);
	cr_expect_eq(count_of(broken.err, "is replaced by"), 9, "%s", broken.err);
	cr_expect_str_eq(broken.out, calm.out);
	run_result_release(&calm);
	run_result_release(&broken);
}

Test(overflow, is_told_from_broken_workers_which_count_as_restarts)
{
	write_rows(1);
	workspace_configure("{\"dataset\": {\"path\": \"x.csv\"}, \"workers\": 9, \"training\": {\"epochs\": 5}, "
	                    "\"recovery\": {\"max_restarts\": 8}}");
	struct run_result result =
	        workspace_run(TRAINING("--json", "--set", "faults=[{\"kind\":\"nan\",\"epoch\":3}]"), NULL);
	cr_expect_eq(result.exit_code, 4);
	cr_expect(strstr(result.err, "and another did not; that is more than 8 restarts in 10 s\n"), "%s", result.err);
	run_result_release(&result);
}

Test(overflow, without_a_step_is_the_fault_of_data_that_never_vary)
{
	file_write(workspace_path("x.csv"), "a,y\n1,1e160\n2,1e160\n3,1e160\n");
	workspace_configure("{\"dataset\": {\"path\": \"x.csv\"}, \"training\": {\"epochs\": 0}}");
	struct run_result result = workspace_run(TRAINING("--json"), NULL);
	cr_expect_eq(result.exit_code, 65);
	cr_expect(
	        strstr(result.err, "coordinator: x.csv: the numbers are too large: the sum of the squared errors is "),
	        "%s", result.err);
	run_result_release(&result);
}

/*
 * Two replicas' numbers refute one that has none, and so do its replacement's, but it is one worker that was broken.
 * And where two of three agree on no number for a share and are outvoted, that says nothing about the other share,
 * whose last worker is broken too.
 */
Test(overflow, is_told_from_broken_replicas)
{
	static const struct {
		const char *recovery, *faults;
	} cases[] = {
	        {"\"max_restarts\": 1", "faults=[{\"kind\":\"nan\",\"worker\":0,\"epoch\":3}]"},
	        {"\"policy\": \"drop\"",
	                "faults=[{\"kind\":\"kill\",\"worker\":1,\"epoch\":2},{\"kind\":\"kill\",\"worker\":3,"
	                "\"epoch\":2},"
	                "{\"kind\":\"nan\",\"worker\":0,\"epoch\":3},{\"kind\":\"nan\",\"worker\":2,\"epoch\":3},"
	                "{\"kind\":\"slow\",\"ms\":100,\"worker\":5,\"epoch\":3},"
	                "{\"kind\":\"nan\",\"worker\":5,\"epoch\":3}]"},
	};
	write_rows(1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char configuration[300];
		snprintf(configuration, sizeof configuration,
		        "{\"dataset\": {\"path\": \"x.csv\"}, \"workers\": 2, \"training\": {\"epochs\": 5}, "
		        "\"recovery\": {\"replicas\": 3, %s}}",
		        cases[i].recovery);
		workspace_configure("%s", configuration);
		struct run_result calm = workspace_run(TRAINING("--json"), NULL);
		struct run_result broken = workspace_run(TRAINING("--json", "--set", cases[i].faults), NULL);
		cr_expect_eq(broken.exit_code, 0, "%s: %s", cases[i].recovery, broken.err);
		cr_expect_str_eq(broken.out, calm.out);
		run_result_release(&calm);
		run_result_release(&broken);
	}
}

/* What is wrong with numbers is said once, and what to do; no worker is ended for them, and no file is left. */
Test(overflow, ends_a_prediction_of_a_target_that_is_far_off)
{
	static const char *const counts[COUNTS] = {"1", "2", "23"};
	write_rows(1e200);
	file_write(workspace_path("model.json"),
	        "{\"format\": \"forkfit-model-1\", \"target\": \"y\", \"features\": [\"x0\", \"x1\"], "
	        "\"w\": [1, 2], \"b\": 0}");
	for (size_t i = 0; i < COUNTS; i++) {
		struct run_result result =
		        workspace_run(RUN_ARGV(coordinator_path(), "predict", "--model", "model.json", "--data",
		                              "x.csv", "-o", "p.csv", "--workers", counts[i]),
		                NULL);
		cr_expect_eq(result.exit_code, 65, "%d", result.exit_code);
		cr_expect_str_eq(result.err,
		        "coordinator: x.csv: the numbers are too large: the sum of the target's squares is beyond the "
		        "range of a double, so that there are no metrics; without column \"y\" there are predictions "
		        "alone\n");
		cr_expect_str_eq(result.out, "");
		run_result_release(&result);
	}
	char *files = workspace_files();
	cr_expect_str_eq(files, "model.json x.csv");
	free(files);
}
