/* How training begins, steps, and ends. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/reference.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 10, FEATURES = 2, PARAMETERS = FEATURES + 1 };

/* Below 2/L for the table of these tests, even for the sum over four workers. */
static const double rate = 0.01;

TestSuite(training, .init = workspace_open, .fini = workspace_close, .timeout = 120);

/* Writes x.npy and run.json with more members of "training". */
static struct table prepare(const char *training)
{
	struct table table = table_new(ROWS, FEATURES, 0.5, 1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	workspace_configure(
	        "{\"dataset\": {\"path\": \"x.npy\"}, \"training\": {%s}, \"output\": {\"events\": \"events\"}}",
	        training);
	return table;
}

static double parameter(json_t *model, size_t place)
{
	if (place == FEATURES)
		return json_number_at(model, "b");
	return json_number_value(json_array_get(json_at(model, "w"), place));
}

static void expect_parameters(json_t *model, const long double *expected, const char *what)
{
	for (size_t j = 0; j < PARAMETERS; j++)
		cr_expect(fabsl(parameter(model, j) - expected[j]) <= 1e-13, "%s: parameter %zu is %.17g, not %.17Lg",
		        what, j, parameter(model, j), expected[j]);
}

Test(training, that_will_diverge_is_warned_of_and_then_ended_with_a_remedy_that_helps)
{
	static const char note[] = "coordinator: note: training.learning_rate 0.01 is above ";
	double stable = 0;
	char setting[64];
	struct run_result result = run_program(RUN_ARGV(coordinator_path(), "--config", "configs/textbook.json",
	                                               "--set", "training.learning_rate=0.01"),
	        NULL);
	cr_expect_eq(result.exit_code, 3, "exit code %d", result.exit_code);
	cr_expect_str_eq(result.out, "");
	cr_expect_eq(strncmp(result.err, note, strlen(note)), 0, "%s", result.err);
	const char *error = strstr(result.err, "\ncoordinator: training diverged in epoch ");
	cr_assert(error != NULL, "%s", result.err);
	cr_expect(strstr(error, "\"standardize\": true") != NULL, "%s", error);
	const char *remedy = strstr(error, "use \"auto\" or at most ");
	cr_assert(remedy != NULL && sscanf(remedy, "use \"auto\" or at most %lf", &stable) == 1, "%s", error);
	snprintf(setting, sizeof setting, "training.learning_rate=%g", stable);
	struct run_result stable_run = run_program(RUN_ARGV(coordinator_path(), "--config", "configs/textbook.json",
	                                                   "--set", setting, "--set", "training.epochs=2000"),
	        NULL);
	cr_expect_eq(stable_run.exit_code, 0, "%s", stable_run.err);
	cr_expect(strstr(stable_run.err, "note") == NULL, "%s", stable_run.err);
	run_result_release(&stable_run);
	run_result_release(&result);
}

Test(training, that_diverges_writes_no_model)
{
	struct table table = prepare("\"learning_rate\": 5, \"standardize\": false, \"epochs\": 100000");
	struct run_result result = workspace_run(TRAINING("--quiet", "--set", "output.model=model"), NULL);
	cr_expect_eq(result.exit_code, 3, "exit code %d", result.exit_code);
	char *files = workspace_files();
	cr_expect_str_eq(files, "events run.json x.npy");
	free(files);
	run_result_release(&result);
	table_release(&table);
}

struct start {
	char training[96];
	double parameters[PARAMETERS];
};

ParameterizedTestParameters(training, of_no_epochs_leaves_the_initial_parameters)
{
	static struct start starts[] = {
	        {"\"epochs\": 0", {0, 0, 0}},
	        {"\"epochs\": 0, \"standardize\": false", {0, 0, 0}},
	        {"\"epochs\": 0, \"initial\": {\"w\": [0.5, -2], \"b\": 3}", {0.5, -2, 3}},
	        {"\"epochs\": 0, \"initial\": {\"w\": [0.5, -2]}, \"standardize\": false", {0.5, -2, 0}},
	};
	return cr_make_param_array(struct start, starts, sizeof starts / sizeof starts[0]);
}

ParameterizedTest(struct start *start, training, of_no_epochs_leaves_the_initial_parameters)
{
	long double parameters[PARAMETERS], gradient[PARAMETERS];
	struct table table = prepare(start->training);
	json_t *model = TRAIN("--quiet");
	for (size_t j = 0; j < PARAMETERS; j++)
		parameters[j] = start->parameters[j];
	long double square = reference_gradient(&table, 0, ROWS, parameters, gradient);
	expect_parameters(model, parameters, start->training);
	cr_expect(fabs(json_number_at(model, "metrics.mse") - (double)square) <= 1e-13 * (double)square);
	cr_expect_eq(json_number_at(model, "training.epochs"), 0);
	cr_expect_str_eq(json_string_at(model, "training.stop_reason"), "epochs");
	cr_expect(json_is_null(json_at(model, "training.loss")), "a loss without an epoch");
	json_decref(model);
	table_release(&table);
}

Test(training, begins_with_the_initial_parameters)
{
	long double gradient[PARAMETERS];
	long double parameters[PARAMETERS] = {0.5L, -2, 3};
	struct table table =
	        prepare("\"epochs\": 1, \"tolerance\": 0, \"learning_rate\": 0.01, \"standardize\": false, "
	                "\"initial\": {\"w\": [0.5, -2], \"b\": 3}");
	json_t *model = TRAIN("--quiet");
	reference_gradient(&table, 0, ROWS, parameters, gradient);
	for (size_t j = 0; j < PARAMETERS; j++)
		parameters[j] -= rate * gradient[j];
	expect_parameters(model, parameters, "one epoch");
	json_decref(model);
	table_release(&table);
}

Test(training, wants_an_initial_weight_for_each_feature)
{
	struct table table = prepare("\"initial\": {\"w\": [1, 2, 3]}");
	struct run_result result = workspace_run(TRAINING("--json"), NULL);
	cr_expect_eq(result.exit_code, 78, "exit code %d", result.exit_code);
	cr_expect_str_eq(result.err,
	        "coordinator: run.json: training.initial.w: expected 2 numbers, one for each feature, found 3\n");
	run_result_release(&result);
	table_release(&table);
}

Test(training, never_stops_early_with_a_tolerance_of_zero)
{
	struct table table = prepare("\"epochs\": 3000, \"tolerance\": 0");
	json_t *model = TRAIN("--quiet");
	cr_expect_eq(json_number_at(model, "training.epochs"), 3000);
	cr_expect_str_eq(json_string_at(model, "training.stop_reason"), "epochs");
	json_decref(model);
	table_release(&table);
}

Test(training, stops_in_the_first_epoch_whose_gradient_is_within_the_tolerance)
{
	struct table table = prepare("\"epochs\": 100000, \"tolerance\": 1e-5");
	json_t *model = TRAIN("--quiet");
	json_t *epochs = events_read(workspace_path("events"), "epoch_done");
	size_t count = json_array_size(epochs);
	cr_expect_str_eq(json_string_at(model, "training.stop_reason"), "tolerance");
	cr_assert(count >= 2 && json_number_at(model, "training.epochs") == (double)count);
	cr_expect(json_number_at(json_array_get(epochs, count - 1), "gradient") <= 1e-5);
	for (size_t i = 0; i + 1 < count; i++)
		cr_expect(json_number_at(json_array_get(epochs, i), "gradient") > 1e-5, "epoch %zu was enough", i + 1);
	json_decref(epochs);
	json_decref(model);
	table_release(&table);
}

struct combination {
	char aggregation[16];
	bool depends_on_workers;
};

static struct combination combinations[] = {{"mean", false}, {"average", true}, {"sum", true}};

ParameterizedTestParameters(training, steps_by_the_workers_gradients_as_they_are_aggregated)
{
	return cr_make_param_array(struct combination, combinations, sizeof combinations / sizeof combinations[0]);
}

static json_t *train_aggregated(const char *aggregation, const char *workers)
{
	char setting[48];
	snprintf(setting, sizeof setting, "training.aggregation=%s", aggregation);
	return TRAIN("--quiet", "--set", setting, "--set", workers);
}

/* The rows of each worker's chunk, in the order of the workers; returns how many workers. */
static size_t chunk_sizes(size_t *rows, size_t capacity)
{
	json_t *loads = events_read(workspace_path("events"), "worker_ready");
	size_t count = json_array_size(loads);
	cr_assert(count <= capacity);
	for (size_t i = 0; i < count; i++) {
		json_t *load = json_array_get(loads, i);
		rows[(size_t)json_number_at(load, "worker")] = (size_t)json_number_at(load, "rows");
	}
	json_decref(loads);
	return count;
}

/* One step from zero with the combined gradient of these chunks. */
static void step_from_zero(
        const struct table *table, const size_t *rows, size_t workers, const char *aggregation, long double *parameters)
{
	static const long double zero[PARAMETERS];
	long double combined[PARAMETERS] = {0};
	size_t begin = 0;
	for (size_t k = 0; k < workers; k++) {
		long double weight = strcmp(aggregation, "mean") == 0  ? (long double)rows[k] / ROWS
		                     : strcmp(aggregation, "sum") == 0 ? 1
		                                                       : 1 / (long double)workers;
		long double gradient[PARAMETERS];
		reference_gradient(table, begin, begin + rows[k], zero, gradient);
		for (size_t j = 0; j < PARAMETERS; j++)
			combined[j] += weight * gradient[j];
		begin += rows[k];
	}
	cr_assert_eq(begin, ROWS);
	for (size_t j = 0; j < PARAMETERS; j++)
		parameters[j] = -rate * combined[j];
}

ParameterizedTest(struct combination *combination, training, steps_by_the_workers_gradients_as_they_are_aggregated)
{
	enum { WORKERS = 4 };
	size_t rows[WORKERS];
	long double expected[PARAMETERS];
	struct table table =
	        prepare("\"epochs\": 1, \"tolerance\": 0, \"learning_rate\": 0.01, \"standardize\": false");
	json_t *model = train_aggregated(combination->aggregation, "workers=4");
	cr_assert_eq(chunk_sizes(rows, WORKERS), WORKERS);
	cr_assert(rows[0] != rows[1], "chunks of one length cannot tell mean and average apart");
	step_from_zero(&table, rows, WORKERS, combination->aggregation, expected);
	expect_parameters(model, expected, combination->aggregation);
	json_decref(model);
	table_release(&table);
}

ParameterizedTestParameters(training, depends_on_the_number_of_workers_where_that_is_the_meaning)
{
	return cr_make_param_array(struct combination, combinations, sizeof combinations / sizeof combinations[0]);
}

ParameterizedTest(struct combination *combination, training, depends_on_the_number_of_workers_where_that_is_the_meaning)
{
	struct table table = prepare("\"epochs\": 5, \"tolerance\": 0");
	json_t *one = train_aggregated(combination->aggregation, "workers=1");
	json_t *four = train_aggregated(combination->aggregation, "workers=4");
	cr_expect_eq(!json_equal(json_at(one, "w"), json_at(four, "w")), combination->depends_on_workers, "%s",
	        combination->aggregation);
	json_decref(one);
	json_decref(four);
	table_release(&table);
}

static int is_run_configuration(const struct dirent *entry)
{
	const char *suffix = strchr(entry->d_name, '.');
	return suffix != NULL && strcmp(suffix, ".json") == 0;
}

Test(training, follows_each_example_configuration)
{
	struct dirent **entries;
	int count = scandir("configs", &entries, is_run_configuration, alphasort);
	cr_assert(count >= 2, "%d examples", count);
	for (int i = 0; i < count; i++) {
		char *path = path_join("configs", entries[i]->d_name);
		struct run_result result = run_program(RUN_ARGV(coordinator_path(), "--config", path, "--json", "--set",
		                                               "training.epochs=20", "--set", "output.model=null"),
		        NULL);
		json_t *model = model_of(&result);
		cr_expect_eq(json_number_at(model, "training.epochs"), 20, "%s", path);
		json_decref(model);
		run_result_release(&result);
		free(path);
		free(entries[i]);
	}
	free(entries);
}
