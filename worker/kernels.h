/*
 * The kernels: a leaf's rows in, one vector of sums out (common/sums.h has their formulas). Pure.
 *
 * The order of every floating-point operation is fixed by the leaf's rows alone, not by the file's layout, the
 * processor or the compiler's taste. Four numbers are always added as (0 + 2) + (1 + 3), and eight as four, each the
 * sum of two that are four apart. Products go to their sums by fused multiply-add, which rounds once; squares of
 * moments are rounded by themselves.
 *
 *   - A leaf's rows are taken eight at a time, in two groups of four. Rows of zeros (behind the subtraction of the
 *     centre) may stand in for those that are missing of the last eight: no sum is a negative zero.
 *   - The sums of e, e², |e| and of the target have eight lanes, one for each row of eight.
 *   - Narrow rows (d < 8). A row's prediction is ((b + w_0·x_0) + w_1·x_1) + … A column has eight lanes, too.
 *   - Wide rows. Columns are taken eight at a time, too; the last block begins at d - 8, and what it has in common with
 *     the one before counts once, there (here with weight 0). A row's products go to eight sums, one for each column of
 * a block; their sum plus b is the prediction. A column has one sum, to which a group's four products are added as one
 * number; only the two that come first, 0 and 1, are rounded.
 *
 * The clones for wider vectors do the same operations, more at a time. Where the processor has no fused multiply-add it
 * is made of others (worker/kernels_fuse.c). The compiler makes none by itself (-ffp-contract=off).
 */
#ifndef FORKFIT_WORKER_KERNELS_H
#define FORKFIT_WORKER_KERNELS_H

#include "common/sums.h"
#include "worker/leaf_rows.h"
#include "worker/tile.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Instruction sets there is a clone for, narrowest first. The last three have the same one, and go through the
 * rows as an Intel Xeon likes it, or as AMD's Zen 4 (family 25) and Zen 5 (family 26) do (worker/kernels_habits.h).
 */
enum kernel_clone { CLONE_BASELINE, CLONE_AVX2, CLONE_AVX512, CLONE_AVX512_ZEN4, CLONE_AVX512_ZEN5, CLONE_COUNT };

/* The best one that this processor runs. */
enum kernel_clone kernel_best_clone(void);

struct kernels {
	uint32_t features; /* d */
	enum kernel_clone clone;
	enum kernel kernel;
	double intercept;     /* b, the last parameter */
	double target_centre; /* what is subtracted from the target */
	bool is_centred;      /* is anything but 0 subtracted from a feature? */
	bool asks_ahead;      /* of the memory, for rows that are not in a cache */
	size_t blocks;    /* of eight columns, of wide rows; of narrow ones d; the three arrays below are 8 × blocks */
	double *weights;  /* of the columns of each block; 0 where the block before has the column */
	double *centre;   /* the negative of what is subtracted from them, which is added straight from memory */
	double *sums;     /* wide: of the columns of each block; narrow: each column's eight */
	double *group;    /* wide: of each block up to eight rows, centred */
	double *run_kept; /* Fortran order in runs, AVX-512: the columns' numbers in a run, centred, */
	double *run;      /* and what is known of its rows (worker/kernels_column_runs_avx512.c); else NULL */
	/* The first row of that run if it is the first of this leaf, or of the next one; or NULL. */
	const unsigned char *predicted, *predicted_next;
	double totals[8];  /* Σ e, Σ |e|, or the target's */
	double squares[8]; /* Σ e² */
	struct tile_reader reader;
};

/* skip_missing: rows with a NaN do not count. False: out of memory. */
bool kernels_init(struct kernels *kernels, uint32_t features, bool skip_missing, enum kernel_clone clone);
void kernels_release(struct kernels *kernels);

/* How much memory all leaves of a pass take, about. Until this is told, they are taken for many. */
void kernels_expect(struct kernels *kernels, uint64_t bytes);

/* What the next leaves are summed with: parameters and centre are features + 1 doubles each. */
void kernels_choose(struct kernels *kernels, enum kernel kernel, const double *parameters, const double *centre);

/*
 * Writes the leaf's vector (sums_width doubles) to `out`. False, and nothing is written, when no row counted: the
 * leaf is absent. The rows that are said to follow may be read, too, and then must not change before another leaf has
 * been summed, or parameters have been chosen.
 */
bool kernels_sum_leaf(struct kernels *kernels, const struct leaf_rows *leaf, double *out);

#endif
