#include "worker/kernels_shared.h"

#include <string.h>

/*
 * Wide rows of f8 in Fortran order, many at a time: a run of each column, all of which the second-level cache holds
 * together. They are gone through twice, four columns at a time, each from its first row to its last: for the
 * predictions, and for the products. What a pass adds to is in the first-level cache, or in registers.
 *
 * Memory answers the faster the longer the runs are that are asked of it: in turns of 8 rows
 * (worker/kernels_columns.c) an epoch of 31 or 63 columns took 1.5 times as long, of 127 1.2 times and of 511 1.1
 * times. With 15 columns, with runs of 128 bytes of 1000 columns, and with f4, those turns were faster.
 */
enum {
	FEWEST_COLUMNS = 20,
	FEWEST_ROWS = 32,
	MOST_ROWS = KERNELS_ROWS_TOGETHER,
	TOGETHER_BYTES = 131072, /* a quarter of the second-level cache */
	AHEAD_BYTES = 8192       /* of the columns whose turn comes next: what the first-level cache has room for */
};

size_t kernels_rows_together(uint32_t features, enum element_type element)
{
	const size_t rows = TOGETHER_BYTES / (((size_t)features + 1) * sizeof(double)) / LANES * LANES;
	if (element != ELEMENT_F8 || features < FEWEST_COLUMNS || rows < FEWEST_ROWS)
		return 0;
	return rows < MOST_ROWS ? rows : MOST_ROWS;
}

/* Groups of rows, each of four but for a leaf's last. */
struct run {
	const unsigned char *rows; /* but for a column's offset */
	size_t groups;
	size_t bytes; /* of a column */
};

/*
 * The columns that are asked for when a block's turn is: so many columns on, and behind the last ones those of the rows
 * that follow. Returns where the last byte of their first line is, but for a column's offset.
 */
INLINE const unsigned char *run_ahead(
        const struct kernels *kernels, const struct run *run, const size_t **offsets, size_t column)
{
	const unsigned char *at = run->rows + CACHE_LINE - 1;
	const size_t far = AHEAD_BYTES / run->bytes / LANES * LANES;
	column += far > LANES ? far : LANES;
	for (; column >= LANES * kernels->blocks; column -= LANES * kernels->blocks)
		at += run->bytes;
	*offsets += block_column(column, kernels->features);
	return at;
}

/* Sums up the groups' predictions: four sums of each row. */
INLINE void run_predictions(
        const struct kernels *kernels, const struct run *run, const size_t *offsets, const size_t rows, double *sums)
{
	memset(sums, 0, run->groups * LANES * sizeof(lanes));
	for (size_t column = 0; column < LANES * kernels->blocks; column += LANES) {
		const size_t *places = offsets + block_column(column, kernels->features), *next = offsets;
		const unsigned char *ahead = run_ahead(kernels, run, &next, column);
		const double *w = kernels->weights + column, *c = kernels->centre + column;
		for (size_t g = 0; g < run->groups; g++) {
			const bool begins_line = g * sizeof(lanes) % CACHE_LINE == 0;
#pragma GCC unroll 4
			for (size_t k = 0; k < LANES; k++) {
				lanes x =
				        column_rows(run->rows + g * sizeof(lanes) + places[k], rows, c[k], ELEMENT_F8);
				double *sum = sums + (g * LANES + k) * LANES;
				lanes_store(sum, lanes_at(sum) + w[k] * x);
				if (begins_line)
					__builtin_prefetch(ahead + g * sizeof(lanes) + next[k]);
			}
		}
	}
}

/* Adds up what concerns the rows alone. What a group's features are multiplied with comes in place of its first sum. */
INLINE void run_errors(const struct kernels *kernels, const struct run *run, size_t target, const size_t rows,
        double *of_group, struct row_sums *sums)
{
	const unsigned char *at = run->rows + target;
	for (size_t g = 0; g < run->groups; g++) {
		lanes even = lanes_at(of_group) + lanes_at(of_group + 2 * LANES);
		lanes odd = lanes_at(of_group + LANES) + lanes_at(of_group + 3 * LANES);
		lanes y = column_rows(at, rows, -kernels->target_centre, ELEMENT_F8);
		lanes e = add_rows(kernels, (even + odd) + kernels->intercept, y, rows_counts(rows), sums);
		lanes_store(of_group, e);
		__builtin_prefetch(at + run->bytes + CACHE_LINE - 1);
		of_group += LANES * LANES;
		at += sizeof(lanes);
	}
}

/* sums += Σ e·x over each group, or Σ e·x². */
INLINE void run_products(const struct kernels *kernels, const struct run *run, const size_t *offsets, const size_t rows,
        const double *errors, const bool squared)
{
	for (size_t column = 0; column < LANES * kernels->blocks; column += LANES) {
		const size_t *places = offsets + block_column(column, kernels->features);
		const double *c = kernels->centre + column;
		lanes sum = lanes_at(kernels->sums + column);
		for (size_t g = 0; g < run->groups; g++) {
			const lanes e = lanes_at(errors + g * LANES * LANES);
			lanes x[LANES];
#pragma GCC unroll 4
			for (size_t k = 0; k < LANES; k++) {
				x[k] = column_rows(run->rows + g * sizeof(lanes) + places[k], rows, c[k], ELEMENT_F8);
				if (squared)
					x[k] *= x[k];
			}
			sum += lanes_add_each(e * x[0], e * x[1], e * x[2], e * x[3]);
		}
		lanes_store(kernels->sums + column, sum);
	}
}

INLINE void sum_run(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        const size_t rows, struct row_sums *sums)
{
	double *of_groups = kernels->group;
	run_predictions(kernels, run, tile->offsets, rows, of_groups);
	run_errors(kernels, run, tile->offsets[kernels->features], rows, of_groups, sums);
	if (kernels->kernel == KERNEL_MOMENTS)
		run_products(kernels, run, tile->offsets, rows, of_groups, true);
	else if (kernels->kernel != KERNEL_METRICS)
		run_products(kernels, run, tile->offsets, rows, of_groups, false);
}

INLINE void sum_runs(struct kernels *kernels, const struct leaf_rows *tile)
{
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	const size_t most = kernels_rows_together(kernels->features, ELEMENT_F8), full = tile->rows / LANES * LANES;
	struct run run = {.rows = tile->base};
	for (size_t row = 0; row < full; row += LANES * run.groups) {
		run.groups = (full - row < most ? full - row : most) / LANES;
		run.bytes = run.groups * sizeof(lanes);
		sum_run(kernels, tile, &run, LANES, &sums);
		run.rows += run.bytes;
	}
	if (full < tile->rows) {
		run.groups = 1;
		run.bytes = (tile->rows - full) * sizeof(double);
		sum_run(kernels, tile, &run, tile->rows - full, &sums);
	}
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
}

KERNELS_CLONES(kernels_sum_column_runs, sum_runs)
