/* What a worker does about its dataset: when it loads again, and what it says of numbers that are none. */
#include "worker/worker.h"

#include "tests/unit/config_reading.h"
#include "tests/unit/worker_rows.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <unistd.h>

TestSuite(worker_data, .init = worker_rows_begin, .fini = worker_rows_end, .timeout = 60);

Test(worker_data, keeps_its_chunk_when_only_the_centre_changes)
{
	double sums[COLUMNS + 2];
	load();
	cr_assert_eq(unlink(file.dataset.path), 0);
	for (int j = 0; j < COLUMNS; j++)
		file.centre[j] = 4 * j - 8;
	worker_child_assign(&child, &assignment, 2);
	worker_child_receive(&child, FRAME_READY, &answer);
	cr_expect_eq(answer.ready.rows, ROWS);
	cr_expect_arr_eq(answer.ready.first_row, file.table, COLUMNS * sizeof(double));
	worker_child_ask(&child, KERNEL_GRADIENT, parameters, 3);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	sum_rows(parameters, sums);
	expect_sums(sums, COLUMNS + 2);
}

/* One change to an assignment for each case; false: no more cases. */
static bool change_assignment(int number)
{
	struct dataset *dataset = &assignment.dataset;
	switch (number) {
	case 0:
		assignment.leaves.end--;
		return true;
	case 1:
		assignment.leaves.begin++;
		return true;
	case 2:
		assignment.leaf_count++;
		return true;
	case 3:
		dataset->columns[0] = 1;
		return true;
	case 4:
		dataset->missing = MISSING_SKIP_ROW;
		return true;
	case 5:
		dataset->fortran_order = true;
		return true;
	case 6:
		dataset->element = ELEMENT_F4;
		return true;
	case 7:
		dataset->data_offset -= 8;
		return true;
	case 8:
		dataset->rows--;
		return true;
	case 9:
		dataset->identity.modified_ns++;
		return true;
	case 10:
		assignment.cache_bytes--;
		return true;
	case 11:
		assignment.quotes = !assignment.quotes;
		return true;
	default:
		return false;
	}
}

Test(worker_data, loads_again_when_anything_else_changes)
{
	const struct assignment original = assignment;
	const uint32_t first_column = assignment.dataset.columns[0];
	for (int number = 0; change_assignment(number); number++) {
		assignment = original;
		assignment.dataset.columns[0] = first_column;
		dataset_identify(&assignment.dataset);
		load();
		cr_assert_eq(rename("a.npy", "gone"), 0);
		change_assignment(number);
		worker_child_assign(&child, &assignment, 2);
		expect_error(STAGE_DATASET, "cannot open the dataset: No such file or directory");
		cr_assert_eq(rename("gone", "a.npy"), 0);
		worker_child_end(&child);
		worker_child_start(&child, 0);
	}
}

Test(worker_data, says_where_a_csv_is_bad)
{
	static const char text[] = "x,y\n1,2\n3,4\n5,six\n7,8\n";
	write_file("bad.csv", text, sizeof text - 1);
	uint32_t columns[] = {0, 1};
	struct dataset dataset = {.path = "bad.csv",
	        .format = DATASET_CSV,
	        .data_offset = 4,
	        .file_columns = 2,
	        .features = 1,
	        .columns = columns,
	        .delimiter = ','};
	dataset_identify(&dataset);
	assignment = (struct assignment){.dataset = dataset,
	        .leaf_count = 4,
	        .leaves = {0, 4},
	        .bytes = {4, sizeof text - 1},
	        .quotes = true,
	        .centre = (double[2]){0}};
	worker_child_assign(&child, &assignment, 1);
	expect_error(STAGE_DATASET, "'six' is not a number");
	cr_expect(answer.error.offset == 14 && answer.error.column == 1);
}

/* Puts a number into a row's target, in the file. */
static void spoil(size_t row, double value)
{
	FILE *out = fopen(file.dataset.path, "r+");
	cr_assert(out != NULL);
	size_t element = row * file.dataset.file_columns + file.dataset.columns[COLUMNS - 1];
	cr_assert(fseek(out, (long)(file.dataset.data_offset + 8 * element), SEEK_SET) == 0);
	cr_assert(fwrite(&value, sizeof value, 1, out) == 1 && fclose(out) == 0);
	dataset_identify(&assignment.dataset);
}

Test(worker_data, finds_a_missing_value_of_an_array_in_its_first_sums)
{
	spoil(70, NAN);
	load();
	worker_child_ask(&child, KERNEL_MEANS, parameters, 2);
	expect_error(STAGE_DATASET, "nan is a missing value");
	cr_expect(answer.error.offset == 70 && answer.error.column == assignment.dataset.columns[COLUMNS - 1]);
}

Test(worker_data, leaves_a_row_with_a_missing_value_out_if_told_to)
{
	spoil(70, NAN);
	assignment.dataset.missing = MISSING_SKIP_ROW;
	load();
	worker_child_ask(&child, KERNEL_METRICS, parameters, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	double rows = 0;
	for (size_t node = 0; node < answer.gradient.node_count; node++)
		rows += answer.gradient.vectors[node * 3 + 2];
	cr_expect_eq(rows, ROWS - 1);
}

Test(worker_data, takes_leaves_without_rows_for_decided_up_to_the_end_of_its_run)
{
	spoil(70, NAN);
	spoil(71, NAN);
	assignment.dataset.missing = MISSING_SKIP_ROW;
	assignment.leaves = (struct range){68, 72};
	load();
	worker_child_ask(&child, KERNEL_METRICS, parameters, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	cr_assert_eq(answer.gradient.node_count, 1);
	cr_expect(answer.gradient.nodes[0].level == 2 && answer.gradient.nodes[0].index == 17);
	cr_expect_eq(answer.gradient.vectors[2], 2);
}

Test(worker_data, sends_sums_that_are_too_large_as_they_are)
{
	spoil(70, 1e308);
	load();
	worker_child_ask(&child, KERNEL_MOMENTS, parameters, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	bool infinite = false;
	for (size_t i = 0; i < (size_t)answer.gradient.node_count * answer.gradient.width; i++)
		infinite = infinite || isinf(answer.gradient.vectors[i]);
	cr_expect(infinite);
}
