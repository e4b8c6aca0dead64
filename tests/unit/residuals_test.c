#include "worker/residuals.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(residuals, .timeout = 30);

/* Rows of one feature and the target, side by side; the fit is 2·x + 1, the centre zero. */
static const double centre[2] = {0, 0};
static const size_t offsets[2] = {0, sizeof(double)};

static struct leaf_rows leaf_of(const double (*rows)[2], size_t count)
{
	return (struct leaf_rows){
	        .base = (const unsigned char *)rows,
	        .offsets = offsets,
	        .row_stride = 2 * sizeof(double),
	        .rows = count,
	        .element = ELEMENT_F8,
	        .side_by_side = 2,
	};
}

/* further: the width of a bin, or a slice. */
static bool ask(enum kernel kernel, double further, uint32_t leaf, uint32_t leaf_count, const double (*rows)[2],
        size_t count, double *out)
{
	struct tile_reader reader;
	const struct params params = {kernel, 3, (const double[]){2, 1, further}};
	const struct residual_question question = {&params, centre, leaf_count, &reader};
	cr_assert(tile_reader_init(&reader, 1, true));
	struct leaf_rows lie = leaf_of(rows, count);
	bool told = residuals_want_leaf(&question, leaf) && residuals_sum_leaf(&question, leaf, &lie, out);
	tile_reader_release(&reader);
	return told;
}

Test(residuals, are_counted_in_the_bin_they_lie_in)
{
	/* Residuals 0, 0.5, -0.5, 16, -16, and what is not below 16 or is below -16. */
	static const double rows[][2] = {
	        {1, 3}, {1, 3.5}, {1, 2.5}, {1, 19}, {1, -13}, {1, 1e300}, {1, -1e300}, {1, NAN}};
	double out[RESIDUAL_BINS + 1], wanted[RESIDUAL_BINS + 1] = {0};
	cr_assert(ask(KERNEL_RESIDUALS, 0.5, 0, 1, rows, sizeof rows / sizeof *rows, out));
	wanted[RESIDUAL_BINS / 2] = 1;
	wanted[RESIDUAL_BINS / 2 + 1] = 1;
	wanted[RESIDUAL_BINS / 2 - 1] = 1;
	wanted[1] = 1;
	wanted[RESIDUAL_BINS - 1] = 2;
	wanted[0] = 1;
	wanted[RESIDUAL_BINS] = 7;
	cr_expect_arr_eq(out, wanted, sizeof wanted);
}

Test(residuals, of_no_rows_are_absent)
{
	static const double rows[][2] = {{1, NAN}};
	double out[3 * SAMPLE_SLICE + 1];
	cr_expect_not(ask(KERNEL_RESIDUALS, 1, 0, 1, rows, 1, out));
	cr_expect_not(ask(KERNEL_SAMPLE, 0, 0, 1, rows, 1, out));
}

/* Of five leaves the third has the points 8 to 11, and two rows for them. */
Test(residuals, sample_the_first_rows_that_count)
{
	static const double rows[][2] = {{NAN, 1}, {4, 7.5}, {NAN, 1}, {1, 1}};
	double out[3 * SAMPLE_SLICE + 1], wanted[3 * SAMPLE_SLICE + 1] = {0};
	cr_assert(ask(KERNEL_SAMPLE, 0, 2, 5, rows, 4, out));
	memcpy(wanted + 24, (const double[]){1, 7.5, -1.5, 1, 1, -2}, 6 * sizeof *wanted);
	wanted[3 * SAMPLE_SLICE] = 2;
	for (size_t i = 0; i <= 3 * SAMPLE_SLICE; i++)
		cr_expect_eq(out[i], wanted[i], "place %zu: %g", i, out[i]);
}

/* Of 300 leaves, leaf 18 has the points 62 to 64: the third is in the next slice, if the leaf has three rows. */
Test(residuals, sample_a_leaf_in_each_slice_that_has_rows_of_it)
{
	static const double rows[][2] = {{1, 3}, {1, 4}, {1, 5}, {1, 6}};
	double out[3 * SAMPLE_SLICE + 1];
	cr_assert(ask(KERNEL_SAMPLE, 0, 18, 300, rows, 4, out));
	cr_expect(out[3 * 62 + 2] == 0 && out[3 * 63 + 2] == 1 && out[3 * SAMPLE_SLICE] == 2);
	cr_assert(ask(KERNEL_SAMPLE, 1, 18, 300, rows, 4, out));
	cr_expect(out[0] == 1 && out[1] == 5 && out[2] == 2 && out[3 * SAMPLE_SLICE] == 1);
	cr_expect_not(ask(KERNEL_SAMPLE, 1, 18, 300, rows, 2, out));
	cr_expect_not(ask(KERNEL_SAMPLE, 2, 18, 300, rows, 4, out));
}

/* Each point is a row of one leaf; leaves are in order and evenly spaced. */
Test(residuals, sample_evenly_spaced_leaves)
{
	static const uint32_t counts[] = {
	        1, 2, 63, 64, 65, 255, 256, 257, 300, 1000, 1023, 1024, 1025, 1500, 4095, 4096};
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		uint64_t points = sums_sample_points(counts[i]), found = 0;
		for (uint32_t leaf = 0; leaf < counts[i]; leaf++) {
			struct range of_leaf = sums_sample_of_leaf(leaf, counts[i]);
			cr_assert_eq(of_leaf.begin, found, "%u leaves, leaf %u", counts[i], leaf);
			cr_assert_leq(of_leaf.end - of_leaf.begin, SAMPLE_OF_LEAF);
			for (; found < of_leaf.end; found++)
				cr_expect_eq(leaf, (uint32_t)(found * counts[i] / points));
		}
		cr_expect_eq(found, points, "%u leaves: %lu points of %lu", counts[i], (unsigned long)found,
		        (unsigned long)points);
		cr_expect_leq(points, SAMPLE_POINTS);
	}
}
