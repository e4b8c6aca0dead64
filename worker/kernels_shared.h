/* What the kernels share. Only they include this. */
#ifndef FORKFIT_WORKER_KERNELS_SHARED_H
#define FORKFIT_WORKER_KERNELS_SHARED_H

#include "worker/kernels.h"
#include "worker/kernels_lanes.h"

/* The clones that go by four. Each adds a tile's rows, of which the first begins eight, to the leaf's sums. */
void kernels_sum_baseline(struct kernels *kernels, const struct leaf_rows *tile);
void kernels_sum_avx2(struct kernels *kernels, const struct leaf_rows *tile);

/* Columns in a block of wide rows, and rows that are summed in lanes of their own: two groups. */
enum { BLOCK = 2 * LANES, EIGHT = 2 * LANES };

/* Where a block of wide rows begins; the last one, where it can. */
INLINE size_t block_column(size_t column, size_t features)
{
	return column < features - BLOCK ? column : features - BLOCK;
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

/* A tile's sums over rows: of the first and of the second group of each eight. */
struct row_sums {
	lanes total[2];
	lanes square[2];
};

INLINE struct row_sums row_sums_of(const struct kernels *kernels)
{
	return (struct row_sums){{lanes_at(kernels->totals), lanes_at(kernels->totals + LANES)},
	        {lanes_at(kernels->squares), lanes_at(kernels->squares + LANES)}};
}

INLINE void row_sums_store(struct kernels *kernels, const struct row_sums *sums)
{
	lanes_store(kernels->totals, sums->total[0]);
	lanes_store(kernels->totals + LANES, sums->total[1]);
	lanes_store(kernels->squares, sums->square[0]);
	lanes_store(kernels->squares + LANES, sums->square[1]);
}

INLINE bool deviates(const struct kernels *kernels)
{
	return kernels->kernel == KERNEL_MEANS || kernels->kernel == KERNEL_MOMENTS;
}

/*
 * Adds up what concerns the rows of a group alone, and returns what their features are to be multiplied with: e, or 1.
 * What is there for rows that are missing counts for nothing, and may be infinite.
 */
INLINE lanes add_rows(const struct kernels *kernels, lanes prediction, lanes target, const struct group *group,
        const bool is_full, const size_t half, struct row_sums *sums)
{
	target = present(target, group, is_full);
	if (deviates(kernels)) {
		if (kernels->kernel == KERNEL_MOMENTS)
			target *= target;
		sums->total[half] += target;
		return group->counts;
	}
	if (kernels->kernel != KERNEL_CURVATURE)
		prediction -= target;
	const lanes e = present(prediction, group, is_full);
	sums->total[half] += kernels->kernel == KERNEL_METRICS ? lanes_absolute(e) : e;
	sums->square[half] = lanes_fused(e, e, sums->square[half]);
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
