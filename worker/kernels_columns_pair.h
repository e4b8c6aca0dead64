/*
 * Wide rows in Fortran order, a column's numbers in two groups of rows in a register: what the two ways through them
 * share. Only the AVX-512 clones include this.
 */
#ifndef FORKFIT_WORKER_KERNELS_COLUMNS_PAIR_H
#define FORKFIT_WORKER_KERNELS_COLUMNS_PAIR_H

#include "worker/kernels_pair.h"
#include "worker/kernels_shared.h"

enum { ALL_ROWS = 0xff, FIRST_GROUP = 0x0f };

/* A column's numbers in a pair's rows, centred; 0 in those that there are not. */
INLINE pair pair_of_rows(const unsigned char *at, const __mmask8 there, pair c, const enum element_type element)
{
	if (there == ALL_ROWS)
		return pair_of_elements(at, element) + c;
	if (element == ELEMENT_F8)
		return (pair)_mm512_maskz_add_pd(there, _mm512_maskz_loadu_pd(there, at), (__m512d)c);
	return (pair)_mm512_maskz_add_pd(there, _mm512_cvtps_pd(_mm256_maskz_loadu_ps(there, at)), (__m512d)c);
}

/* Where some columns of two blocks are, from the rows that are given on. */
INLINE void places_of(const struct kernels *kernels, const struct leaf_rows *tile, const unsigned char *rows,
        size_t column, const size_t columns, const unsigned char **places)
{
#pragma GCC unroll 8
	for (size_t k = 0; k < columns; k++)
		places[k] =
		        rows + tile->offsets[block_column(column + k / LANES * LANES, kernels->features) + k % LANES];
}

/*
 * What a pair's features are multiplied with: e, or 1. Of a group that has no row at all it is 0: the product of 0 and
 * its predictions, which are no rows', might be no number.
 */
INLINE pair pair_error(const struct kernels *kernels, const pair *sums, pair y, const __mmask8 there)
{
	const pair counts = (pair)_mm512_maskz_mov_pd(there, _mm512_set1_pd(1.0));
	if (deviates(kernels))
		return counts;
	pair prediction = ((sums[0] + sums[2]) + (sums[1] + sums[3])) + pair_of_all(kernels->intercept);
	if (kernels->kernel != KERNEL_CURVATURE)
		prediction -= y;
	if (there == ALL_ROWS)
		return prediction;
	const __mmask8 groups = there > FIRST_GROUP ? ALL_ROWS : FIRST_GROUP;
	return (pair)_mm512_maskz_mul_pd(groups, (__m512d)counts, (__m512d)prediction);
}

/* Adds up what concerns a pair's rows alone. The squares of ones are nobody's sum. */
INLINE void add_pair(const bool is_of_targets, pair e, pair y, struct row_sums *row_sums)
{
	const pair terms = is_of_targets ? y : e, squares = e * e;
	row_sums->total += pair_low(terms);
	row_sums->total += pair_high(terms);
	row_sums->square += pair_low(squares);
	row_sums->square += pair_high(squares);
}

/* { Σa, Σb of the first group; Σa, Σb of the second; Σc, Σd of the first; Σc, Σd of the second } */
INLINE __m512d add_each(pair a, pair b, pair c, pair d)
{
	enum { EVEN = 0x88, ODD = 0xdd };
	const __m512d ac = _mm512_add_pd(
	        _mm512_shuffle_f64x2((__m512d)a, (__m512d)c, EVEN), _mm512_shuffle_f64x2((__m512d)a, (__m512d)c, ODD));
	const __m512d bd = _mm512_add_pd(
	        _mm512_shuffle_f64x2((__m512d)b, (__m512d)d, EVEN), _mm512_shuffle_f64x2((__m512d)b, (__m512d)d, ODD));
	return _mm512_add_pd(_mm512_unpacklo_pd(ac, bd), _mm512_unpackhi_pd(ac, bd));
}

/* The columns' sums, to which the products of one group are added, and then those of the other. */
INLINE pair add_products(pair sums, const pair *products, const size_t columns)
{
	const __m512d low = add_each(products[0], products[1], products[2], products[3]);
	const __m512d high = columns == PAIR ? add_each(products[4], products[5], products[6], products[7]) : low;
	sums += (pair)_mm512_shuffle_f64x2(low, high, 0x88);
	return sums + (pair)_mm512_shuffle_f64x2(low, high, 0xdd);
}

INLINE pair sums_at(const double *at, const size_t columns)
{
	return columns == PAIR ? pair_at(at) : pair_of(lanes_at(at), lanes_at(at));
}

INLINE void sums_store(double *at, pair sums, const size_t columns)
{
	if (columns == PAIR)
		pair_store(at, sums);
	else
		lanes_store(at, pair_low(sums));
}

#endif
