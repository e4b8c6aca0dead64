#include "worker/kernels.h"

#include "worker/kernels_ahead.h"
#include "worker/kernels_lanes.h"

#include <stdlib.h>
#include <string.h>

/* In whole lines of cache, so that no vector lies in two. NULL: out of memory. */
static double *new_lanes(size_t count)
{
	enum { CACHE_LINE = 64 };
	return aligned_alloc(CACHE_LINE, (count * sizeof(lanes) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
}

bool kernels_init(struct kernels *kernels, uint32_t features, bool skip_missing, enum kernel_clone clone)
{
	*kernels = (struct kernels){.features = features, .clone = clone};
	kernels->blocks = features < TILE_WIDE_FEATURES ? features : ((size_t)features + LANES - 1) / LANES;
	if (!tile_reader_init(&kernels->reader, features, skip_missing))
		return false;
	kernels->weights = new_lanes(kernels->blocks);
	kernels->centre = new_lanes(kernels->blocks);
	kernels->sums = new_lanes(kernels->blocks);
	kernels->group = new_lanes(LANES * kernels->blocks);
	if (kernels->weights != NULL && kernels->centre != NULL && kernels->sums != NULL && kernels->group != NULL)
		return true;
	kernels_release(kernels);
	return false;
}

void kernels_release(struct kernels *kernels)
{
	tile_reader_release(&kernels->reader);
	free(kernels->weights);
	free(kernels->centre);
	free(kernels->sums);
	free(kernels->group);
	kernels->weights = kernels->centre = kernels->sums = kernels->group = NULL;
}

/* Where a block of wide rows begins; the last one, where it can. */
INLINE size_t block_column(size_t column, size_t features)
{
	return column + LANES <= features ? column : features - LANES;
}

void kernels_choose(struct kernels *kernels, enum kernel kernel, const double *parameters, const double *centre)
{
	size_t d = kernels->features;
	if (kernel == KERNEL_MEANS || kernel == KERNEL_MOMENTS)
		centre = parameters;
	kernels->kernel = kernel;
	kernels->intercept = parameters[d];
	kernels->target_centre = centre[d];
	if (d < TILE_WIDE_FEATURES) {
		memcpy(kernels->weights, parameters, d * sizeof *parameters);
		memcpy(kernels->centre, centre, d * sizeof *centre);
		return;
	}
	for (size_t i = 0; i < LANES * kernels->blocks; i++) {
		size_t column = block_column(i / LANES * LANES, d) + i % LANES;
		kernels->weights[i] = column < i / LANES * LANES ? 0.0 : parameters[column];
		kernels->centre[i] = centre[column];
	}
}

/* Up to four rows. The last one stands in for those that are missing. */
struct group {
	const unsigned char *row[LANES];
	lanes counts; /* 1, or 0 for a row that is missing */
};

INLINE struct group group_at(const struct leaf_rows *tile, size_t row, const size_t rows)
{
	const unsigned char *first = tile->base + row * tile->row_stride;
	size_t last = rows - 1, stride = tile->row_stride;
	return (struct group){
	        .row = {first, first + (last < 1 ? last : 1) * stride, first + (last < 2 ? last : 2) * stride,
	                first + (last < 3 ? last : 3) * stride},
	        .counts = {1.0, rows > 1 ? 1.0 : 0.0, rows > 2 ? 1.0 : 0.0, rows > 3 ? 1.0 : 0.0},
	};
}

/* A number of each row; 0 for one that is missing, whose square might be infinite, which no 0 makes not count. */
INLINE lanes present(lanes values, const struct group *group, const bool is_full)
{
	return is_full ? values : lanes_masked(values, group->counts != 0.0);
}

/* How a narrow tile's numbers lie. */
enum layout {
	ROWS,    /* a row's are side by side, and nothing lies between rows */
	COLUMNS, /* a column's are */
	APART,
};

/* The group's numbers in a column. */
INLINE lanes group_column(const struct group *group, size_t offset, const enum element_type element)
{
	return (lanes){element_at(group->row[0] + offset, element), element_at(group->row[1] + offset, element),
	        element_at(group->row[2] + offset, element), element_at(group->row[3] + offset, element)};
}

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

/* A tile's sums over rows, in registers. */
struct row_sums {
	lanes total;
	lanes square;
};

INLINE bool deviates(const struct kernels *kernels)
{
	return kernels->kernel == KERNEL_MEANS || kernels->kernel == KERNEL_MOMENTS;
}

/* Adds up what concerns the rows alone, and returns what their features are to be multiplied with: e, or 1. */
INLINE lanes add_rows(
        const struct kernels *kernels, lanes prediction, lanes target, lanes counts, struct row_sums *sums)
{
	if (deviates(kernels)) {
		if (kernels->kernel == KERNEL_MOMENTS)
			target *= target;
		sums->total += counts * target;
		return counts;
	}
	if (kernels->kernel != KERNEL_CURVATURE)
		prediction -= target;
	lanes e = counts * prediction;
	sums->total += kernels->kernel == KERNEL_METRICS ? lanes_absolute(e) : e;
	sums->square += e * e;
	return e;
}

INLINE void narrow_group(const struct kernels *kernels, const struct leaf_rows *tile, size_t row, const size_t rows,
        const uint32_t d, const enum element_type element, const enum layout layout, const bool ahead, lanes *columns,
        struct row_sums *sums)
{
	const bool is_full = layout != APART; /* and APART it may be */
	struct group group = group_at(tile, row, rows);
	lanes x[TILE_WIDE_FEATURES];
	double b = kernels->intercept;
	lanes prediction = {b, b, b, b};
	group_columns(tile, &group, d + 1, element, layout, x);
	if (layout == ROWS && ahead)
		for (size_t at = 0; at < LANES * (d + 1) * element_bytes(element); at += AHEAD_LINE)
			ask_ahead(group.row[0] + tile->offsets[0] + at);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		x[j] = present(x[j] - kernels->centre[j], &group, is_full);
		prediction += kernels->weights[j] * x[j];
	}
	lanes target = present(x[d] - kernels->target_centre, &group, is_full);
	lanes e = add_rows(kernels, prediction, target, group.counts, sums);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		if (kernels->kernel == KERNEL_MOMENTS)
			x[j] *= x[j];
		columns[j] += e * x[j];
	}
}

