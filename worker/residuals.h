/*
 * How the rows lie around a fit: the kernels "residuals" and "sample" of common/sums.h. One row after the other, since
 * a run asks once; a row's residual is the same wherever it is calculated. Pure.
 */
#ifndef FORKFIT_WORKER_RESIDUALS_H
#define FORKFIT_WORKER_RESIDUALS_H

#include "common/wire.h"
#include "worker/leaf_rows.h"
#include "worker/tile.h"

#include <stdbool.h>
#include <stdint.h>

/* What is asked. All is borrowed. */
struct residual_question {
	const struct params *params; /* of one of these kernels: features + 2 numbers */
	const double *centre;        /* features + 1 */
	uint32_t leaf_count;         /* of the whole dataset */
	struct tile_reader *reader;
};

/* Is the leaf to be looked at? If not, it is absent. Every kernel may ask: only a sample leaves leaves out. */
bool residuals_want_leaf(const struct residual_question *question, uint32_t leaf);

/* Writes the leaf's vector (sums_width doubles) to `out`. False, and nothing is written, when no row counted. */
bool residuals_sum_leaf(
        const struct residual_question *question, uint32_t leaf, const struct leaf_rows *rows, double *out);

#endif
