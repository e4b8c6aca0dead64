/*
 * What can be gathered from the data: each kernel turns rows into one vector of sums, and the tree adds vectors.
 *
 * d features x (a row's are x_1 … x_d), target y, m rows. A round sends d + 1 parameters p: d in the features' places
 * and one in the target's. Kernels marked * see the data minus the centre of the assignment: x - c, y - c_y.
 *
 *   kernel     p is         sums                                            width
 *   means      an origin    Σ(x_j - p_j), Σ(y - p_y), m                     d + 2
 *   moments    the means    Σ(x_j - p_j)², Σ(y - p_y)², m                   d + 2
 *   gradient*  w, b         Σ e·x_j, Σ e, Σ e², m   with e = w·x + b - y     d + 3
 *   curvature* a direction  the same with e = w·x + b                       d + 3
 *   metrics*   w, b         Σ e², Σ |e|, m          with e = w·x + b - y     3
 *   stream     nothing      m; the rows are read, and that is all            1
 *   residuals* w, b, h      how many rows have -e in each bin of width h, m  RESIDUAL_BINS + 1
 *   sample*    w, b, k      1, y and -e of single rows, in their places, m   3·SAMPLE_SLICE + 1
 *
 * Bins: the first holds what is below -RESIDUAL_SPAN·h, the last what is not below RESIDUAL_SPAN·h, and the bins
 * between them are of width h each. A sample has S = min(4·P, SAMPLE_POINTS) points, evenly spaced among all P leaves:
 * the i-th is a row of leaf ⌊i·P/S⌋, which gives its first rows that count. Slice k asks for SAMPLE_SLICE of them, and
 * adds nothing to the places of rows that there are not. All these numbers are added to zeros only, so that they come
 * as they are.
 *
 * The gradient of the loss Σe²/m is 2/m times the gradient sums; the curvature sums are its derivative along p, that
 * is, the Hessian times p (times m/2). The last element is always the number of rows.
 */
#ifndef FORKFIT_COMMON_SUMS_H
#define FORKFIT_COMMON_SUMS_H

#include "common/leaves.h"

#include <stddef.h>
#include <stdint.h>

enum kernel {
	KERNEL_MEANS,
	KERNEL_MOMENTS,
	KERNEL_GRADIENT,
	KERNEL_CURVATURE,
	KERNEL_METRICS,
	KERNEL_STREAM,
	KERNEL_RESIDUALS,
	KERNEL_SAMPLE,
	KERNEL_COUNT
};

enum {
	RESIDUAL_SPAN = 32, /* bins of width h on each side of zero */
	RESIDUAL_BINS = 2 * RESIDUAL_SPAN + 2,
	SAMPLE_POINTS = 1024,
	SAMPLE_OF_LEAF = 4, /* at most; small datasets have fewer leaves than points */
	SAMPLE_SLICE = 64,  /* more of them in a round would make all frames' buffers larger */
};

/* Doubles in the vector of a kernel for d features. */
static inline size_t sums_width(enum kernel kernel, uint32_t features)
{
	switch (kernel) {
	case KERNEL_MEANS:
	case KERNEL_MOMENTS:
		return (size_t)features + 2;
	case KERNEL_METRICS:
		return 3;
	case KERNEL_STREAM:
		return 1;
	case KERNEL_RESIDUALS:
		return RESIDUAL_BINS + 1;
	case KERNEL_SAMPLE:
		return 3 * SAMPLE_SLICE + 1;
	case KERNEL_GRADIENT:
	case KERNEL_CURVATURE:
	case KERNEL_COUNT:
		break;
	}
	return (size_t)features + 3;
}

/* The widest of them. */
static inline size_t sums_max_width(uint32_t features)
{
	size_t sample = 3 * SAMPLE_SLICE + 1;
	return (size_t)features + 3 > sample ? (size_t)features + 3 : sample;
}

/* Parameters of a kernel beyond the d + 1. */
static inline uint32_t sums_further_parameters(enum kernel kernel)
{
	return kernel == KERNEL_RESIDUALS || kernel == KERNEL_SAMPLE ? 1 : 0;
}

/* Rows that are sampled of a dataset of so many leaves, if no leaf is short of them. */
static inline uint32_t sums_sample_points(uint32_t leaf_count)
{
	return leaf_count < SAMPLE_POINTS / SAMPLE_OF_LEAF ? leaf_count * SAMPLE_OF_LEAF : SAMPLE_POINTS;
}

/* The points of the sample that are rows of this leaf, its first ones: none, or up to SAMPLE_OF_LEAF. */
static inline struct range sums_sample_of_leaf(uint32_t leaf, uint32_t leaf_count)
{
	uint64_t points = sums_sample_points(leaf_count), round_up = leaf_count - 1;
	return (struct range){
	        (leaf * points + round_up) / leaf_count,
	        ((leaf + UINT64_C(1)) * points + round_up) / leaf_count,
	};
}

#endif
