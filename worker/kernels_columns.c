#include "worker/kernels_shared.h"

/*
 * Wide rows in Fortran order, few at a time: a group's rows lie side by side in each column, so that a vector is a
 * column's four numbers. Two groups go through the columns together, for which the sums are registers enough; of f8
 * they take a line of cache from each column.
 */
enum { GROUPS = KERNELS_COLUMN_GROUPS, SWEEP_ROWS = GROUPS * LANES };

/*
 * So many columns before its turn a column's line is asked for; behind the last column come the first ones of the next
 * rows. 32 and 128 were slower by 5 to 10 %. No processor does this by itself: there are as many runs as columns.
 *
 * What the memory gives in this order is less than straight on: two processes that only read 64 bytes of each of 16,
 * 128 and 512 columns in turn, likewise with prefetches, came to 0.95, 0.5 and 0.45 of it. With 256 bytes of each in
 * turn it was 0.75 from 128 columns on, but the sums of so many rows are in no registers, and all was slower.
 */
enum { COLUMNS_AHEAD = 64, BLOCKS_AHEAD = COLUMNS_AHEAD / LANES };

/* Asks for the line of each of a block's columns in which the byte at `at` is, but for the column's offset. */
INLINE void ask_columns(const unsigned char *at, const size_t *offsets)
{
#pragma GCC unroll 4
	for (size_t k = 0; k < LANES; k++)
		__builtin_prefetch(at + offsets[k]);
}

/* Sums up the predictions of some groups, each of so many rows, and keeps the centred numbers for the products. */
INLINE void columns_predictions(const struct kernels *kernels, const struct leaf_rows *tile, size_t row,
        const size_t groups, const size_t rows, const enum element_type element, lanes *predictions)
{
	const size_t d = kernels->features, blocks = kernels->blocks, bytes = LANES * element_bytes(element);
	const size_t *offsets = tile->offsets;
	const unsigned char *base = tile->base + row * element_bytes(element);
	const unsigned char *ahead = base + BLOCKS_AHEAD / blocks * groups * bytes + groups * bytes - 1;
	size_t ahead_block = BLOCKS_AHEAD % blocks;
	double *kept = kernels->group;
	lanes sums[LANES][GROUPS] = {{{0}}};
	for (size_t block = 0; block < blocks; block++) {
		const size_t *places = offsets + block_column(LANES * block, d);
#pragma GCC unroll 4
		for (size_t k = 0; k < LANES; k++) {
			const unsigned char *at = base + places[k];
			const double w = kernels->weights[LANES * block + k], c = kernels->centre[LANES * block + k];
#pragma GCC unroll 2
			for (size_t g = 0; g < groups; g++, kept += LANES) {
				lanes x = column_rows(at + g * bytes, rows, c, element);
				sums[k][g] += w * x;
				lanes_store(kept, x);
			}
		}
		ask_columns(ahead, offsets + block_column(LANES * ahead_block, d));
		if (++ahead_block == blocks) {
			ahead_block = 0;
			ahead += groups * bytes;
		}
	}
#pragma GCC unroll 2
	for (size_t g = 0; g < groups; g++)
		predictions[g] = ((sums[0][g] + sums[2][g]) + (sums[1][g] + sums[3][g])) + kernels->intercept;
}

/* sums += Σ e·x over each group, or Σ e·x². */
INLINE void columns_products(const struct kernels *kernels, const size_t groups, const lanes *e, const bool squared)
{
	const size_t blocks = kernels->blocks;
	const double *kept = kernels->group;
	for (size_t block = 0; block < blocks; block++, kept += LANES * groups * LANES) {
		lanes sum = lanes_at(kernels->sums + LANES * block);
#pragma GCC unroll 2
		for (size_t g = 0; g < groups; g++) {
			lanes x[LANES];
#pragma GCC unroll 4
			for (size_t k = 0; k < LANES; k++) {
				x[k] = lanes_at(kept + (k * groups + g) * LANES);
				if (squared)
					x[k] *= x[k];
			}
			sum += lanes_add_each(e[g] * x[0], e[g] * x[1], e[g] * x[2], e[g] * x[3]);
		}
		lanes_store(kernels->sums + LANES * block, sum);
	}
}

INLINE void columns_sweep(const struct kernels *kernels, const struct leaf_rows *tile, size_t row, const size_t groups,
        const size_t rows, const enum element_type element, struct row_sums *sums)
{
	const unsigned char *target = tile->base + tile->offsets[kernels->features] + row * element_bytes(element);
	lanes e[GROUPS];
	columns_predictions(kernels, tile, row, groups, rows, element, e);
	for (size_t g = 0; g < groups; g++) {
		lanes y = column_rows(
		        target + g * LANES * element_bytes(element), rows, -kernels->target_centre, element);
		e[g] = add_rows(kernels, e[g], y, rows_counts(rows), sums);
	}
	if (kernels->kernel == KERNEL_MOMENTS)
		columns_products(kernels, groups, e, true);
	else if (kernels->kernel != KERNEL_METRICS)
		columns_products(kernels, groups, e, false);
}

INLINE void columns_of(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	size_t row = 0;
	for (; row + SWEEP_ROWS <= tile->rows; row += SWEEP_ROWS)
		columns_sweep(kernels, tile, row, GROUPS, LANES, element, &sums);
	if (row + LANES <= tile->rows) {
		columns_sweep(kernels, tile, row, 1, LANES, element, &sums);
		row += LANES;
	}
	if (row < tile->rows)
		columns_sweep(kernels, tile, row, 1, tile->rows - row, element, &sums);
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
}

INLINE void sum_columns(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		columns_of(kernels, tile, ELEMENT_F4);
	else
		columns_of(kernels, tile, ELEMENT_F8);
}

KERNELS_CLONES(kernels_sum_wide_columns, sum_columns)
