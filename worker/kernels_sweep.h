/*
 * Wide rows in C order, eight columns of a row in a register: how the AVX-512 clones go through a row's columns. Only
 * they include this.
 */
#ifndef FORKFIT_WORKER_KERNELS_SWEEP_H
#define FORKFIT_WORKER_KERNELS_SWEEP_H

#include "worker/kernels_ahead.h"
#include "worker/kernels_pair.h"

/* What going through a group's columns needs, pair of blocks by pair. */
struct sweep {
	const double *weights, *centre;
	double *sums;
	double *kept;      /* of each pair, four rows of eight columns */
	size_t pairs;      /* the last may have one block */
	size_t row_stride; /* in bytes */
	size_t last;       /* where the last eight columns of a row are, in bytes from its first; */
	__m512i blocks;    /* which of them are in the last pair's blocks, */
	__mmask8 there;    /* and which numbers of that pair there are */
	enum asks asks;
};

INLINE enum asks asks_for(const struct kernels *kernels, const struct leaf_rows *tile)
{
	return asks_of(kernels->clone, goes_ahead(kernels, tile));
}

INLINE struct sweep sweep_of(const struct kernels *kernels, const struct leaf_rows *tile, const enum asks asks)
{
	const size_t d = kernels->features, blocks = kernels->blocks;
	const bool is_whole = blocks % 2 == 0;
	const long long low = is_whole ? (long long)(LANES * (blocks - 2) - (d - PAIR)) : LANES;
	return (struct sweep){
	        .weights = kernels->weights,
	        .centre = kernels->centre,
	        .sums = kernels->sums,
	        .kept = kernels->group,
	        .pairs = (blocks + 1) / 2,
	        .row_stride = tile->row_stride,
	        .last = (d - PAIR) * element_bytes(tile->element),
	        .blocks = _mm512_setr_epi64(low, low + 1, low + 2, low + 3, 4, 5, 6, 7),
	        .there = is_whole ? 0xff : 0x0f,
	        .asks = asks,
	};
}

/* A pair of blocks of a row, not centred; what is not there is 0, as are its weight and its centre. */
INLINE pair row_pair(const struct sweep *sweep, const unsigned char *row, size_t p, const bool is_last,
        const enum element_type element)
{
	if (!is_last)
		return pair_of_elements(row + PAIR * p * element_bytes(element), element);
	const pair x = pair_of_elements(row + sweep->last, element);
	return (pair)_mm512_maskz_permutexvar_pd(sweep->there, sweep->blocks, (__m512d)x);
}

INLINE lanes four_targets(const unsigned char *target, size_t stride, const enum element_type element)
{
	return (lanes){element_at(target, element), element_at(target + stride, element),
	        element_at(target + 2 * stride, element), element_at(target + 3 * stride, element)};
}

#endif
