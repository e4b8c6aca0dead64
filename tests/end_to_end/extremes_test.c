/* Datasets that are legal and hardly make sense: one row, columns that say nothing or say it twice, numbers that are
 * none. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/reference.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(extremes, .init = workspace_open, .fini = workspace_close, .timeout = 60);

static void configure(const char *dataset)
{
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"training\": {\"epochs\": 20000}}", dataset);
}

static double weight(json_t *model, size_t feature)
{
	return json_number_value(json_array_get(json_at(model, "w"), feature));
}

static void expect_near(double found, double expected, double tolerance)
{
	cr_expect(fabs(found - expected) <= tolerance, "%.17g is not %.17g", found, expected);
}

ParameterizedTestParameters(extremes, fit_a_single_row_by_the_intercept)
{
	static struct csv_style styles[] = {
	        {0}, {.without_header = true}, {.without_header = true, .without_last_newline = true}};
	return cr_make_param_array(struct csv_style, styles, sizeof styles / sizeof styles[0]);
}

ParameterizedTest(struct csv_style *style, extremes, fit_a_single_row_by_the_intercept)
{
	static const char *const files[] = {"x.csv", "c.npy", "f.npy"};
	struct table table = table_new(1, 2, 0.5, 1);
	table_write_csv(&table, workspace_path("x.csv"), *style);
	table_write_npy(&table, workspace_path("c.npy"), (struct npy_style){0});
	table_write_npy(&table, workspace_path("f.npy"), (struct npy_style){.fortran = true});
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		configure(files[i]);
		json_t *model = TRAIN("--quiet");
		cr_expect_eq(json_number_at(model, "metrics.rows"), 1);
		cr_expect_eq(weight(model, 0), 0);
		cr_expect_eq(weight(model, 1), 0);
		expect_near(json_number_at(model, "b"), *table_at(&table, 0, 2), 1e-9);
		cr_expect(json_is_null(json_at(model, "metrics.r2")), "R² of a constant target");
		json_decref(model);
	}
	table_release(&table);
}

Test(extremes, give_a_constant_column_no_weight_and_say_so)
{
	struct table table = table_new(200, 3, 0.5, 1);
	for (size_t i = 0; i < table.rows; i++)
		*table_at(&table, i, 1) = 0.1;
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){0});
	configure("x.csv");
	struct run_result result = workspace_run(TRAINING("--json"), NULL);
	json_t *model = model_of(&result);

	/* The fit of the other two columns. */
	struct table rest = table_new(200, 2, 0.5, 1);
	long double expected[3];
	for (size_t i = 0; i < rest.rows; i++) {
		*table_at(&rest, i, 1) = *table_at(&table, i, 2);
		*table_at(&rest, i, 2) = *table_at(&table, i, 3);
	}
	reference_fit(&rest, expected);
	cr_expect_eq(weight(model, 1), 0);
	expect_near(weight(model, 0), (double)expected[0], 1e-7);
	expect_near(weight(model, 2), (double)expected[1], 1e-7);
	expect_near(json_number_at(model, "b"), (double)expected[2], 1e-7);
	expect_near(json_number_at(model, "metrics.r2"), (double)reference_r2(&rest, expected), 1e-12);
	cr_expect(strstr(result.err, "note: constant columns, from which there is nothing to learn: x1\n") != NULL,
	        "%s", result.err);
	json_decref(model);
	run_result_release(&result);
	table_release(&rest);
	table_release(&table);
}

Test(extremes, fit_a_constant_target_by_the_intercept)
{
	struct table table = table_new(200, 2, 0.5, 1);
	for (size_t i = 0; i < table.rows; i++)
		*table_at(&table, i, 2) = 7.25;
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){0});
	configure("x.csv");
	struct run_result result = workspace_run(TRAINING("--quiet"), NULL);
	cr_assert_eq(result.exit_code, 0);
	cr_expect(strstr(result.out, "R² undefined (the target is constant)") != NULL, "%s", result.out);
	json_t *model = TRAIN("--quiet");
	expect_near(weight(model, 0), 0, 1e-9);
	expect_near(json_number_at(model, "b"), 7.25, 1e-8);
	json_decref(model);
	run_result_release(&result);
	table_release(&table);
}

/* Infinitely many fits are best, all with the same R²; descent finds one that is finite. */
Test(extremes, fit_collinear_columns_as_well_as_one_of_them)
{
	struct table table = table_new(300, 3, 0.5, 1);
	for (size_t i = 0; i < table.rows; i++) {
		*table_at(&table, i, 1) = 3 * *table_at(&table, i, 0) - 5;
		*table_at(&table, i, 2) = *table_at(&table, i, 0);
	}
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){0});
	configure("x.csv");
	json_t *model = TRAIN("--quiet");

	struct table one = table_new(300, 1, 0.5, 1);
	long double expected[2];
	for (size_t i = 0; i < one.rows; i++) {
		*table_at(&one, i, 0) = *table_at(&table, i, 0);
		*table_at(&one, i, 1) = *table_at(&table, i, 3);
	}
	reference_fit(&one, expected);
	double slope = weight(model, 0) + 3 * weight(model, 1) + weight(model, 2);
	expect_near(slope, (double)expected[0], 1e-7);
	expect_near(json_number_at(model, "b") - 5 * weight(model, 1), (double)expected[1], 1e-7);
	expect_near(json_number_at(model, "metrics.r2"), (double)reference_r2(&one, expected), 1e-12);
	cr_expect(fabs(weight(model, 1)) < 1e3, "w of a column that is said twice: %g", weight(model, 1));
	cr_expect_str_eq(json_string_at(model, "training.stop_reason"), "tolerance");
	json_decref(model);
	table_release(&one);
	table_release(&table);
}

