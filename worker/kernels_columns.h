/* Wide rows in Fortran order, as the baseline and the AVX2 clone sum them. Only they include this. */
#ifndef FORKFIT_WORKER_KERNELS_COLUMNS_H
#define FORKFIT_WORKER_KERNELS_COLUMNS_H

#include "worker/kernels_columns_ahead.h"
#include "worker/kernels_shared.h"

/*
 * Wide rows in Fortran order: a group's rows lie side by side in each column, so that a vector is a column's four
 * numbers. Two groups go through the columns together: of f8 they take a line of cache from each. Beside that the
 * memory is asked for long runs of each column (kernels_columns_ahead.h).
 */
enum { GROUPS = 2, STRIP_ROWS = GROUPS * LANES };

/*
 * So many columns before its turn a column's line is asked for, into the first-level cache; behind the last column come
 * the first ones of the next rows. 16, 32 and 128 were as good; none at all is worse, as there are as many runs as
 * columns, which no processor sees by itself.
 */
enum { COLUMNS_AHEAD = 64, BLOCKS_AHEAD = COLUMNS_AHEAD / BLOCK };

/* Asks for the line of each of a block's columns in which the byte at `at` is, but for the column's offset. */
INLINE void ask_columns(const unsigned char *at, const size_t *offsets)
{
#pragma GCC unroll 8
	for (size_t k = 0; k < BLOCK; k++)
		__builtin_prefetch(at + offsets[k]);
}

/* A column's numbers that lie side by side, centred; 0 for those that are missing. */
INLINE lanes column_rows(const unsigned char *at, const size_t rows, double c, const enum element_type element)
{
	if (rows == LANES)
		return lanes_of_elements(at, element) + lanes_of_all(c);
	lanes x = {0};
	for (size_t i = 0; i < rows; i++)
		x[i] = element_at(at + i * element_bytes(element), element) + c;
	return x;
}

/* Groups that go through the columns together. */
struct strip {
	const unsigned char *rows; /* but for a column's offset */
	struct asker *asker;
};

/* Sums up the predictions of some groups, each of so many rows, and keeps the centred numbers for the products. */
INLINE void columns_predictions(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t groups, const size_t rows, const enum element_type element, lanes *predictions)
{
	const size_t d = kernels->features, blocks = kernels->blocks, bytes = LANES * element_bytes(element);
	const unsigned char *ahead = strip->rows + (BLOCKS_AHEAD / blocks + 1) * groups * bytes - 1;
	size_t ahead_block = BLOCKS_AHEAD % blocks;
	double *kept = kernels->group;
	lanes sums[BLOCK][GROUPS] = {{{0}}};
	for (size_t block = 0; block < blocks; block++) {
		const size_t *places = tile->offsets + block_column(BLOCK * block, d);
#pragma GCC unroll 8
		for (size_t k = 0; k < BLOCK; k++) {
			const unsigned char *at = strip->rows + places[k];
			const double w = kernels->weights[BLOCK * block + k], c = kernels->centre[BLOCK * block + k];
#pragma GCC unroll 2
			for (size_t g = 0; g < groups; g++, kept += LANES) {
				const lanes x = column_rows(at + g * bytes, rows, c, element);
				sums[k][g] = lanes_fused(lanes_of_all(w), x, sums[k][g]);
				lanes_store(kept, x);
			}
		}
		ask_for_block(kernels, tile, strip->asker, block, groups * bytes);
		ask_columns(ahead, tile->offsets + block_column(BLOCK * ahead_block, d));
		if (++ahead_block == blocks) {
			ahead_block = 0;
			ahead += groups * bytes;
		}
	}
#pragma GCC unroll 2
	for (size_t g = 0; g < groups; g++)
		predictions[g] = (((sums[0][g] + sums[4][g]) + (sums[2][g] + sums[6][g])) +
		                         ((sums[1][g] + sums[5][g]) + (sums[3][g] + sums[7][g]))) +
		                 lanes_of_all(kernels->intercept);
}

