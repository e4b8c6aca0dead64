/* Every way to write the same table gives the same fit: that of the normal equations, solved here. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/model_check.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 60, FEATURES = 2 };

TestSuite(formats, .init = workspace_open, .fini = workspace_close, .timeout = 120);

/* Runs with each of these numbers of workers. */
static const char *const worker_settings[] = {"workers=1", "workers=7"};
enum { SETTINGS = sizeof worker_settings / sizeof worker_settings[0] };

static void configure(const char *dataset)
{
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"training\": {\"epochs\": 20000}}", dataset);
}

static void expect_fit(const struct table *table, const char *names, const char *what)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		json_t *model = TRAIN("--quiet", "--set", worker_settings[i]);
		expect_least_squares(model, table, what);
		expect_names(model, names, what);
		json_decref(model);
	}
}

static void expect_fit_of_style(const struct table *table, struct csv_style style)
{
	char what[128];
	snprintf(what, sizeof what, "delimiter '%c'%s%s%s%s%s, %u blank lines", style.delimiter,
	        style.without_header ? "" : ", header", style.byte_order_mark ? ", BOM" : "",
	        style.crlf ? ", CRLF" : "", style.quoted ? ", quotes" : "",
	        style.without_last_newline ? ", no last newline" : "", style.blank_lines);
	table_write_csv(table, workspace_path("x.csv"), style);
	expect_fit(table, style.without_header ? "c0|c1|c2" : "x0|x1|y", what);
}

ParameterizedTestParameters(formats, are_told_apart_with_any_delimiter)
{
	static char delimiters[] = {',', ';', '\t', '|'};
	return cr_make_param_array(char, delimiters, sizeof delimiters / sizeof delimiters[0]);
}

ParameterizedTest(char *delimiter, formats, are_told_apart_with_any_delimiter)
{
	struct table table = table_new(ROWS, FEATURES, 0.5, 1);
	configure("x.csv");
	/* Each bit of the number is a choice. */
	for (unsigned choice = 0; choice < 16; choice++) {
		struct csv_style style = {
		        .delimiter = *delimiter,
		        .without_header = choice & 1,
		        .byte_order_mark = choice & 2,
		        .crlf = choice & 4,
		        .quoted = choice & 8,
		};
		expect_fit_of_style(&table, style);
		style.blank_lines = 2;
		expect_fit_of_style(&table, style);
		style.blank_lines = 0;
		style.without_last_newline = true;
		expect_fit_of_style(&table, style);
	}
	table_release(&table);
}

/* Records of about 90 bytes whose notes hold delimiters, quotes and line breaks; the first is longer by `padding`. */
static void write_with_notes(const struct table *table, size_t padding)
{
	FILE *file = fopen(workspace_path("x.csv"), "w");
	cr_assert(file != NULL);
	fputs("x0,note,x1,y\n", file);
	for (size_t i = 0; i < table->rows; i++)
		fprintf(file, "%.9g,\"%*s1,2,3\nline %zu \"\"two\"\"\n\n\"\"\"\",\r\n4,5,6,7\",%.9g,%.9g\n",
		        *table_at(table, i, 0), i == 0 ? (int)padding : 0, "", i, *table_at(table, i, 1),
		        *table_at(table, i, 2));
	cr_assert_eq(fclose(file), 0);
}

/* Leaves end every few bytes, so that by and by one ends at every byte of a record. */
Test(formats, hold_together_quoted_fields_wherever_a_leaf_ends)
{
	enum { RECORD_BYTES = 100, STEP = HARNESS_SANITIZED ? 7 : 1 };
	struct table table = table_new(ROWS, FEATURES, 0.5, 2);
	workspace_configure("{\"dataset\": {\"path\": \"x.csv\", \"features\": [\"x0\", \"x1\"]}, \"training\": "
	                    "{\"epochs\": 20000}}");
	for (size_t padding = 0; padding < RECORD_BYTES; padding += STEP) {
		char what[32];
		snprintf(what, sizeof what, "padding of %zu", padding);
		write_with_notes(&table, padding);
		expect_fit(&table, "x0|x1|y", what);
	}
	table_release(&table);
}

Test(formats, take_a_header_with_quotes_delimiters_and_line_breaks)
{
	struct table table = table_new(ROWS, FEATURES, 0.5, 3);
	FILE *file = fopen(workspace_path("x.csv"), "w");
	cr_assert(file != NULL);
	fputs("\"a \"\"b\"\", c\",\"two\nlines\", y \n", file);
	for (size_t i = 0; i < table.rows; i++)
		fprintf(file, " %.9g,\"%.9g\" ,\t%.9g\t\n", *table_at(&table, i, 0), *table_at(&table, i, 1),
		        *table_at(&table, i, 2));
	cr_assert_eq(fclose(file), 0);
	configure("x.csv");
	expect_fit(&table, "a \"b\", c|two\nlines|y", "a header with everything");
	table_release(&table);
}

/* The table without the rows in which there is a NaN. */
static struct table without_missing(const struct table *table)
{
	struct table rest = table_new(table->rows, table->features, 0, 1);
	rest.rows = 0;
	for (size_t i = 0; i < table->rows; i++) {
		bool missing = false;
		for (size_t j = 0; j <= table->features; j++)
			missing = missing || isnan(*table_at(table, i, j));
		for (size_t j = 0; !missing && j <= table->features; j++)
			*table_at(&rest, rest.rows, j) = *table_at(table, i, j);
		rest.rows += !missing;
	}
	return rest;
}

/* Makes holes, in all columns: in every fifth row, and in the first and the last. Returns how many rows have one. */
static size_t make_holes(struct table *table)
{
	size_t holes = 0;
	for (size_t i = 0; i < table->rows; i++) {
		if (i % 5 != 0 && i + 1 != table->rows)
			continue;
		*table_at(table, i, i % (table->features + 1)) = NAN;
		holes++;
	}
	return holes;
}

