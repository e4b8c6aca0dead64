#include "worker/kernels.h"

#include "worker/kernels_lanes.h"

#include <stdlib.h>
#include <string.h>

/* In whole lines of cache, so that no vector lies in two. NULL: out of memory. */
static double *new_lanes(size_t count)
{
	enum { CACHE_LINE = 64 };
	return aligned_alloc(CACHE_LINE, (count * sizeof(lanes) + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE);
}

/*
 * How far ahead rows are asked for, at least: what the memory delivers while a line of cache is on its way. The
 * processor does so by itself only where it sees few streams of steps that are not powers of two.
 */
enum { PREFETCH_BYTES = 2048 };

bool kernels_init(struct kernels *kernels, uint32_t features, bool skip_missing, enum kernel_clone clone)
{
	*kernels = (struct kernels){.features = features, .clone = clone};
	kernels->blocks = features < TILE_WIDE_FEATURES ? features : ((size_t)features + LANES - 1) / LANES;
	if (!tile_reader_init(&kernels->reader, features, skip_missing))
		return false;
	kernels->weights = new_lanes(kernels->blocks);
	kernels->centre = new_lanes(kernels->blocks);
	kernels->sums = new_lanes(kernels->blocks);
	if (kernels->weights != NULL && kernels->centre != NULL && kernels->sums != NULL)
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
	kernels->weights = kernels->centre = kernels->sums = NULL;
}

/* The first column of a block of wide rows. */
INLINE size_t block_column(size_t block, size_t features)
{
	size_t column = LANES * block;
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
		size_t column = block_column(i / LANES, d) + i % LANES;
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

/* How a narrow tile's numbers lie. */
enum layout {
	ROWS,    /* a row's are side by side */
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
	if (layout == ROWS) {
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
        const uint32_t d, const enum element_type element, const enum layout layout, lanes *columns,
        struct row_sums *sums)
{
	struct group group = group_at(tile, row, rows);
	lanes x[TILE_WIDE_FEATURES];
	double b = kernels->intercept;
	lanes prediction = {b, b, b, b};
	group_columns(tile, &group, d + 1, element, layout, x);
	if (layout != COLUMNS)
		__builtin_prefetch(group.row[0] + PREFETCH_BYTES);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		x[j] -= kernels->centre[j];
		prediction += kernels->weights[j] * x[j];
	}
	lanes e = add_rows(kernels, prediction, x[d] - kernels->target_centre, group.counts, sums);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		if (kernels->kernel == KERNEL_MOMENTS)
			x[j] *= x[j];
		columns[j] += e * x[j];
	}
}

/* Sums the groups from `row` on, all of which must be full unless the layout is APART; returns the first row left. */
INLINE size_t narrow_rows(struct kernels *kernels, const struct leaf_rows *tile, size_t row, const uint32_t d,
        const enum element_type element, const enum layout layout)
{
	lanes columns[TILE_WIDE_FEATURES];
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++)
		columns[j] = lanes_at(kernels->sums + LANES * j);
	for (; row < tile->rows; row += LANES) {
		size_t left = tile->rows - row;
		if (left < LANES && layout != APART)
			break;
		size_t rows = layout != APART || left > LANES ? LANES : left;
		narrow_group(kernels, tile, row, rows, d, element, layout, columns, &sums);
	}
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++)
		lanes_store(kernels->sums + LANES * j, columns[j]);
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
	return row;
}

INLINE lanes wide_predictions(const struct kernels *kernels, const struct leaf_rows *tile, const struct group *group,
        const enum element_type element, size_t ahead)
{
	size_t x = tile->offsets[0];
	lanes s0 = {0}, s1 = {0}, s2 = {0}, s3 = {0};
	for (size_t block = 0; block < kernels->blocks; block++) {
		size_t at = x + block_column(block, kernels->features) * element_bytes(element);
		lanes w = lanes_at(kernels->weights + LANES * block);
		lanes c = lanes_at(kernels->centre + LANES * block);
		lanes x0 = lanes_of_elements(group->row[0] + at, element) - c;
		lanes x1 = lanes_of_elements(group->row[1] + at, element) - c;
		lanes x2 = lanes_of_elements(group->row[2] + at, element) - c;
		lanes x3 = lanes_of_elements(group->row[3] + at, element) - c;
		s0 += w * x0;
		s1 += w * x1;
		s2 += w * x2;
		s3 += w * x3;
		__builtin_prefetch(group->row[0] + at + ahead);
		__builtin_prefetch(group->row[1] + at + ahead);
	}
	return lanes_add_each(s0, s1, s2, s3) + kernels->intercept;
}

/* sums += Σ e·x over the group, or Σ e·x². */
INLINE void wide_products(struct kernels *kernels, const struct leaf_rows *tile, const struct group *group, lanes e,
        const enum element_type element, const bool squared, size_t ahead)
{
	size_t x = tile->offsets[0];
	for (size_t block = 0; block < kernels->blocks; block++) {
		size_t at = x + block_column(block, kernels->features) * element_bytes(element);
		lanes c = lanes_at(kernels->centre + LANES * block);
		lanes x0 = lanes_of_elements(group->row[0] + at, element) - c;
		lanes x1 = lanes_of_elements(group->row[1] + at, element) - c;
		lanes x2 = lanes_of_elements(group->row[2] + at, element) - c;
		lanes x3 = lanes_of_elements(group->row[3] + at, element) - c;
		if (squared)
			x0 *= x0, x1 *= x1, x2 *= x2, x3 *= x3;
		double *sums = kernels->sums + LANES * block;
		lanes_store(sums, lanes_at(sums) + ((e[0] * x0 + e[2] * x2) + (e[1] * x1 + e[3] * x3)));
		__builtin_prefetch(group->row[2] + at + ahead);
		__builtin_prefetch(group->row[3] + at + ahead);
	}
}

INLINE void wide_group(struct kernels *kernels, const struct leaf_rows *tile, size_t row, const size_t rows,
        const enum element_type element, size_t ahead, struct row_sums *sums)
{
	struct group group = group_at(tile, row, rows);
	lanes prediction = {0};
	if (!deviates(kernels))
		prediction = wide_predictions(kernels, tile, &group, element, ahead);
	lanes target = group_column(&group, tile->offsets[kernels->features], element) - kernels->target_centre;
	lanes e = add_rows(kernels, prediction, target, group.counts, sums);
	if (kernels->kernel == KERNEL_MOMENTS)
		wide_products(kernels, tile, &group, e, element, true, ahead);
	else if (kernels->kernel != KERNEL_METRICS)
		wide_products(kernels, tile, &group, e, element, false, ahead);
}

INLINE void wide_rows(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	size_t row = 0;
	size_t step = LANES * tile->row_stride;
	size_t ahead = (PREFETCH_BYTES + step - 1) / step * step;
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
	else if (d + 1 >= LANES && is_side_by_side(tile, d + 1))
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
		wide_rows(kernels, tile, element);
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
	size_t block = column / LANES;
	return kernels->sums[LANES * block + column - block_column(block, d)];
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