/* { e_0·a_0 + e_2·a_2, e_1·a_1 + e_3·a_3, and the same of b }: `first` is e_0, e_1 twice, `second` e_2, e_3. */
INLINE lanes add_halves(lanes first, lanes second, lanes a, lanes b)
{
	return lanes_fused(
	        second, __builtin_shufflevector(a, b, 2, 3, 6, 7), first * __builtin_shufflevector(a, b, 0, 1, 4, 5));
}

/* { Σ e·a, Σ e·b, Σ e·c, Σ e·d } over a group's four rows. */
INLINE lanes add_each_product(lanes e, const lanes *x)
{
	const lanes first = __builtin_shufflevector(e, e, 0, 1, 0, 1),
	            second = __builtin_shufflevector(e, e, 2, 3, 2, 3);
	const lanes ac = add_halves(first, second, x[0], x[2]), bd = add_halves(first, second, x[1], x[3]);
	return __builtin_shufflevector(ac, bd, 0, 4, 2, 6) + __builtin_shufflevector(ac, bd, 1, 5, 3, 7);
}

/* sums += Σ e·x over each group, or Σ e·x². */
INLINE void columns_products(const struct kernels *kernels, const size_t groups, const lanes *e, const bool squared)
{
	const size_t columns = BLOCK * kernels->blocks;
	const double *kept = kernels->group;
	for (size_t column = 0; column < columns; column += LANES, kept += LANES * groups * LANES) {
		lanes sum = lanes_at(kernels->sums + column);
#pragma GCC unroll 2
		for (size_t g = 0; g < groups; g++) {
			lanes x[LANES];
#pragma GCC unroll 4
			for (size_t k = 0; k < LANES; k++) {
				x[k] = lanes_at(kept + (k * groups + g) * LANES);
				if (squared)
					x[k] *= x[k];
			}
			sum += add_each_product(e[g], x);
		}
		lanes_store(kernels->sums + column, sum);
	}
}

/* The groups of eight rows from the first one on. */
INLINE void sum_strip(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t groups, const size_t rows, const size_t half, const enum element_type element,
        struct row_sums *sums)
{
	const unsigned char *target = strip->rows + tile->offsets[kernels->features];
	const struct group group = {.counts = rows_counts(rows)};
	lanes e[GROUPS];
	ask_target(strip->asker, target);
	columns_predictions(kernels, tile, strip, groups, rows, element, e);
#pragma GCC unroll 2
	for (size_t g = 0; g < groups; g++) {
		const lanes y = column_rows(
		        target + g * LANES * element_bytes(element), rows, -kernels->target_centre, element);
		e[g] = add_rows(kernels, e[g], y, &group, rows == LANES, half + g, sums);
	}
	if (kernels->kernel == KERNEL_MOMENTS)
		columns_products(kernels, groups, e, true);
	else if (kernels->kernel != KERNEL_METRICS)
		columns_products(kernels, groups, e, false);
}

INLINE void columns_of(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	const size_t group_bytes = LANES * element_bytes(element);
	struct row_sums sums = row_sums_of(kernels);
	struct asker asker = asker_at(kernels, tile->base);
	struct strip strip = {.rows = tile->base, .asker = &asker};
	size_t left = tile->rows, half = 0;
	for (; left >= STRIP_ROWS; left -= STRIP_ROWS, strip.rows += GROUPS * group_bytes)
		sum_strip(kernels, tile, &strip, GROUPS, LANES, 0, element, &sums);
	if (left >= LANES) {
		sum_strip(kernels, tile, &strip, 1, LANES, half++, element, &sums);
		left -= LANES;
		strip.rows += group_bytes;
	}
	if (left > 0)
		sum_strip(kernels, tile, &strip, 1, left, half, element, &sums);
	row_sums_store(kernels, &sums);
}

NOT_INLINE void sum_columns(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		columns_of(kernels, tile, ELEMENT_F4);
	else
		columns_of(kernels, tile, ELEMENT_F8);
}

#endif
