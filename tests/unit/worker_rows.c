#include "tests/unit/worker_rows.h"

#include "tests/unit/config_reading.h"
#include "worker/worker.h"

#include <criterion/criterion.h>
#include <string.h>

struct worker_child child;
struct answer answer;

struct dataset_file file;
struct assignment assignment;

void worker_rows_begin(void)
{
	scratch_enter();
	dataset_file_init_npy(&file, "a.npy", ROWS, COLUMNS - 1, ELEMENT_F8, false);
	assignment = dataset_file_assign(&file, 1, 0);
	worker_child_start(&child, 0);
}

void worker_rows_end(void)
{
	worker_child_end(&child);
	dataset_file_release(&file);
	scratch_leave();
}

void load(void)
{
	worker_child_assign(&child, &assignment, 1);
	worker_child_receive(&child, FRAME_READY, &answer);
}

void expect_error(enum error_stage stage, const char *text)
{
	worker_child_receive(&child, FRAME_ERROR, &answer);
	cr_expect_eq(answer.error.stage, stage);
	cr_expect_str_eq(answer.error.text, text);
	cr_expect(worker_child_says_no_more(&child));
	cr_expect_eq(worker_child_wait(&child), WORKER_GAVE_UP);
}

void expect_end(void)
{
	cr_expect(worker_child_says_no_more(&child));
	cr_expect_eq(worker_child_wait(&child), WORKER_LEFT);
}

void sum_rows(const double *asked, double *sums)
{
	memset(sums, 0, (COLUMNS + 2) * sizeof *sums);
	for (uint64_t row = assignment.leaves.begin; row < assignment.leaves.end; row++) { /* one a leaf */
		const double *numbers = file.table + row * COLUMNS;
		double x[COLUMNS];
		for (int j = 0; j < COLUMNS; j++)
			x[j] = numbers[j] - assignment.centre[j];
		double e = asked[0] * x[0] + asked[1] * x[1] + asked[2] - x[2];
		sums[0] += e * x[0];
		sums[1] += e * x[1];
		sums[2] += e;
		sums[3] += e * e;
		sums[4] += 1;
	}
}

void expect_sums(const double *expected, size_t width)
{
	cr_assert_eq(answer.gradient.width, width);
	for (size_t i = 0; i < width; i++) {
		double sum = 0;
		for (size_t node = 0; node < answer.gradient.node_count; node++)
			sum += answer.gradient.vectors[node * width + i];
		cr_expect_eq(sum, expected[i], "sum %zu", i);
	}
}

const double parameters[COLUMNS] = {2, -1, 3};
