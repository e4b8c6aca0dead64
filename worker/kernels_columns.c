#include "worker/kernels_columns_ahead.h"
#include "worker/kernels_shared.h"

/*
 * Wide rows in Fortran order: a group's rows lie side by side in each column, so that a vector is a column's four
 * numbers. Two groups go through the columns together, for which the sums are registers enough; of f8 they take a line
 * of cache from each column. Beside that the memory is asked for long runs of each column (kernels_columns_ahead.h).
 */
enum { GROUPS = KERNELS_COLUMN_GROUPS, STRIP_ROWS = GROUPS * LANES };

/*
 * So many columns before its turn a column's line is asked for, into the first-level cache; behind the last column come
 * the first ones of the next rows. 16, 32 and 128 were as good; none at all is worse, as there are as many runs as
 * columns, which no processor sees by itself.
 */
enum { COLUMNS_AHEAD = 64, BLOCKS_AHEAD = COLUMNS_AHEAD / LANES };

/* Asks for the line of each of a block's columns in which the byte at `at` is, but for the column's offset. */
INLINE void ask_columns(const unsigned char *at, const size_t *offsets)
{
#pragma GCC unroll 4
	for (size_t k = 0; k < LANES; k++)
		__builtin_prefetch(at + offsets[k]);
}

/* A column's numbers that lie side by side, centred; 0 for those that are missing. */
INLINE lanes column_rows(
        const unsigned char *at, const size_t rows, double c, const enum element_type element, const bool in_halves)
{
	if (rows == LANES)
		return lanes_plus(lanes_of_elements(at, element), c, in_halves);
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
        const size_t groups, const size_t rows, const enum element_type element, const bool in_halves,
        lanes *predictions)
{
	const size_t d = kernels->features, blocks = kernels->blocks, bytes = LANES * element_bytes(element);
	const unsigned char *ahead = strip->rows + (BLOCKS_AHEAD / blocks + 1) * groups * bytes - 1;
	size_t ahead_block = BLOCKS_AHEAD % blocks;
	double *kept = kernels->group;
	lanes sums[LANES][GROUPS] = {{{0}}};
	for (size_t block = 0; block < blocks; block++) {
		const size_t *places = tile->offsets + block_column(LANES * block, d);
#pragma GCC unroll 4
		for (size_t k = 0; k < LANES; k++) {
			const unsigned char *at = strip->rows + places[k];
			const double w = kernels->weights[LANES * block + k], c = kernels->centre[LANES * block + k];
#pragma GCC unroll 2
			for (size_t g = 0; g < groups; g++, kept += LANES) {
				lanes x = column_rows(at + g * bytes, rows, c, element, in_halves);
				sums[k][g] += lanes_times(x, w, in_halves);
				lanes_store(kept, x);
			}
		}
		ask(kernels, tile, strip->asker, groups * bytes);
		ask_columns(ahead, tile->offsets + block_column(LANES * ahead_block, d));
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

INLINE void sum_strip(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t groups, const size_t rows, const enum element_type element, const bool in_halves,
        struct row_sums *sums)
{
	const unsigned char *target = strip->rows + tile->offsets[kernels->features];
	lanes e[GROUPS];
	ask_target(strip->asker, target);
	columns_predictions(kernels, tile, strip, groups, rows, element, in_halves, e);
	for (size_t g = 0; g < groups; g++) {
		const lanes y = column_rows(
		        target + g * LANES * element_bytes(element), rows, -kernels->target_centre, element, in_halves);
		e[g] = add_rows(kernels, e[g], y, rows_counts(rows), sums);
	}
	if (kernels->kernel == KERNEL_MOMENTS)
		columns_products(kernels, groups, e, true);
	else if (kernels->kernel != KERNEL_METRICS)
		columns_products(kernels, groups, e, false);
}

INLINE void columns_of(
        struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element, const bool in_halves)
{
	const size_t group_bytes = LANES * element_bytes(element);
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	struct asker asker = asker_at(kernels, tile->base);
	struct strip strip = {.rows = tile->base, .asker = &asker};
	size_t left = tile->rows;
	for (; left >= STRIP_ROWS; left -= STRIP_ROWS, strip.rows += GROUPS * group_bytes)
		sum_strip(kernels, tile, &strip, GROUPS, LANES, element, in_halves, &sums);
	if (left >= LANES) {
		sum_strip(kernels, tile, &strip, 1, LANES, element, in_halves, &sums);
		left -= LANES;
		strip.rows += group_bytes;
	}
	if (left > 0)
		sum_strip(kernels, tile, &strip, 1, left, element, in_halves, &sums);
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
}

INLINE void sum_columns(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		columns_of(kernels, tile, ELEMENT_F4, false);
	else
		columns_of(kernels, tile, ELEMENT_F8, false);
}

INLINE void sum_columns_in_halves(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		columns_of(kernels, tile, ELEMENT_F4, true);
	else
		columns_of(kernels, tile, ELEMENT_F8, true);
}

KERNELS_CLONES_OF(kernels_sum_wide_columns, sum_columns_in_halves, sum_columns)