/*
 * Is the rest of the file to be asked for as this is read? Not for a tile that was copied, and not for rows that have
 * columns which are not read.
 */
static bool goes_ahead(const struct kernels *kernels, const struct leaf_rows *tile)
{
	return kernels->reader.in_place && tile->row_stride == (kernels->features + 1) * element_bytes(tile->element);
}

/* Sums the groups from `row` on, all of which must be full unless the layout is APART; returns the first row left. */
INLINE size_t narrow_rows(struct kernels *kernels, const struct leaf_rows *tile, size_t row, const uint32_t d,
        const enum element_type element, const enum layout layout)
{
	lanes columns[TILE_WIDE_FEATURES];
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	const bool ahead = layout == ROWS && goes_ahead(kernels, tile);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++)
		columns[j] = lanes_at(kernels->sums + LANES * j);
	for (; row < tile->rows; row += LANES) {
		size_t left = tile->rows - row;
		if (left < LANES && layout != APART)
			break;
		size_t rows = layout != APART || left > LANES ? LANES : left;
		narrow_group(kernels, tile, row, rows, d, element, layout, ahead, columns, &sums);
	}
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++)
		lanes_store(kernels->sums + LANES * j, columns[j]);
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
	return row;
}

/* Of wide rows two lines are asked for each time so many columns of a group are read. */
enum { ASKED_COLUMNS = 8 };

/* The rows of a block, centred; 0 for those that are missing. */
INLINE void block_rows(const struct group *group, const size_t rows, size_t at, const double *centre,
        const enum element_type element, lanes *x)
{
	const lanes c = lanes_at(centre);
#pragma GCC unroll 4
	for (size_t i = 0; i < LANES; i++) {
		x[i] = (lanes){0};
		if (i < rows)
			x[i] = lanes_of_elements(group->row[i] + at, element) - c;
	}
}

