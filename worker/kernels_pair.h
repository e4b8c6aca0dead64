/*
 * Eight numbers at once: a pair of the fours of kernels_lanes.h, each in its half of a register. Only the AVX-512
 * clones include this, which the Makefile compiles for processors that have these.
 */
#ifndef FORKFIT_WORKER_KERNELS_PAIR_H
#define FORKFIT_WORKER_KERNELS_PAIR_H

#include "worker/kernels_lanes.h"

#include <immintrin.h>

enum { PAIR = 2 * LANES };

/* They may lie at any address. */
typedef double pair __attribute__((vector_size(64), aligned(1), may_alias));

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

#endif
