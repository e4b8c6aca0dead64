/*
 * Wide rows in Fortran order, a column's numbers in two groups of rows in a register: what the two ways through them
 * share. Only the AVX-512 clones include this.
 */
#ifndef FORKFIT_WORKER_KERNELS_COLUMNS_PAIR_H
#define FORKFIT_WORKER_KERNELS_COLUMNS_PAIR_H

#include "worker/kernels_pair.h"
#include "worker/kernels_shared.h"

/* A column's numbers in eight rows, centred; 0 in those that there are not. */
INLINE pair pair_of_rows(const unsigned char *at, const __mmask8 there, const double *centre, const bool is_centred,
        const enum element_type element)
{
	const pair x = there == ALL_ROWS ? pair_of_elements(at, element) : pair_of_some(at, there, element);
	return is_centred ? pair_masked(x + *centre, there) : x;
}

/* Where a block's columns are, from the rows that are given on. */
INLINE void places_of(const struct kernels *kernels, const struct leaf_rows *tile, const unsigned char *rows,
        size_t block, const unsigned char **places)
{
	const size_t *offsets = tile->offsets + block_column(BLOCK * block, kernels->features);
#pragma GCC unroll 8
	for (size_t k = 0; k < BLOCK; k++)
		places[k] = rows + offsets[k];
}

/* Of eight rows the predictions, out of the sums of their products with each column of a block. */
INLINE pair predictions_of(const struct kernels *kernels, const pair *sums)
{
	return (((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]))) +
	       kernels->intercept;
}

/* What eight rows' features are multiplied with: of each group twice the first two rows', and twice the others'. */
struct split {
	__m512d first, second;
};

INLINE struct split split_of(pair e)
{
	return (struct split){
	        _mm512_shuffle_f64x2((__m512d)e, (__m512d)e, 0x88), _mm512_shuffle_f64x2((__m512d)e, (__m512d)e, 0xdd)};
}

/* Of each group the two numbers whose sum its products of a come to, those of the second group behind; then of c. */
INLINE __m512d add_halves(const struct split *e, pair a, pair c)
{
	return _mm512_fmadd_pd(e->second, _mm512_shuffle_f64x2((__m512d)a, (__m512d)c, 0xdd),
	        _mm512_mul_pd(e->first, _mm512_shuffle_f64x2((__m512d)a, (__m512d)c, 0x88)));
}

/* { Σ e·a, Σ e·b of the first group; the same of the second; Σ e·c, Σ e·d of the first; the same of the second } */
INLINE __m512d add_each(const struct split *e, const pair *x)
{
	const __m512d ac = add_halves(e, x[0], x[2]), bd = add_halves(e, x[1], x[3]);
	return _mm512_add_pd(_mm512_unpacklo_pd(ac, bd), _mm512_unpackhi_pd(ac, bd));
}

/* A block's sums, to which the products of one group are added, and then those of the other. */
INLINE pair add_products(pair sums, const struct split *e, const pair *x)
{
	const __m512d low = add_each(e, x), high = add_each(e, x + LANES);
	sums += (pair)_mm512_shuffle_f64x2(low, high, 0x88);
	return sums + (pair)_mm512_shuffle_f64x2(low, high, 0xdd);
}

#endif
