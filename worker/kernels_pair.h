/*
 * Eight numbers at once: a pair of the fours of kernels_lanes.h, each in its half of a register. Only the AVX-512
 * clones include this, which the Makefile compiles for processors that have such registers.
 */
#ifndef FORKFIT_WORKER_KERNELS_PAIR_H
#define FORKFIT_WORKER_KERNELS_PAIR_H

#include "worker/kernels_shared.h"

#include <immintrin.h>

enum { PAIR = 2 * LANES };

_Static_assert((int)PAIR == (int)BLOCK && (int)PAIR == (int)EIGHT, "a block's columns, or eight rows, are a register");

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

/* Those of eight elements side by side that there are; nothing is read of the others, which are 0. */
INLINE pair pair_of_some(const unsigned char *at, const __mmask8 there, const enum element_type element)
{
	if (element == ELEMENT_F8)
		return (pair)_mm512_maskz_loadu_pd(there, at);
	return (pair)_mm512_cvtps_pd(_mm256_maskz_loadu_ps(there, at));
}

/* 0 where the mask is. */
INLINE pair pair_masked(pair values, const __mmask8 there)
{
	return (pair)_mm512_maskz_mov_pd(there, (__m512d)values);
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

/* sum + a·b, rounded once. */
INLINE pair pair_fused(pair a, pair b, pair sum)
{
	return (pair)_mm512_fmadd_pd((__m512d)a, (__m512d)b, (__m512d)sum);
}

/* The eight numbers of each as four: each the sum of two that are four apart. */
INLINE pair pair_of_fours(pair a, pair b)
{
	return pair_lows(a, b) + pair_highs(a, b);
}

/* Which of eight rows there are. */
enum { ALL_ROWS = 0xff };

INLINE __mmask8 rows_there(size_t rows)
{
	return (__mmask8)(rows < PAIR ? (1U << rows) - 1 : ALL_ROWS);
}

/* A tile's sums over rows, a lane for each of eight. */
struct pair_sums {
	pair total, square;
};

INLINE struct pair_sums pair_sums_of(const struct kernels *kernels)
{
	return (struct pair_sums){pair_at(kernels->totals), pair_at(kernels->squares)};
}

INLINE void pair_sums_store(struct kernels *kernels, const struct pair_sums *sums)
{
	pair_store(kernels->totals, sums->total);
	pair_store(kernels->squares, sums->square);
}

/* What the features of eight rows are to be multiplied with, as add_rows has it. */
INLINE pair pair_errors(
        const struct kernels *kernels, pair prediction, pair target, const __mmask8 there, struct pair_sums *sums)
{
	if (deviates(kernels)) {
		sums->total += pair_masked(target, there);
		return pair_masked(pair_of_all(1.0), there);
	}
	if (kernels->kernel != KERNEL_CURVATURE)
		prediction -= target;
	const pair e = pair_masked(prediction, there);
	sums->total += e;
	sums->square = pair_fused(e, e, sums->square);
	return e;
}

#endif