static void write_with_holes(const struct table *table)
{
	static const char *const words[] = {"", "NA", "NaN", "null", " na ", "\"\"", "NULL", "\"NA\"", "nan"};
	size_t next = 0;
	FILE *file = fopen(workspace_path("x.csv"), "w");
	cr_assert(file != NULL);
	fputs("x0,x1,y,unused\n", file);
	for (size_t i = 0; i < table->rows; i++) {
		for (size_t j = 0; j <= table->features; j++) {
			double value = *table_at(table, i, j);
			if (isnan(value))
				fprintf(file, "%s,", words[next++ % (sizeof words / sizeof words[0])]);
			else
				fprintf(file, "%.9g,", value);
		}
		/* Missing in a column that is not used, and so no reason to leave the row out. */
		fputs(i % 2 == 0 ? "NA\n" : "1\n", file);
	}
	cr_assert_eq(fclose(file), 0);
}

Test(formats, leave_out_rows_with_missing_values_and_count_them)
{
	char note[96];
	struct table table = table_new(ROWS, FEATURES, 0.5, 4);
	size_t holes = make_holes(&table);
	struct table rest = without_missing(&table);
	write_with_holes(&table);
	workspace_configure("{\"dataset\": {\"path\": \"x.csv\", \"features\": [\"x0\", \"x1\"], \"target\": \"y\", "
	                    "\"missing\": \"skip_row\"}, \"training\": {\"epochs\": 20000}}");
	expect_fit(&rest, "x0|x1|y", "missing values");
	struct run_result result = workspace_run(TRAINING("--json", "--set", "workers=3"), NULL);
	json_t *model = model_of(&result);
	cr_expect_eq(json_number_at(model, "dataset.rows"), (double)table.rows);
	snprintf(note, sizeof note, "coordinator: note: %zu rows with missing values left out\n", holes);
	cr_expect(strstr(result.err, note) != NULL, "%s", result.err);
	json_decref(model);
	run_result_release(&result);
	table_release(&rest);
	table_release(&table);
}

Test(formats, leave_out_text_columns_with_a_note)
{
	struct table table = table_new(ROWS, FEATURES, 0.5, 5);
	FILE *file = fopen(workspace_path("x.csv"), "w");
	cr_assert(file != NULL);
	fputs("x0;cut;x1;Größe;y\n", file);
	for (size_t i = 0; i < table.rows; i++)
		fprintf(file, "%.9g;fair;%.9g;\"groß; größer\";%.9g\n", *table_at(&table, i, 0),
		        *table_at(&table, i, 1), *table_at(&table, i, 2));
	cr_assert_eq(fclose(file), 0);
	configure("x.csv");
	expect_fit(&table, "x0|x1|y", "text columns");
	struct run_result result = workspace_run(TRAINING("--json"), NULL);
	cr_expect(strstr(result.err,
	                  "coordinator: note: columns left out because they are not numeric: cut, Größe\n") != NULL,
	        "%s", result.err);
	run_result_release(&result);
	table_release(&table);
}

struct selection {
	char features[32];
	char target[16];
	size_t places[3]; /* in the file, the target's last */
	char names[16];
};

ParameterizedTestParameters(formats, take_columns_by_name_or_place)
{
	static struct selection selections[] = {
	        {"[\"x2\", \"x0\"]", "y", {2, 0, 3}, "x2|x0|y"},
	        {"[2, 0]", "3", {2, 0, 3}, "x2|x0|y"},
	        {"[3, \"x1\"]", "x0", {3, 1, 0}, "y|x1|x0"},
	        {"[\"y\", 2]", "1", {3, 2, 1}, "y|x2|x1"},
	};
	return cr_make_param_array(struct selection, selections, sizeof selections / sizeof selections[0]);
}

ParameterizedTest(struct selection *selection, formats, take_columns_by_name_or_place)
{
	char features[64], target[48];
	struct table table = table_new(ROWS, 3, 0.5, 6);
	struct table chosen = table_new(ROWS, 2, 0.5, 6);
	for (size_t i = 0; i < ROWS; i++)
		for (size_t j = 0; j < 3; j++)
			*table_at(&chosen, i, j) = *table_at(&table, i, selection->places[j]);
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){0});
	configure("x.csv");
	snprintf(features, sizeof features, "dataset.features=%s", selection->features);
	snprintf(target, sizeof target, "dataset.target=%s", selection->target);
	json_t *model = TRAIN("--quiet", "--set", features, "--set", target);
	expect_least_squares(model, &chosen, features);
	expect_names(model, selection->names, features);
	json_decref(model);
	table_release(&chosen);
	table_release(&table);
}

ParameterizedTestParameters(formats, include_each_version_of_npy)
{
	static int versions[] = {1, 2, 3};
	return cr_make_param_array(int, versions, sizeof versions / sizeof versions[0]);
}

ParameterizedTest(int *version, formats, include_each_version_of_npy)
{
	struct table table = table_new(ROWS, FEATURES, 0.5, 7);
	/* Without the suffix, the magic has to tell. */
	configure("x");
	for (unsigned choice = 0; choice < 4; choice++) {
		char what[64];
		struct npy_style style = {.version = *version, .narrow = choice & 1, .fortran = choice & 2};
		table_write_npy(&table, workspace_path("x"), style);
		snprintf(what, sizeof what, "version %d, f%d%s", *version, style.narrow ? 4 : 8,
		        style.fortran ? ", Fortran order" : "");
		expect_fit(&table, "c0|c1|c2", what);
	}
	table_release(&table);
}