struct bad_number {
	double value;
	bool fortran;
	bool narrow;
	char policy[16];
	char words[96]; /* of the error; none: the run succeeds */
};

ParameterizedTestParameters(extremes, treat_nan_as_missing_and_infinity_as_an_error)
{
	static struct bad_number numbers[] = {
	        {NAN, false, false, "error", "row 123, column 1: nan is a missing value; \"missing\": \"skip_row\""},
	        {NAN, true, false, "error", "row 123, column 1: nan is a missing value; \"missing\": \"skip_row\""},
	        {NAN, false, true, "error", "row 123, column 1: nan is a missing value; \"missing\": \"skip_row\""},
	        {NAN, false, false, "skip_row", ""},
	        {NAN, true, true, "skip_row", ""},
	        {INFINITY, false, false, "error", "inf is not a finite number\n"},
	        {INFINITY, false, true, "skip_row", "inf is not a finite number\n"},
	        {-INFINITY, true, false, "skip_row", "inf is not a finite number\n"},
	};
	return cr_make_param_array(struct bad_number, numbers, sizeof numbers / sizeof numbers[0]);
}

static void expect_fit_without_row(const struct table *table, size_t row, const char *notes)
{
	struct table rest = table_new(table->rows - 1, table->features, 0, 1);
	long double expected[REFERENCE_FEATURES_MAX + 1];
	for (size_t i = 0; i < rest.rows; i++)
		memcpy(table_at(&rest, i, 0), table_at(table, i + (i >= row), 0), (rest.features + 1) * sizeof(double));
	reference_fit(&rest, expected);
	json_t *model = TRAIN("--quiet");
	for (size_t j = 0; j < rest.features; j++)
		expect_near(weight(model, j), (double)expected[j], 1e-7);
	expect_near(json_number_at(model, "b"), (double)expected[rest.features], 1e-7);
	cr_expect_eq(json_number_at(model, "metrics.rows"), (double)rest.rows);
	cr_expect_eq(json_number_at(model, "dataset.rows"), (double)table->rows);
	cr_expect(strstr(notes, "note: 1 row with missing values left out\n") != NULL, "%s", notes);
	json_decref(model);
	table_release(&rest);
}

ParameterizedTest(struct bad_number *bad, extremes, treat_nan_as_missing_and_infinity_as_an_error)
{
	enum { ROW = 123 };
	struct table table = table_new(300, 2, 0.5, 1);
	*table_at(&table, ROW, 1) = bad->value;
	table_write_npy(
	        &table, workspace_path("x.npy"), (struct npy_style){.fortran = bad->fortran, .narrow = bad->narrow});
	workspace_configure("{\"dataset\": {\"path\": \"x.npy\", \"missing\": \"%s\"}, \"workers\": 3, "
	                    "\"training\": {\"epochs\": 20000}}",
	        bad->policy);
	struct run_result result = workspace_run(TRAINING("--json"), NULL);
	if (bad->words[0] == '\0') {
		cr_expect_eq(result.exit_code, 0, "%s", result.err);
		expect_fit_without_row(&table, ROW, result.err);
	} else {
		cr_expect_eq(result.exit_code, 65, "exit code %d", result.exit_code);
		cr_expect(strstr(result.err, bad->words) != NULL, "%s", result.err);
	}
	run_result_release(&result);
	table_release(&table);
}

Test(extremes, fit_one_row_or_none_where_most_are_missing)
{
	struct table table = table_new(64, 2, 0.5, 1);
	for (size_t i = 0; i < table.rows; i++)
		if (i != 40)
			*table_at(&table, i, 0) = NAN;
	table_write_npy(&table, workspace_path("one.npy"), (struct npy_style){0});
	*table_at(&table, 40, 2) = NAN;
	table_write_npy(&table, workspace_path("none.npy"), (struct npy_style){0});
	workspace_configure("{\"dataset\": {\"path\": \"one.npy\", \"missing\": \"skip_row\"}, \"workers\": 4}");
	json_t *model = TRAIN("--quiet");
	cr_expect_eq(json_number_at(model, "metrics.rows"), 1);
	json_decref(model);
	struct run_result none = workspace_run(TRAINING("--set", "dataset.path=none.npy"), NULL);
	cr_expect_eq(none.exit_code, 65, "exit code %d", none.exit_code);
	cr_expect_str_eq(none.err, "coordinator: none.npy: every row has a missing value\n");
	run_result_release(&none);
	table_release(&table);
}
