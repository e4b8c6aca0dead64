/* The order of additions that worker/kernels.h fixes, one number at a time. */
#include "tests/unit/kernel_clones.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

TestSuite(kernels_order, .timeout = 120);

static double add_four(const double *four)
{
	return (four[0] + four[2]) + (four[1] + four[3]);
}

static double add_eight(const double *eight)
{
	const double four[] = {eight[0] + eight[4], eight[1] + eight[5], eight[2] + eight[6], eight[3] + eight[7]};
	return add_four(four);
}

static double ordered_error(const struct clones *with, uint32_t d, const double *row)
{
	double prediction = with->parameters[d], eight[8] = {0};
	const uint32_t blocks = d / 8 * 8;
	for (uint32_t j = 0; j < d; j++) {
		const double w = with->parameters[j], x = row[j] - with->centre[j];
		double *sum = d < TILE_WIDE_FEATURES ? &prediction : &eight[j < blocks ? j % 8 : 8 - (d - j)];
		*sum = fma(w, x, *sum);
	}
	if (d >= TILE_WIDE_FEATURES)
		prediction = add_eight(eight) + prediction;
	return prediction - (row[d] - with->centre[d]);
}

/* Σ e·x_j for one feature. */
static double ordered_product(
        const struct clones *with, uint32_t d, const double *table, size_t rows, const double *errors, uint32_t j)
{
	double lane[8] = {0}, sum = 0;
	for (size_t row = 0; row < rows; row += 4) {
		double four[4] = {0};
		for (size_t i = 0; i < 4 && row + i < rows; i++) {
			const double x = table[(row + i) * (d + 1) + j] - with->centre[j];
			four[i % 2] = fma(errors[row + i], x, four[i % 2]);
			lane[(row + i) % 8] = fma(errors[row + i], x, lane[(row + i) % 8]);
		}
		sum += four[0] + four[1];
	}
	return d < TILE_WIDE_FEATURES ? add_eight(lane) : sum;
}

static struct sums ordered_gradient(const struct clones *with, uint32_t d, const double *table, size_t rows)
{
	struct sums sums = {.present = rows > 0, .width = d + 3};
	double errors[1000], total[8] = {0}, square[8] = {0};
	if (rows == 0)
		return sums;
	for (size_t row = 0; row < rows; row++) {
		errors[row] = ordered_error(with, d, table + row * (d + 1));
		total[row % 8] += errors[row];
		square[row % 8] = fma(errors[row], errors[row], square[row % 8]);
	}
	for (uint32_t j = 0; j < d; j++)
		sums.values[j] = ordered_product(with, d, table, rows, errors, j);
	sums.values[d] = add_eight(total);
	sums.values[d + 1] = add_eight(square);
	sums.values[d + 2] = (double)rows;
	return sums;
}

/*
 * So that a result can be calculated again on any machine, with any compiler, from any later version. Catches the
 * mutation lane_order.
 */
Test(kernels_order, come_from_additions_in_the_order_that_is_written_down)
{
	uint64_t state = 4;
	for (int i = 0; i < (int)kernel_feature_count; i++) {
		struct clones clones;
		uint32_t d = kernel_feature_counts[i];
		clones_init(&clones, &state, d, false);
		clones_choose(&clones, KERNEL_GRADIENT);
		for (int j = 0; j < KERNEL_ROW_COUNTS; j++) {
			struct layouts layouts;
			double *table = rows_random(&state, kernel_row_count(j), d);
			layouts_init(&layouts, table, kernel_row_count(j), d);
			struct sums sums = ordered_gradient(&clones, d, table, kernel_row_count(j));
			assert_everywhere(&clones, &layouts, &sums);
			layouts_release(&layouts);
			free(table);
		}
		clones_release(&clones);
	}
}