/* What had to be converted is kept for the second pass over a group. */
INLINE bool is_kept(const enum element_type element)
{
	return element == ELEMENT_F4;
}

INLINE lanes wide_predictions(const struct kernels *kernels, const struct leaf_rows *tile, const struct group *group,
        const size_t rows, const enum element_type element, const bool ahead)
{
	const size_t d = kernels->features, columns = LANES * kernels->blocks, first = tile->offsets[0];
	const double *weights = kernels->weights, *centre = kernels->centre;
	double *kept = kernels->group;
	lanes sums[LANES] = {{0}};
	for (size_t column = 0; column < columns; column += LANES) {
		const lanes w = lanes_at(weights + column);
		lanes x[LANES];
		block_rows(group, rows, first + block_column(column, d) * element_bytes(element), centre + column,
		        element, x);
#pragma GCC unroll 4
		for (size_t i = 0; i < LANES; i++) {
			sums[i] += w * x[i];
			if (is_kept(element))
				lanes_store(kept + LANES * (column + i), x[i]);
		}
		if (ahead && column % ASKED_COLUMNS == 0)
			ask_ahead_two(group->row[0] + LANES * column * element_bytes(element));
	}
	return lanes_add_each(sums[0], sums[1], sums[2], sums[3]) + kernels->intercept;
}

/* sums += Σ e·x over the group, or Σ e·x². */
INLINE void wide_products(const struct kernels *kernels, const struct leaf_rows *tile, const struct group *group,
        const size_t rows, lanes e, const enum element_type element, const bool squared, const bool ahead)
{
	const size_t d = kernels->features, columns = LANES * kernels->blocks, first = tile->offsets[0];
	const double *centre = kernels->centre, *kept = kernels->group;
	double *sums = kernels->sums;
	for (size_t column = 0; column < columns; column += LANES) {
		lanes x[LANES];
		if (is_kept(element)) {
#pragma GCC unroll 4
			for (size_t i = 0; i < LANES; i++)
				x[i] = lanes_at(kept + LANES * (column + i));
		} else {
			block_rows(group, rows, first + block_column(column, d) * element_bytes(element),
			        centre + column, element, x);
		}
		if (squared)
			x[0] *= x[0], x[1] *= x[1], x[2] *= x[2], x[3] *= x[3];
		lanes_store(sums + column,
		        lanes_at(sums + column) + ((e[0] * x[0] + e[2] * x[2]) + (e[1] * x[1] + e[3] * x[3])));
		/* Eight columns of four rows are four lines of f8, of which the first pass asked for two; two of f4. */
		if (ahead && element == ELEMENT_F8 && column % ASKED_COLUMNS == 0)
			ask_ahead_two(group->row[0] + LANES * column * sizeof(double) + 2 * AHEAD_LINE);
	}
}

INLINE void wide_group(struct kernels *kernels, const struct leaf_rows *tile, size_t row, const size_t rows,
        const enum element_type element, const bool ahead, struct row_sums *sums)
{
	struct group group = group_at(tile, row, rows);
	lanes prediction = wide_predictions(kernels, tile, &group, rows, element, ahead);
	lanes target = group_column(&group, tile->offsets[kernels->features], element) - kernels->target_centre;
	target = present(target, &group, rows == LANES);
	lanes e = add_rows(kernels, prediction, target, group.counts, sums);
	if (kernels->kernel == KERNEL_MOMENTS)
		wide_products(kernels, tile, &group, rows, e, element, true, ahead);
	else if (kernels->kernel != KERNEL_METRICS)
		wide_products(kernels, tile, &group, rows, e, element, false, ahead);
}

INLINE void wide_rows(
        struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element, const bool ahead)
{
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	size_t row = 0;
	for (; row + LANES <= tile->rows; row += LANES)
		wide_group(kernels, tile, row, LANES, element, ahead, &sums);
	if (row < tile->rows)
		wide_group(kernels, tile, row, tile->rows - row, element, ahead, &sums);
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
}

