/*
 * Wide rows in C order, a block of eight columns of a row in a register: how the AVX-512 clones go through a row's
 * columns. Only they include this.
 */
#ifndef FORKFIT_WORKER_KERNELS_SWEEP_H
#define FORKFIT_WORKER_KERNELS_SWEEP_H

#include "worker/kernels_ahead.h"
#include "worker/kernels_pair.h"

/* What going through a group's columns needs, block by block. */
struct sweep {
	const double *weights, *centre;
	double *sums;
	double *kept; /* of each block, four rows of eight columns */
	size_t blocks;
	size_t row_stride; /* in bytes */
	size_t three_rows; /* three times that (struct eight_at) */
	size_t last;       /* where the last block of a row is, in bytes from its first */
	enum asks asks;
	bool is_centred;
};

INLINE enum asks asks_for(const struct kernels *kernels, const struct leaf_rows *tile)
{
	return goes_ahead(kernels, tile) ? kernel_habits[kernels->clone].asks : ASKS_NOTHING;
}

/* To subtract 0 changes no number: that it is not done makes f4 with 127 columns a fifth faster in a cache. */
INLINE struct sweep sweep_of(
        const struct kernels *kernels, const struct leaf_rows *tile, const enum asks asks, const bool is_centred)
{
	size_t three_rows = 3 * tile->row_stride;
	__asm__("" : "+r"(three_rows));
	return (struct sweep){
	        .weights = kernels->weights,
	        .centre = kernels->centre,
	        .sums = kernels->sums,
	        .kept = kernels->group,
	        .blocks = kernels->blocks,
	        .row_stride = tile->row_stride,
	        .three_rows = three_rows,
	        .last = (kernels->features - BLOCK) * element_bytes(tile->element),
	        .asks = asks,
	        .is_centred = is_centred,
	};
}

INLINE pair sweep_centred(const struct sweep *sweep, size_t p, pair x)
{
	if (sweep->is_centred)
		x += pair_at(sweep->centre + PAIR * p);
	return x;
}

/* Where in a row a block is, in bytes. */
INLINE size_t block_offset(const struct sweep *sweep, size_t p, const bool is_last, const enum element_type element)
{
	return is_last ? sweep->last : BLOCK * p * element_bytes(element);
}

/* A block of a row, centred. */
INLINE pair row_block(const struct sweep *sweep, const unsigned char *row, size_t p, const bool is_last,
        const enum element_type element)
{
	return sweep_centred(sweep, p, pair_of_elements(row + block_offset(sweep, p, is_last, element), element));
}

#endif
