/* Narrow rows, four at a time, as the baseline and the AVX2 clone sum them. Only they include this. */
#ifndef FORKFIT_WORKER_KERNELS_NARROW_H
#define FORKFIT_WORKER_KERNELS_NARROW_H

#include "worker/kernels_ahead.h"
#include "worker/kernels_shared.h"

/* How a narrow tile's numbers lie. */
enum layout {
	ROWS,    /* a row's are side by side, and nothing lies between rows */
	COLUMNS, /* a column's are */
	APART,
};

/* The group's numbers in all columns of a narrow tile. */
INLINE void group_columns(const struct leaf_rows *tile, const struct group *group, const uint32_t columns,
        const enum element_type element, const enum layout layout, lanes *x)
{
	if (layout == ROWS && columns >= LANES) {
#pragma GCC unroll 8
		for (uint32_t block = 0; block < columns; block += LANES) {
			const uint32_t j = block + LANES <= columns ? block : columns - LANES;
			size_t at = tile->offsets[0] + j * element_bytes(element);
			x[j] = lanes_of_elements(group->row[0] + at, element);
			x[j + 1] = lanes_of_elements(group->row[1] + at, element);
			x[j + 2] = lanes_of_elements(group->row[2] + at, element);
			x[j + 3] = lanes_of_elements(group->row[3] + at, element);
			lanes_transpose(&x[j], &x[j + 1], &x[j + 2], &x[j + 3]);
		}
		return;
	}
#pragma GCC unroll 8
	for (uint32_t j = 0; j < columns; j++) {
		if (layout == COLUMNS)
			x[j] = lanes_of_elements(group->row[0] + tile->offsets[j], element);
		else
			x[j] = group_column(group, tile->offsets[j], element);
	}
}

/* Asks for a line of each column: 512 bytes ahead made d = 7 of f8 a tenth faster, 1024 made nothing. */
INLINE void ask_narrow_columns(const unsigned char *row, const size_t *offsets, const uint32_t columns)
{
	enum { COLUMN_AHEAD = 512 };
#pragma GCC unroll 8
	for (uint32_t j = 0; j < columns; j++)
		__builtin_prefetch(row + offsets[j] + COLUMN_AHEAD);
}

/* A tile's sums: of each column those of the first and of the second group of each eight rows. */
struct narrow_sums {
	lanes columns[TILE_WIDE_FEATURES][2];
	struct row_sums of_rows;
};

INLINE void narrow_group(const struct kernels *kernels, const struct leaf_rows *tile, size_t row, const size_t rows,
        const uint32_t d, const enum element_type element, const enum layout layout, const bool ahead,
        const size_t half, struct narrow_sums *sums)
{
	const bool is_full = layout != APART; /* and APART it may be */
	struct group group = group_at(tile, row, rows);
	lanes x[TILE_WIDE_FEATURES];
	lanes prediction = lanes_of_all(kernels->intercept);
	group_columns(tile, &group, d + 1, element, layout, x);
	if (layout == ROWS && ahead)
		ask_lines(ASKS_BY_ONE, group.row[0] + tile->offsets[0], LANES * (d + 1) * element_bytes(element), 1);
	if (layout == COLUMNS && row % (CACHE_LINE / element_bytes(element)) == 0)
		ask_narrow_columns(group.row[0], tile->offsets, d + 1);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		x[j] = present(x[j] + lanes_of_all(kernels->centre[j]), &group, is_full);
		prediction = lanes_fused(lanes_of_all(kernels->weights[j]), x[j], prediction);
	}
	const lanes target = x[d] - lanes_of_all(kernels->target_centre);
	const lanes e = add_rows(kernels, prediction, target, &group, is_full, half, &sums->of_rows);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		if (kernels->kernel == KERNEL_MOMENTS)
			x[j] *= x[j];
		sums->columns[j][half] = lanes_fused(e, x[j], sums->columns[j][half]);
	}
}

/* Sums the rows from `row` on: all that there are if the layout is APART, else whole eights. Returns the first left. */
INLINE size_t narrow_rows(struct kernels *kernels, const struct leaf_rows *tile, size_t row, const uint32_t d,
        const enum element_type element, const enum layout layout)
{
	struct narrow_sums sums = {.of_rows = row_sums_of(kernels)};
	const bool ahead = layout == ROWS && goes_ahead(kernels, tile);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		sums.columns[j][0] = lanes_at(kernels->sums + EIGHT * j);
		sums.columns[j][1] = lanes_at(kernels->sums + EIGHT * j + LANES);
	}
	if (layout == APART) {
		for (; row < tile->rows; row += LANES) {
			const size_t left = tile->rows - row, rows = left < LANES ? left : LANES;
			narrow_group(kernels, tile, row, rows, d, element, layout, ahead, row / LANES % 2, &sums);
		}
	} else {
		for (; tile->rows - row >= EIGHT; row += EIGHT) {
			narrow_group(kernels, tile, row, LANES, d, element, layout, ahead, 0, &sums);
			narrow_group(kernels, tile, row + LANES, LANES, d, element, layout, ahead, 1, &sums);
		}
	}
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		lanes_store(kernels->sums + EIGHT * j, sums.columns[j][0]);
		lanes_store(kernels->sums + EIGHT * j + LANES, sums.columns[j][1]);
	}
	row_sums_store(kernels, &sums.of_rows);
	return row;
}

/* d, and how the tile lies, are known to the compiler, so that the loops over columns are unrolled into registers. */
INLINE void narrow_laid(
        struct kernels *kernels, const struct leaf_rows *tile, const uint32_t d, const enum element_type element)
{
	size_t row = 0;
	if (tile->row_stride == element_bytes(element))
		row = narrow_rows(kernels, tile, row, d, element, COLUMNS);
	else if (tile->side_by_side == d + 1 && tile->row_stride == (d + 1) * element_bytes(element))
		row = narrow_rows(kernels, tile, row, d, element, ROWS);
	narrow_rows(kernels, tile, row, d, element, APART);
}

/* One function for each number of features: to compile all of them as one takes minutes. */
#define NARROW_OF(d)                                                                         \
	NOT_INLINE void narrow_of_##d(struct kernels *kernels, const struct leaf_rows *tile) \
	{                                                                                    \
		if (tile->element == ELEMENT_F4)                                             \
			narrow_laid(kernels, tile, d, ELEMENT_F4);                           \
		else                                                                         \
			narrow_laid(kernels, tile, d, ELEMENT_F8);                           \
	}
NARROW_OF(1)
NARROW_OF(2)
NARROW_OF(3)
NARROW_OF(4)
NARROW_OF(5)
NARROW_OF(6)
NARROW_OF(7)
#undef NARROW_OF

INLINE void sum_narrow(struct kernels *kernels, const struct leaf_rows *tile)
{
	static void (*const of[TILE_WIDE_FEATURES])(struct kernels *, const struct leaf_rows *) = {
	        NULL, narrow_of_1, narrow_of_2, narrow_of_3, narrow_of_4, narrow_of_5, narrow_of_6, narrow_of_7};
	of[kernels->features](kernels, tile);
}

#endif
