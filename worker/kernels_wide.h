/* Wide rows in C order, four at a time, as the baseline and the AVX2 clone sum them. Only they include this. */
#ifndef FORKFIT_WORKER_KERNELS_WIDE_H
#define FORKFIT_WORKER_KERNELS_WIDE_H

#include "worker/kernels_ahead.h"
#include "worker/kernels_shared.h"

#include <string.h>

/*
 * Two groups are on their way at any time: while the products of one are summed, so are the predictions of the next.
 * Otherwise the processor would have nothing to do between a group's last product for a prediction and its first with
 * e, and with few columns that is most of the time.
 */
struct wide_group {
	struct group rows;
	size_t half;       /* 0 for the first of eight rows, 1 for the second */
	lanes sums[LANES]; /* of each row, its products in four */
	lanes e;           /* known when all of them are summed */
};

enum sweep { PREDICTIONS = 1, PRODUCTS = 2, SQUARES = 4 };

/* Four columns of a row, centred; 0 if it is missing. `at` counts from the row on, or back. */
INLINE lanes four_columns(const struct group *group, const size_t rows, size_t i, ptrdiff_t at, lanes centre,
        const enum element_type element)
{
	lanes x = {0};
	if (i < rows)
		x = lanes_of_elements(group->row[i] + at, element) + centre;
	return x;
}

/* What had to be converted is kept for the products. */
INLINE bool is_kept(const enum element_type element)
{
	return element == ELEMENT_F4;
}

/* sums += Σ e·x over the group, or Σ e·x²; each e is in all four. */
INLINE void add_products(double *sums, lanes *x, const lanes *e, const bool squared)
{
	if (squared)
		x[0] *= x[0], x[1] *= x[1], x[2] *= x[2], x[3] *= x[3];
	lanes_store(
	        sums, lanes_at(sums) + (lanes_fused(e[2], x[2], e[0] * x[0]) + lanes_fused(e[3], x[3], e[1] * x[1])));
}

/* Four columns of four rows have two lines of f8; of f4 one, so that every second time it is two. */
INLINE void ask_for_rows(const enum asks asks, const unsigned char *group, size_t row_stride, size_t column,
        const enum element_type element)
{
	if (asks != ASKS_NOTHING && (element == ELEMENT_F8 || column % (2 * LANES) == 0))
		ask_group(asks, group, row_stride, LANES * column * element_bytes(element), 2 * CACHE_LINE, 2);
}

/* What going through a group's columns needs, in locals: the compiler would load it again after each store. */
struct wide_columns {
	const double *weights, *centre;
	double *sums, *kept;
	const unsigned char *row; /* the group's first, */
	size_t row_stride;        /* and how far it is to the next, if none is missing */
	enum asks asks;
};

/* Four columns' part: of the products of the group that lies `back` bytes before, and of this one's predictions. */
INLINE void wide_four(const struct wide_columns *of, const struct group *rows_of, const size_t rows,
        const enum element_type element, const int sweep, const size_t back, size_t column, size_t at, const lanes *e,
        lanes (*predictions)[2])
{
	const size_t half = column % BLOCK / LANES;
	const lanes c = lanes_at(of->centre + column);
	double *kept = of->kept + LANES * column;
	if (sweep & PRODUCTS) {
		const ptrdiff_t before = (ptrdiff_t)at - (ptrdiff_t)back;
		lanes x[LANES];
#pragma GCC unroll 4
		for (size_t i = 0; i < LANES; i++)
			x[i] = is_kept(element) ? lanes_at(kept + LANES * i)
			                        : four_columns(rows_of, rows, i, before, c, element);
		add_products(of->sums + column, x, e, (sweep & SQUARES) != 0);
	}
	if (sweep & PREDICTIONS) {
		const lanes w = lanes_at(of->weights + column);
#pragma GCC unroll 4
		for (size_t i = 0; i < LANES; i++) {
			const lanes x = four_columns(rows_of, rows, i, (ptrdiff_t)at, c, element);
			predictions[i][half] = lanes_fused(w, x, predictions[i][half]);
			if (is_kept(element))
				lanes_store(kept + LANES * i, x);
		}
		ask_for_rows(of->asks, of->row, of->row_stride, column, element);
	}
}

/*
 * Goes once through the columns: adds the products of the group that lies `back` bytes before this one, with its e, and
 * sums up this one's predictions.
 */
