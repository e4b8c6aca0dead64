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
 *
 * The gradient of the loss Σe²/m is 2/m times the gradient sums; the curvature sums are its derivative along p, that
 * is, the Hessian times p (times m/2). The last element is always the number of rows.
 */
#ifndef FORKFIT_COMMON_SUMS_H
#define FORKFIT_COMMON_SUMS_H

#include <stddef.h>
#include <stdint.h>

enum kernel {
	KERNEL_MEANS,
	KERNEL_MOMENTS,
	KERNEL_GRADIENT,
	KERNEL_CURVATURE,
	KERNEL_METRICS,
	KERNEL_STREAM,
	KERNEL_COUNT
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
	return (size_t)features + 3;
}

#endif
