/*
 * Eight numbers at once: a pair of the fours of kernels_lanes.h, each in its half of a register. Only the AVX-512
 * clones include this, which the Makefile compiles for processors that have such registers.
 */
#ifndef FORKFIT_WORKER_KERNELS_PAIR_H
#define FORKFIT_WORKER_KERNELS_PAIR_H

#include "worker/kernels_shared.h"

#include <immintrin.h>

enum { PAIR = 2 * LANES };

/* They may lie at any address. */
typedef double pair __attribute__((vector_size(64), aligned(1), may_alias));

/* Where the numbers of a pair come from: 0 to 7 is in one, 8 to 15 in another. */
typedef int64_t pair_places __attribute__((vector_size(64)));

/* The same for 16 floats. */
typedef int32_t places_of_16 __attribute__((vector_size(64)));

INLINE pair pair_at(const double *at)
{
	return *(const pair *)at;
}

INLINE void pair_store(double *at, pair values)
{
	*(pair *)at = values;
}

/* Eight elements of a file side by side. */
INLINE pair pair_of_elements(const unsigned char *at, const enum element_type element)
{
	if (element == ELEMENT_F8)
		return pair_at((const double *)at);
	return (pair)_mm512_cvtps_pd(_mm256_loadu_ps((const float *)at));
}

/* The first of eight elements side by side; nothing is read of the others, which are 0. */
INLINE pair pair_of_first(const unsigned char *at, const size_t count, const enum element_type element)
{
	const __mmask8 there = (__mmask8)((1U << count) - 1);
	if (element == ELEMENT_F8)
		return (pair)_mm512_maskz_loadu_pd(there, at);
	return (pair)_mm512_cvtps_pd(_mm256_maskz_loadu_ps(there, at));
}

/* 0 for all but the first. */
INLINE pair pair_first(pair values, const size_t count)
{
	return (pair)_mm512_maskz_mov_pd((__mmask8)((1U << count) - 1), (__m512d)values);
}

/* Two pairs of 16 floats. */
INLINE void pair_of_16_floats(__m512 floats, pair *first, pair *second)
{
	*first = (pair)_mm512_cvtps_pd(_mm512_castps512_ps256(floats));
	*second = (pair)_mm512_cvtps_pd(_mm512_extractf32x8_ps(floats, 1));
}

INLINE pair pair_of_all(double value)
{
	return (pair)_mm512_set1_pd(value);
}

INLINE pair pair_of(lanes low, lanes high)
{
	return (pair)_mm512_insertf64x4(_mm512_castpd256_pd512((__m256d)low), (__m256d)high, 1);
}

INLINE lanes pair_low(pair values)
{
	return (lanes)_mm512_castpd512_pd256((__m512d)values);
}

INLINE lanes pair_high(pair values)
{
	return (lanes)_mm512_extractf64x4_pd((__m512d)values, 1);
}

/* The low halves of two, and the high ones. */
INLINE pair pair_lows(pair a, pair b)
{
	return (pair)_mm512_shuffle_f64x2((__m512d)a, (__m512d)b, 0x44);
}

INLINE pair pair_highs(pair a, pair b)
{
	return (pair)_mm512_shuffle_f64x2((__m512d)a, (__m512d)b, 0xee);
}

INLINE pair pair_of_places(pair a, pair_places places, pair b)
{
	return (pair)_mm512_permutex2var_pd((__m512d)a, (__m512i)places, (__m512d)b);
}

/* Row i of four becomes column i, in each half. */
INLINE void pair_transpose(pair *a, pair *b, pair *c, pair *d)
{
	const pair_places first = {0, 1, 8, 9, 4, 5, 12, 13}, second = {2, 3, 10, 11, 6, 7, 14, 15};
	const pair even_ab = (pair)_mm512_unpacklo_pd((__m512d)*a, (__m512d)*b),
	           odd_ab = (pair)_mm512_unpackhi_pd((__m512d)*a, (__m512d)*b);
	const pair even_cd = (pair)_mm512_unpacklo_pd((__m512d)*c, (__m512d)*d),
	           odd_cd = (pair)_mm512_unpackhi_pd((__m512d)*c, (__m512d)*d);
	*a = pair_of_places(even_ab, first, even_cd);
	*b = pair_of_places(odd_ab, first, odd_cd);
	*c = pair_of_places(even_ab, second, even_cd);
	*d = pair_of_places(odd_ab, second, odd_cd);
}

/* Adds eight numbers of each to the four sums of each, those of the first group first. */
INLINE void pair_add_two(pair *sums, pair a, pair b)
{
	*sums += pair_lows(a, b);
	*sums += pair_highs(a, b);
}

/*
 * What the features of two groups' rows are to be multiplied with, as add_rows has it; fewer than eight rows are the
 * first. The totals and the squares are a pair.
 */
INLINE pair pair_errors(const struct kernels *kernels, pair prediction, pair target, const size_t rows, pair *of_rows)
{
	const pair counts = pair_first(pair_of_all(1.0), rows);
	if (deviates(kernels)) {
		pair_add_two(of_rows, target, (pair){0});
		return counts;
	}
	if (kernels->kernel != KERNEL_CURVATURE)
		prediction -= target;
	/* A group that is missing counts for nothing at all, even if the intercept is infinite. */
	const pair e = rows == PAIR ? prediction : pair_first(counts * prediction, rows > LANES ? PAIR : LANES);
	pair_add_two(of_rows, e, e * e);
	return e;
}

#endif
