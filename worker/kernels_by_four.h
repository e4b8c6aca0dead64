/* What the baseline and the AVX2 clone are: the same source, compiled for other processors. Only they include this. */
#ifndef FORKFIT_WORKER_KERNELS_BY_FOUR_H
#define FORKFIT_WORKER_KERNELS_BY_FOUR_H

#include "worker/kernels_columns.h"
#include "worker/kernels_narrow.h"
#include "worker/kernels_wide.h"

/* Adds a tile's rows, of which the first begins eight, to the leaf's sums. */
INLINE void sum_by_four(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (kernels->features < TILE_WIDE_FEATURES)
		sum_narrow(kernels, tile);
	else if (tile->row_stride != element_bytes(tile->element))
		sum_wide(kernels, tile);
	else
		sum_columns(kernels, tile);
}

#endif