static bool is_side_by_side(const struct leaf_rows *tile, uint32_t columns)
{
	for (uint32_t j = 1; j < columns; j++)
		if (tile->offsets[j] != tile->offsets[j - 1] + element_bytes(tile->element))
			return false;
	return true;
}

/* d, and how the tile lies, are known to the compiler, so that the loops over columns are unrolled into registers. */
INLINE void narrow_rows_for(
        struct kernels *kernels, const struct leaf_rows *tile, const uint32_t d, const enum element_type element)
{
	size_t row = 0;
	if (tile->row_stride == element_bytes(element))
		row = narrow_rows(kernels, tile, row, d, element, COLUMNS);
	else if (is_side_by_side(tile, d + 1) && tile->row_stride == (d + 1) * element_bytes(element))
		row = narrow_rows(kernels, tile, row, d, element, ROWS);
	narrow_rows(kernels, tile, row, d, element, APART);
}

INLINE void sum_elements(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	switch (kernels->features) {
	case 1:
		narrow_rows_for(kernels, tile, 1, element);
		break;
	case 2:
		narrow_rows_for(kernels, tile, 2, element);
		break;
	case 3:
		narrow_rows_for(kernels, tile, 3, element);
		break;
	case 4:
		narrow_rows_for(kernels, tile, 4, element);
		break;
	case 5:
		narrow_rows_for(kernels, tile, 5, element);
		break;
	case 6:
		narrow_rows_for(kernels, tile, 6, element);
		break;
	case 7:
		narrow_rows_for(kernels, tile, 7, element);
		break;
	default:
		wide_rows(kernels, tile, element, goes_ahead(kernels, tile));
		break;
	}
}

INLINE void sum_tile(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		sum_elements(kernels, tile, ELEMENT_F4);
	else
		sum_elements(kernels, tile, ELEMENT_F8);
}

static void sum_tile_baseline(struct kernels *kernels, const struct leaf_rows *tile)
{
	sum_tile(kernels, tile);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void sum_tile_avx2(struct kernels *kernels, const struct leaf_rows *tile)
{
	sum_tile(kernels, tile);
}
#else
#define sum_tile_avx2 sum_tile_baseline
#endif

static void (*const clones[CLONE_COUNT])(struct kernels *, const struct leaf_rows *) = {
        [CLONE_BASELINE] = sum_tile_baseline,
        [CLONE_AVX2] = sum_tile_avx2,
};

enum kernel_clone kernel_best_clone(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return CLONE_AVX2;
#endif
	return CLONE_BASELINE;
}

/* A column's sum. */
static double column_sum(const struct kernels *kernels, size_t column)
{
	size_t d = kernels->features;
	if (d < TILE_WIDE_FEATURES)
		return lanes_add(kernels->sums + LANES * column);
	size_t block = column / LANES * LANES;
	return kernels->sums[block + column - block_column(block, d)];
}

static void finish_leaf(const struct kernels *kernels, size_t rows, double *out)
{
	if (kernels->kernel == KERNEL_METRICS) {
		*out++ = lanes_add(kernels->squares);
		*out++ = lanes_add(kernels->totals);
	} else {
		for (size_t j = 0; j < kernels->features; j++)
			*out++ = column_sum(kernels, j);
		*out++ = lanes_add(kernels->totals);
		if (!deviates(kernels))
			*out++ = lanes_add(kernels->squares);
	}
	*out = (double)rows;
}

bool kernels_sum_leaf(struct kernels *kernels, const struct leaf_rows *leaf, double *out)
{
	struct leaf_rows tile;
	size_t rows = 0;
	memset(kernels->sums, 0, kernels->blocks * sizeof(lanes));
	memset(kernels->squares, 0, sizeof kernels->squares);
	memset(kernels->totals, 0, sizeof kernels->totals);
	tile_reader_begin(&kernels->reader, leaf);
	while (tile_reader_next(&kernels->reader, &tile)) {
		clones[kernels->clone](kernels, &tile);
		rows += tile.rows;
	}
	if (rows == 0)
		return false;
	finish_leaf(kernels, rows, out);
	return true;
}
