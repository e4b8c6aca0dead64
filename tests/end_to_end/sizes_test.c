/* From one feature to ten thousand, from one worker to a thousand, and what is said where there is no room for that. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/reference.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(sizes, .init = workspace_open, .fini = workspace_close, .timeout = 120);

static double largest(const long double *values, size_t count)
{
	long double most = 0;
	for (size_t i = 0; i < count; i++)
		most = fmaxl(most, fabsl(values[i]));
	return (double)most;
}

static void expect_near(double found, long double expected, double tolerance, const char *what)
{
	cr_expect(fabsl(found - expected) <= tolerance, "%s is %.17g, not %.17Lg", what, found, expected);
}

/* A step that is stable: the Hessian's largest eigenvalue is below its trace. */
static double stable_rate(const struct table *table)
{
	double trace = 1;
	for (size_t j = 0; j < table->features; j++)
		for (size_t i = 0; i < table->rows; i++)
			trace += *table_at(table, i, j) * *table_at(table, i, j) / (double)table->rows;
	return 0.5 / trace;
}

static void expect_descent(json_t *model, const struct table *table, double rate, unsigned epochs)
{
	size_t d = table->features;
	long double *parameters = calloc(d + 1, sizeof *parameters);
	cr_assert(parameters != NULL);
	long double loss = reference_descend(table, rate, epochs, parameters);
	double tolerance = 1e-12 * largest(parameters, d + 1);
	cr_assert_eq(json_array_size(json_at(model, "w")), d);
	for (size_t j = 0; j < d; j++) {
		char name[64];
		snprintf(name, sizeof name, "w[%zu] of %zu", j, d);
		expect_near(json_number_value(json_array_get(json_at(model, "w"), j)), parameters[j], tolerance, name);
	}
	expect_near(json_number_at(model, "b"), parameters[d], tolerance, "b");
	expect_near(json_number_at(model, "training.loss"), loss, 1e-12 * (double)loss, "the loss");
	free(parameters);
}

/*
 * Up to 15 features take one way through the kernels and more another; PARAMS is longer than PIPE_BUF from 511 on, and
 * longer than a pipe holds from 8192 on.
 */
ParameterizedTestParameters(sizes, descend_as_the_formula_does_for_any_number_of_features)
{
	static size_t features[] = {1, 2, 3, 7, 8, 9, 15, 16, 63, 64, 100, 500, 511, 600, 1000, 2000, 10000};
	return cr_make_param_array(size_t, features, sizeof features / sizeof features[0]);
}

ParameterizedTest(size_t *features, sizes, descend_as_the_formula_does_for_any_number_of_features)
{
	enum { ROWS = 90, EPOCHS = 3 };
	static const char *const files[] = {"c.npy", "f.npy", "x.csv"};
	struct table table = table_new(ROWS, *features, 0.5, *features);
	double rate = stable_rate(&table);
	table_write_npy(&table, workspace_path("c.npy"), (struct npy_style){0});
	table_write_npy(&table, workspace_path("f.npy"), (struct npy_style){.fortran = true});
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){0});
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"workers\": 4, \"training\": {\"epochs\": %d, "
		                    "\"tolerance\": 0, \"standardize\": false, \"learning_rate\": %.17g}}",
		        files[i], EPOCHS, rate);
		json_t *model = TRAIN("--quiet");
		expect_descent(model, &table, rate, EPOCHS);
		json_decref(model);
	}
	table_release(&table);
}

struct crowd {
	char file[8];
	char workers[16];
	char words[64];
};

ParameterizedTestParameters(sizes, refuse_more_workers_than_rows)
{
	static struct crowd crowds[] = {
	        {"x.npy", "workers=51", "workers: 51 workers are more than the 50 rows of x.npy"},
	        {"x.csv", "workers=51", "workers: 51 workers are more than the 50 rows of x.csv"},
	        {"x.csv", "workers=300", "workers: 300 workers are more than the 50 rows of x.csv"},
	};
	return cr_make_param_array(struct crowd, crowds, sizeof crowds / sizeof crowds[0]);
}

ParameterizedTest(struct crowd *crowd, sizes, refuse_more_workers_than_rows)
{
	struct table table = table_new(50, 2, 0.5, 1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){0});
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}}", crowd->file);
	struct run_result refused = workspace_run(TRAINING("--set", crowd->workers), NULL);
	cr_expect_eq(refused.exit_code, 78, "exit code %d", refused.exit_code);
	cr_expect(strstr(refused.err, crowd->words) != NULL, "%s", refused.err);
	cr_expect_eq(refused.survivors, 0);
	json_t *model = TRAIN("--quiet", "--set", "workers=50");
	json_decref(model);
	run_result_release(&refused);
	table_release(&table);
}

/* Shells differ in what else they understand, but all know -S. */
static struct run_result run_with_soft_limit_on_descriptors(void)
{
	return workspace_run(RUN_ARGV("sh", "-c", "ulimit -S -n 256; exec \"$@\"", "sh", coordinator_path(), "--config",
	                             "run.json", "--json", "--quiet", "--set", "workers=1000"),
	        NULL);
}

Test(sizes, reach_a_thousand_workers_at_once_with_256_descriptors_to_begin_with)
{
	if (HARNESS_SANITIZED)
		cr_skip_test("a thousand processes under a sanitizer take more memory than a test may");
	struct table table = table_new(4096, 3, 0.5, 1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	workspace_configure("{\"dataset\": {\"path\": \"x.npy\"}, \"training\": {\"epochs\": 5, \"tolerance\": 0}}");
	struct run_result one = workspace_run(TRAINING("--json", "--quiet", "--set", "workers=1"), NULL);
	struct run_result thousand = run_with_soft_limit_on_descriptors();
	cr_assert_eq(thousand.exit_code, 0, "%s", thousand.err);
	cr_expect_str_eq(thousand.out, one.out);
	cr_expect_eq(thousand.survivors, 0);
	run_result_release(&one);
	run_result_release(&thousand);
	table_release(&table);
}

Test(sizes, need_descriptors_and_say_how_many)
{
	static const struct run_limit limit = {RLIMIT_NOFILE, 64};
	struct table table = table_new(100, 3, 0.5, 1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	workspace_configure("{\"dataset\": {\"path\": \"x.npy\"}, \"workers\": 100}");
	struct run_options options = {.limits = &limit, .limit_count = 1};
	struct run_result result = workspace_run(TRAINING("--json"), &options);
	cr_expect_eq(result.exit_code, 71, "exit code %d", result.exit_code);
	cr_expect_str_eq(
	        result.err, "coordinator: 100 workers need 224 descriptors, and the limit (ulimit -Hn) is 64\n");
	run_result_release(&result);
	table_release(&table);
}
