/*
 * The kernels: a leaf's rows in, one vector of sums out (common/sums.h has their formulas). Pure.
 *
 * The order of every floating-point operation is fixed by the leaf's rows alone, not by the file's layout, the
 * processor or the compiler's taste: row r of a leaf adds to lane r mod 8, lanes are added in one fixed tree, a wide
 * row's products go to lane j mod 8, and four wide rows are added as (r0 + r1) + (r2 + r3). The clones for wider
 * vectors do the same operations, more at a time. Contraction to fused multiply-add is off (-ffp-contract=off).
 */
#ifndef FORKFIT_WORKER_KERNELS_H
#define FORKFIT_WORKER_KERNELS_H

#include "common/sums.h"
#include "worker/leaf_rows.h"
#include "worker/tile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Instruction sets there is a clone for, narrowest first. */
enum kernel_clone { CLONE_BASELINE, CLONE_AVX2, CLONE_COUNT };

/* The best one that this processor runs. */
enum kernel_clone kernel_best_clone(void);

struct kernels {
	uint32_t features; /* d */
	enum kernel_clone clone;
	enum kernel kernel;
	const double *parameters; /* d + 1, borrowed */
	const double *centre;     /* d + 1, borrowed */
	struct tile_reader reader;
	double *errors; /* a tile's e, one per row */
	double *lanes;  /* 8 × (d + 1): sums by lane and column */
	double *sums;   /* d: sums of wide gradients */
	double squares[8];
	double totals[8];
	size_t rows;
};

/* skip_missing: rows with a NaN do not count. False: out of memory. */
bool kernels_init(struct kernels *kernels, uint32_t features, bool skip_missing, enum kernel_clone clone);
void kernels_release(struct kernels *kernels);

/* What the next leaves are summed with. parameters and centre (features + 1 doubles each) are borrowed. */
void kernels_choose(struct kernels *kernels, enum kernel kernel, const double *parameters, const double *centre);

/*
 * Writes the leaf's vector (sums_width doubles) to `out`. False, and nothing is written, when no row counted: the
 * leaf is absent.
 */
bool kernels_sum_leaf(struct kernels *kernels, const struct leaf_rows *leaf, double *out);

#endif
