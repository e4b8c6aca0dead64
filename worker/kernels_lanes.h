/*
 * Four numbers at once, with GCC's vector extensions: whatever registers a clone has, these are the operations, in this
 * order. Only the kernels include this.
 */
#ifndef FORKFIT_WORKER_KERNELS_LANES_H
#define FORKFIT_WORKER_KERNELS_LANES_H

#include "worker/leaf_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined(__AVX__)
#include <immintrin.h>
#endif

/* Exactness is worked out from what roundings lose, which such options take for nothing. */
#if defined(__FAST_MATH__)
#error "forkfit cannot be compiled with -ffast-math or -Ofast: results would not be the same on all machines"
#endif

enum { LANES = 4 };

/* How vectors are passed depends on a function's target. Functions that take them here are all inlined. */
#pragma GCC diagnostic ignored "-Wpsabi"

/* They may lie at any address. */
typedef double lanes __attribute__((vector_size(32), aligned(1), may_alias));
typedef float float_anywhere __attribute__((aligned(1), may_alias));
typedef int64_t lanes_bits __attribute__((vector_size(32), aligned(1), may_alias));

/* Into each clone, to be compiled there for its instruction set. */
#define INLINE static inline __attribute__((always_inline))

/* What is a function of its own in a clone. */
#define NOT_INLINE __attribute__((noinline)) static

/* sum += a·b, rounded once, for processors that have no instruction for it (worker/kernels_fuse.c). */
void lanes_fuse(const lanes *a, const lanes *b, lanes *sum);

INLINE lanes lanes_at(const double *at)
{
	return *(const lanes *)at;
}

/*
 * A number in all four. Where registers hold two, it is made of halves: by itself GCC makes stores of it that a load
 * has to wait for, and rows in Fortran order came to 2 GB/s instead of 11. Where they hold four, it is the halves that
 * are waited for, 5 GB/s instead of 24.
 */
INLINE lanes lanes_of_all(double value)
{
#if defined(__SSE2__) && !defined(__AVX__)
	typedef double half __attribute__((vector_size(16)));
	const half two = {value, value};
	lanes all;
	memcpy(&all, &two, sizeof two);
	memcpy((unsigned char *)&all + sizeof two, &two, sizeof two);
	return all;
#else
	return (lanes){value, value, value, value};
#endif
}

/* sum + a·b, rounded once. */
INLINE lanes lanes_fused(lanes a, lanes b, lanes sum)
{
#if defined(__FMA__)
	return (lanes)_mm256_fmadd_pd((__m256d)a, (__m256d)b, (__m256d)sum);
#elif defined(__FP_FAST_FMA)
	for (int i = 0; i < LANES; i++)
		sum[i] = __builtin_fma(a[i], b[i], sum[i]);
	return sum;
#else
	lanes_fuse(&a, &b, &sum);
	return sum;
#endif
}

INLINE void lanes_store(double *at, lanes values)
{
	*(lanes *)at = values;
}

/* Four elements of a file side by side. */
INLINE lanes lanes_of_elements(const unsigned char *at, const enum element_type element)
{
	if (element == ELEMENT_F8)
		return *(const lanes *)at;
#if defined(__AVX__)
	return (lanes)_mm256_cvtps_pd(_mm_loadu_ps((const float *)at));
#else
	const float_anywhere *four = (const float_anywhere *)at;
	return (lanes){four[0], four[1], four[2], four[3]};
#endif
}

INLINE lanes lanes_absolute(lanes values)
{
	return (lanes)((lanes_bits)values & INT64_MAX);
}

/* 0 where the mask is. */
INLINE lanes lanes_masked(lanes values, lanes_bits mask)
{
	return (lanes)((lanes_bits)values & mask);
}

/* The one order in which eight numbers are added: as four, each the sum of two that are four apart. */
static inline double lanes_add_eight(const double *lane)
{
	return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* { Σa, Σb, Σc, Σd }, each as (0 + 2) + (1 + 3). */
INLINE lanes lanes_add_each(lanes a, lanes b, lanes c, lanes d)
{
	lanes ac = __builtin_shufflevector(a, c, 0, 1, 4, 5) + __builtin_shufflevector(a, c, 2, 3, 6, 7);
	lanes bd = __builtin_shufflevector(b, d, 0, 1, 4, 5) + __builtin_shufflevector(b, d, 2, 3, 6, 7);
	return __builtin_shufflevector(ac, bd, 0, 4, 2, 6) + __builtin_shufflevector(ac, bd, 1, 5, 3, 7);
}

/* Row i of four becomes column i. */
INLINE void lanes_transpose(lanes *a, lanes *b, lanes *c, lanes *d)
{
	lanes even_ab = __builtin_shufflevector(*a, *b, 0, 4, 2, 6),
	      odd_ab = __builtin_shufflevector(*a, *b, 1, 5, 3, 7);
	lanes even_cd = __builtin_shufflevector(*c, *d, 0, 4, 2, 6),
	      odd_cd = __builtin_shufflevector(*c, *d, 1, 5, 3, 7);
	*a = __builtin_shufflevector(even_ab, even_cd, 0, 1, 4, 5);
	*b = __builtin_shufflevector(odd_ab, odd_cd, 0, 1, 4, 5);
	*c = __builtin_shufflevector(even_ab, even_cd, 2, 3, 6, 7);
	*d = __builtin_shufflevector(odd_ab, odd_cd, 2, 3, 6, 7);
}

#endif
