/* What can be odd about a CSV, through real workers: where leaves end, how wide it is. */
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(csv, .init = workspace_open, .fini = workspace_close, .timeout = 120);

/* However they are written: short and long, plain and not, and such that only the last of many digits rounds them. */
static const char *const numbers[] = {"7", "-0.25", "1e-3", "123456.789012", "-1234567890123456", "+4.5e+10",
        "0.12345678901234567", "-98765.432109876543", "9007199254740993", "17976931348623157e100",
        "1.00000000000000011102230246251565404236316680908203126", "4.9406564584124654e-324",
        "000000000000000000000000000000000000000012.5", "\"3.25\"", " 6.5 "};
enum { NUMBERS = sizeof numbers / sizeof numbers[0], ROWS = 3 * NUMBERS };

static const char *number_of(size_t row, size_t column)
{
	return numbers[(row * (column + 2) + column) % NUMBERS];
}

static double value_of(const char *number)
{
	return strtod(number + (*number == '"'), NULL);
}

/* Columns x and y behind a note whose name shifts all of them against the leaves. */
static void write_numbers(const char *line_end, unsigned shift)
{
	FILE *file = fopen(workspace_path("x.csv"), "w");
	cr_assert(file != NULL);
	fprintf(file, "x,n%0*d,y%s", (int)shift + 1, 0, line_end);
	for (size_t row = 0; row < ROWS; row++)
		fprintf(file, "%s,,%s%s", number_of(row, 0), number_of(row, 1), line_end);
	cr_assert_eq(fclose(file), 0);
}

/* Predictions of 1·x + 0, each with its y behind it, are the numbers themselves. */
static void expect_numbers(const char *workers, const char *what)
{
	struct run_result result =
	        workspace_run(RUN_ARGV(coordinator_path(), "predict", "--model", "model.json", "--data", "x.csv",
	                              "--workers", workers, "--output", "p.npy", "--quiet"),
	                NULL);
	cr_assert_eq(result.exit_code, 0, "%s: %s", what, result.err);
	run_result_release(&result);
	size_t length;
	char *bytes = file_read(workspace_path("p.npy"), &length);
	double found[ROWS][2];
	cr_assert_gt(length, sizeof found);
	memcpy(found, bytes + length - sizeof found, sizeof found);
	free(bytes);
	for (size_t row = 0; row < ROWS; row++) {
		double expected[2] = {value_of(number_of(row, 0)), value_of(number_of(row, 1))};
		cr_assert(memcmp(found[row], expected, sizeof expected) == 0,
		        "%s, row %zu: %a and %a, strtod says %a and %a", what, row, found[row][0], found[row][1],
		        expected[0], expected[1]);
	}
}

/* Leaves are ranges of bytes, so that with every shift each border lies one character further in some number. */
Test(csv, has_the_numbers_of_strtod_wherever_a_leaf_or_a_chunk_ends)
{
	static const char *const ends[] = {"\n", "\r\n"};
	enum { SHIFTS = 64, STEP = HARNESS_SANITIZED ? 7 : 1 };
	file_write(workspace_path("model.json"), "{\"format\": \"forkfit-model-1\", \"target\": \"y\", \"features\": "
	                                         "[\"x\"], \"w\": [1], \"b\": 0}");
	for (unsigned shift = 0; shift < SHIFTS; shift += STEP) {
		char what[32];
		snprintf(what, sizeof what, "shift of %u", shift);
		write_numbers(ends[shift / STEP % 2], shift);
		expect_numbers("5", what);
	}
}

/* The model's weights, so many of them; the header names the columns c0, c1, … */
static char *train_wide(const char *workers)
{
	struct run_result result = workspace_run(TRAINING("--json", "--quiet", "--set", workers), NULL);
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	char *out = result.out;
	result.out = NULL;
	run_result_release(&result);
	return out;
}

Test(csv, may_have_65535_columns)
{
	enum { COLUMNS = 65535, WIDE_ROWS = 6 };
	FILE *file = fopen(workspace_path("wide.csv"), "w");
	cr_assert(file != NULL);
	for (unsigned j = 0; j < COLUMNS; j++)
		fprintf(file, "c%u%c", j, j + 1 < COLUMNS ? ',' : '\n');
	for (unsigned row = 0; row < WIDE_ROWS; row++)
		for (unsigned j = 0; j < COLUMNS; j++)
			fprintf(file, "%u.%u%c", (row * 7 + j * 3) % 10, j % 100, j + 1 < COLUMNS ? ',' : '\n');
	cr_assert_eq(fclose(file), 0);
	workspace_configure("{\"dataset\": {\"path\": \"wide.csv\"}, \"training\": {\"epochs\": 2}}");
	char *one = train_wide("workers=1"), *three = train_wide("workers=3");
	cr_assert_str_eq(one, three);
	json_t *model = json_from_text(one);
	cr_assert_eq(json_array_size(json_at(model, "w")), COLUMNS - 1);
	cr_assert_str_eq(json_string_at(model, "target"), "c65534");
	cr_assert_eq(json_number_at(model, "metrics.rows"), WIDE_ROWS);
	json_decref(model);
	free(one);
	free(three);
}