INLINE void wide_sweep(const struct kernels *kernels, const struct leaf_rows *tile, struct wide_group *group,
        const size_t rows, const enum element_type element, const int sweep, const size_t back, const enum asks asks)
{
	const struct wide_columns of = {kernels->weights, kernels->centre, kernels->sums, kernels->group,
	        group->rows.row[0], tile->row_stride, asks};
	const struct group rows_of = group->rows;
	const size_t columns = BLOCK * kernels->blocks, first = tile->offsets[0], d = kernels->features;
	const lanes e[LANES] = {lanes_of_all(group->e[0]), lanes_of_all(group->e[1]), lanes_of_all(group->e[2]),
	        lanes_of_all(group->e[3])};
	lanes predictions[LANES][2] = {{{0}}};
	for (size_t block = 0; block < columns; block += BLOCK) {
		const size_t at = first + block_column(block, d) * element_bytes(element);
#pragma GCC unroll 2
		for (size_t i = 0; i < BLOCK; i += LANES)
			wide_four(&of, &rows_of, rows, element, sweep, back, block + i, at + i * element_bytes(element),
			        e, predictions);
	}
	if (sweep & PREDICTIONS)
#pragma GCC unroll 4
		for (size_t i = 0; i < LANES; i++)
			group->sums[i] = predictions[i][0] + predictions[i][1];
}

INLINE void wide_errors(const struct kernels *kernels, const struct leaf_rows *tile, const size_t rows,
        const enum element_type element, struct wide_group *group, struct row_sums *sums)
{
	const lanes *of_row = group->sums;
	lanes prediction = lanes_add_each(of_row[0], of_row[1], of_row[2], of_row[3]) + kernels->intercept;
	lanes target = group_column(&group->rows, tile->offsets[kernels->features], element) - kernels->target_centre;
	group->e = add_rows(kernels, prediction, target, &group->rows, rows == LANES, group->half, sums);
}

/* Full groups, of a kernel that has products without squares; returns the first row left. */
INLINE size_t wide_pipeline(const struct kernels *kernels, const struct leaf_rows *tile,
        const enum element_type element, const enum asks asks, struct row_sums *sums)
{
	const size_t back = LANES * tile->row_stride;
	size_t row = 0;
	if (tile->rows < LANES)
		return 0;
	struct wide_group group = {.rows = group_at(tile, row, LANES)};
	wide_sweep(kernels, tile, &group, LANES, element, PREDICTIONS, 0, asks);
	wide_errors(kernels, tile, LANES, element, &group, sums);
	for (row = LANES; row + LANES <= tile->rows; row += LANES) {
		group.rows = group_at(tile, row, LANES);
		group.half = row / LANES % 2;
		wide_sweep(kernels, tile, &group, LANES, element, PRODUCTS | PREDICTIONS, back, asks);
		wide_errors(kernels, tile, LANES, element, &group, sums);
	}
	wide_sweep(kernels, tile, &group, LANES, element, PRODUCTS, 0, asks);
	return row;
}

INLINE void wide_alone(const struct kernels *kernels, const struct leaf_rows *tile, size_t row, const size_t rows,
        const enum element_type element, const enum asks asks, struct row_sums *sums)
{
	struct wide_group group = {.rows = group_at(tile, row, rows), .half = row / LANES % 2};
	wide_sweep(kernels, tile, &group, rows, element, PREDICTIONS, 0, asks);
	wide_errors(kernels, tile, rows, element, &group, sums);
	if (kernels->kernel == KERNEL_MOMENTS)
		wide_sweep(kernels, tile, &group, rows, element, PRODUCTS | SQUARES, 0, asks);
	else if (kernels->kernel != KERNEL_METRICS)
		wide_sweep(kernels, tile, &group, rows, element, PRODUCTS, 0, asks);
}

INLINE void wide_rows(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	struct row_sums sums = row_sums_of(kernels);
	const enum asks asks = goes_ahead(kernels, tile) ? ASKS_BY_ONE : ASKS_NOTHING;
	size_t row = 0;
	if (kernels->kernel != KERNEL_MOMENTS && kernels->kernel != KERNEL_METRICS)
		row = wide_pipeline(kernels, tile, element, asks, &sums);
	for (; row + LANES <= tile->rows; row += LANES)
		wide_alone(kernels, tile, row, LANES, element, asks, &sums);
	if (row < tile->rows)
		wide_alone(kernels, tile, row, tile->rows - row, element, asks, &sums);
	row_sums_store(kernels, &sums);
}

NOT_INLINE void sum_wide(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		wide_rows(kernels, tile, ELEMENT_F4);
	else
		wide_rows(kernels, tile, ELEMENT_F8);
}

#endif
