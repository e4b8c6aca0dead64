/*
 * What the kernels for narrow rows, for wide rows, and for wide rows in Fortran order share. Only they include this.
 */
#ifndef FORKFIT_WORKER_KERNELS_SHARED_H
#define FORKFIT_WORKER_KERNELS_SHARED_H

#include "worker/kernels.h"
#include "worker/kernels_lanes.h"

/* Groups of rows in Fortran order that are summed together. */
enum { KERNELS_COLUMN_GROUPS = 2 };

/* Adds a tile's rows to the leaf's sums. */
void kernels_sum_narrow(struct kernels *kernels, const struct leaf_rows *tile); /* d < TILE_WIDE_FEATURES */
void kernels_sum_wide(struct kernels *kernels, const struct leaf_rows *tile);   /* a row's features side by side */
void kernels_sum_wide_columns(struct kernels *kernels, const struct leaf_rows *tile); /* a column's numbers are */

/*
 * Defines `name`, which calls the clone that was chosen: of `sum`, an INLINE function, or, for the baseline and
 * machines that have no clones, of `sum_in_halves`, which may be the same.
 */
#if defined(__x86_64__)
#define KERNELS_CLONES_OF(name, sum_in_halves, sum)                                                                    \
	static void name##_baseline(struct kernels *kernels, const struct leaf_rows *tile)                             \
	{                                                                                                              \
		sum_in_halves(kernels, tile);                                                                          \
	}                                                                                                              \
	__attribute__((target("avx2"))) static void name##_avx2(struct kernels *kernels, const struct leaf_rows *tile) \
	{                                                                                                              \
		sum(kernels, tile);                                                                                    \
	}                                                                                                              \
	void name(struct kernels *kernels, const struct leaf_rows *tile)                                               \
	{                                                                                                              \
		(kernels->clone >= CLONE_AVX2 ? name##_avx2 : name##_baseline)(kernels, tile);                         \
	}
#else
#define KERNELS_CLONES_OF(name, sum_in_halves, sum)                      \
	void name(struct kernels *kernels, const struct leaf_rows *tile) \
	{                                                                \
		sum_in_halves(kernels, tile);                            \
	}
#endif
#define KERNELS_CLONES(name, sum) KERNELS_CLONES_OF(name, sum, sum)

/* Where a block of wide rows begins; the last one, where it can. */
INLINE size_t block_column(size_t column, size_t features)
{
	return column < features - LANES ? column : features - LANES;
}

/* 1 for each row that there is of four, 0 for the others. */
INLINE lanes rows_counts(const size_t rows)
{
	return (lanes){1.0, rows > 1 ? 1.0 : 0.0, rows > 2 ? 1.0 : 0.0, rows > 3 ? 1.0 : 0.0};
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
	        .counts = rows_counts(rows),
	};
}

/* A number of each row; 0 for one that is missing, whose square might be infinite, which no 0 makes not count. */
INLINE lanes present(lanes values, const struct group *group, const bool is_full)
{
	return is_full ? values : lanes_masked(values, group->counts != 0.0);
}

/* The group's numbers in a column. */
INLINE lanes group_column(const struct group *group, size_t offset, const enum element_type element)
{
	return (lanes){element_at(group->row[0] + offset, element), element_at(group->row[1] + offset, element),
	        element_at(group->row[2] + offset, element), element_at(group->row[3] + offset, element)};
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

/*
 * Is the rest of the file to be asked for as this is read? Not if it is in a cache, not for a tile that was copied, and
 * not for rows that have columns which are not read.
 */
INLINE bool goes_ahead(const struct kernels *kernels, const struct leaf_rows *tile)
{
	return kernels->asks_ahead && kernels->reader.in_place &&
	       tile->row_stride == (kernels->features + 1) * element_bytes(tile->element);
}

#endif
