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
	lanes sums[LANES]; /* of each row, its products so far */
	lanes e;           /* known when all of them are summed */
};

enum sweep { PREDICTIONS = 1, PRODUCTS = 2, SQUARES = 4 };

/* The rows of a block, centred; 0 for those that are missing. `at` counts from the group's rows on, or back. */
INLINE void block_rows(const struct group *group, const size_t rows, ptrdiff_t at, lanes centre,
        const enum element_type element, lanes *x)
{
#pragma GCC unroll 4
	for (size_t i = 0; i < LANES; i++) {
		x[i] = (lanes){0};
		if (i < rows)
			x[i] = lanes_of_elements(group->row[i] + at, element) + centre;
	}
}

/* What had to be converted is kept for the products. */
INLINE bool is_kept(const enum element_type element)
{
	return element == ELEMENT_F4;
}

/* sums += Σ e·x over the group, or Σ e·x². */
INLINE void add_products(double *sums, lanes *x, lanes e, const bool squared)
{
	if (squared)
		x[0] *= x[0], x[1] *= x[1], x[2] *= x[2], x[3] *= x[3];
	lanes_store(sums, lanes_at(sums) + ((e[0] * x[0] + e[2] * x[2]) + (e[1] * x[1] + e[3] * x[3])));
}

/* Asks for as many lines as a block of four rows has: of f8 two; of f4 one, so that every second block asks for two. */
INLINE void ask_for_rows(const enum asks asks, const unsigned char *group, size_t row_stride, size_t column,
        const enum element_type element)
{
	if (asks != ASKS_NOTHING && (element == ELEMENT_F8 || column % (2 * LANES) == 0))
		ask_group(asks, group, row_stride, LANES * column * element_bytes(element), 2 * CACHE_LINE, 2);
}

/*
 * Goes once through the columns: adds the products of the group that lies `back` bytes before this one, with its e, and
 * sums up this one's predictions.
 */
INLINE void wide_sweep(const struct kernels *kernels, const struct leaf_rows *tile, struct wide_group *group,
        const size_t rows, const enum element_type element, const int sweep, const size_t back, const enum asks asks)
{
	const size_t d = kernels->features, columns = LANES * kernels->blocks, first = tile->offsets[0];
	const double *weights = kernels->weights, *centre = kernels->centre;
	double *kept = kernels->group, *sums = kernels->sums;
	const lanes e = group->e;
	lanes predictions[LANES] = {{0}};
#pragma GCC unroll 2
	for (size_t column = 0; column < columns; column += LANES) {
		const size_t at = first + block_column(column, d) * element_bytes(element);
		const lanes c = lanes_at(centre + column);
		lanes x[LANES];
		if (sweep & PRODUCTS) {
			if (is_kept(element))
				x[0] = lanes_at(kept + LANES * column), x[1] = lanes_at(kept + LANES * (column + 1)),
				x[2] = lanes_at(kept + LANES * (column + 2)),
				x[3] = lanes_at(kept + LANES * (column + 3));
			else
				block_rows(&group->rows, rows, (ptrdiff_t)at - (ptrdiff_t)back, c, element, x);
			add_products(sums + column, x, e, (sweep & SQUARES) != 0);
		}
		if (sweep & PREDICTIONS) {
			const lanes w = lanes_at(weights + column);
			block_rows(&group->rows, rows, (ptrdiff_t)at, c, element, x);
#pragma GCC unroll 4
			for (size_t i = 0; i < LANES; i++) {
				predictions[i] += w * x[i];
				if (is_kept(element))
					lanes_store(kept + LANES * (column + i), x[i]);
			}
			ask_for_rows(asks, group->rows.row[0], tile->row_stride, column, element);
		}
	}
	if (sweep & PREDICTIONS)
		memcpy(group->sums, predictions, sizeof predictions);
}

INLINE void wide_errors(const struct kernels *kernels, const struct leaf_rows *tile, const size_t rows,
        const enum element_type element, struct wide_group *group, struct row_sums *sums)
{
	const lanes *of_row = group->sums;
	lanes prediction = lanes_add_each(of_row[0], of_row[1], of_row[2], of_row[3]) + kernels->intercept;
	lanes target = group_column(&group->rows, tile->offsets[kernels->features], element) - kernels->target_centre;
	target = present(target, &group->rows, rows == LANES);
	group->e = add_rows(kernels, prediction, target, group->rows.counts, sums);
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
		wide_sweep(kernels, tile, &group, LANES, element, PRODUCTS | PREDICTIONS, back, asks);
		wide_errors(kernels, tile, LANES, element, &group, sums);
	}
	wide_sweep(kernels, tile, &group, LANES, element, PRODUCTS, 0, asks);
	return row;
}

INLINE void wide_alone(const struct kernels *kernels, const struct leaf_rows *tile, size_t row, const size_t rows,
        const enum element_type element, const enum asks asks, struct row_sums *sums)
{
	struct wide_group group = {.rows = group_at(tile, row, rows)};
	wide_sweep(kernels, tile, &group, rows, element, PREDICTIONS, 0, asks);
	wide_errors(kernels, tile, rows, element, &group, sums);
	if (kernels->kernel == KERNEL_MOMENTS)
		wide_sweep(kernels, tile, &group, rows, element, PRODUCTS | SQUARES, 0, asks);
	else if (kernels->kernel != KERNEL_METRICS)
		wide_sweep(kernels, tile, &group, rows, element, PRODUCTS, 0, asks);
}

INLINE void wide_rows(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	const enum asks asks = goes_ahead(kernels, tile) ? ASKS_BY_ONE : ASKS_NOTHING;
	size_t row = 0;
	if (kernels->kernel != KERNEL_MOMENTS && kernels->kernel != KERNEL_METRICS)
		row = wide_pipeline(kernels, tile, element, asks, &sums);
	for (; row + LANES <= tile->rows; row += LANES)
		wide_alone(kernels, tile, row, LANES, element, asks, &sums);
	if (row < tile->rows)
		wide_alone(kernels, tile, row, tile->rows - row, element, asks, &sums);
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
}

INLINE void sum_wide(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		wide_rows(kernels, tile, ELEMENT_F4);
	else
		wide_rows(kernels, tile, ELEMENT_F8);
}

KERNELS_CLONES(kernels_sum_wide, sum_wide)
