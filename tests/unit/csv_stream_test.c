#include "coordinator/csv_stream.h"

#include "coordinator/config.h"
#include "tests/unit/config_reading.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(csv_stream, .init = scratch_enter, .fini = scratch_leave, .timeout = 60);

struct opened {
	struct config config;
	struct loader loader;
	struct csv_stream stream;
};

static void open_stream(struct opened *opened)
{
	struct error error = {0};
	cr_assert(config_of_dataset("data.csv", &opened->config, &error), "%s", error.message);
	cr_assert(loader_open(&opened->loader, &opened->config, &error), "%s", error.message);
	cr_assert(csv_stream_open(&opened->stream, &opened->loader, &error), "%s", error.message);
}

static void close_stream(struct opened *opened)
{
	csv_stream_release(&opened->stream);
	loader_release(&opened->loader);
	config_release(&opened->config);
}

/* Records of all lengths up to several buffers, so that they lie across every border. */
Test(csv_stream, gives_every_row_once_and_in_order)
{
	enum { ROWS = 300000, LONG_EVERY = 50000 };
	struct opened opened;
	struct error error = {0};
	FILE *file = fopen("data.csv", "w");
	cr_assert(file != NULL);
	fputs("note,x,y\n", file);
	for (int i = 0; i < ROWS; i++) {
		fputc('"', file);
		for (int j = i % LONG_EVERY == 77 ? 3000000 : i % 13; j > 0; j--)
			fputc(j % 5 == 0 ? '\n' : 'a', file);
		fprintf(file, "\",%d,%d\n", i, -i);
	}
	cr_assert_eq(fclose(file), 0);
	open_stream(&opened);
	size_t count, row = 0;
	do {
		cr_assert(csv_stream_next(&opened.stream, &count, &error), "%s", error.message);
		for (size_t i = 0; i < count; i++, row++)
			cr_assert(opened.stream.rows[2 * i] == (double)row &&
			                  opened.stream.rows[2 * i + 1] == -(double)row,
			        "row %zu", row);
	} while (count > 0);
	cr_expect_eq(row, ROWS);
	close_stream(&opened);
}

Test(csv_stream, tells_the_place_of_a_bad_number_far_down)
{
	enum { ROWS = 200000 };
	struct opened opened;
	struct error error = {0};
	FILE *file = fopen("data.csv", "w");
	cr_assert(file != NULL);
	fputs("x,y\n", file);
	for (int i = 0; i < ROWS; i++)
		fputs(i == ROWS - 2 ? "1.5,oops\n" : "1.5,2.5\n", file);
	cr_assert_eq(fclose(file), 0);
	open_stream(&opened);
	size_t count;
	bool going = true;
	do
		going = csv_stream_next(&opened.stream, &count, &error);
	while (going && count > 0);
	cr_expect_not(going);
	cr_expect_eq(error.code, EXIT_BAD_DATASET);
	cr_expect_str_eq(error.message, "data.csv:200000:5: 'oops' is not a number (column \"y\")");
	close_stream(&opened);
}
