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

/*
 * The same place in each of eight rows. Of three of them a processor finds the address by itself; that the fifth is a
 * register of its own, and so is three times the stride, the compiler must not see through: it worked out seven
 * distances instead, and fetched them from vector registers. In a cache, on an Intel Xeon, f8 of 8 to 31 columns was
 * faster by up to 0.1 without.
 */
struct eight_at {
	const unsigned char *first, *fifth;
	size_t stride, three;
};

INLINE struct eight_at eight_at(const unsigned char *first, size_t stride, size_t three)
{
	struct eight_at at = {first, first + LANES * stride, stride, three};
	__asm__("" : "+r"(at.first), "+r"(at.fifth));
	return at;
}

INLINE const unsigned char *row_at(const struct eight_at *at, const size_t i)
{
	const unsigned char *from = i < LANES ? at->first : at->fifth;
	return i % LANES == 3 ? from + at->three : from + i % LANES * at->stride;
}

INLINE lanes four_targets(const unsigned char *target, size_t stride, const enum element_type element)
{
	return (lanes){element_at(target, element), element_at(target + stride, element),
	        element_at(target + 2 * stride, element), element_at(target + 3 * stride, element)};
}

#endif
