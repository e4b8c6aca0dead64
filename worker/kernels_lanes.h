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

enum { LANES = 4 };

/* How vectors are passed depends on a function's target. Functions that take them here are all inlined. */
#pragma GCC diagnostic ignored "-Wpsabi"

/* They may lie at any address. */
typedef double lanes __attribute__((vector_size(32), aligned(1), may_alias));
typedef float float_anywhere __attribute__((aligned(1), may_alias));
typedef int64_t lanes_bits __attribute__((vector_size(32), aligned(1), may_alias));

/* Into each clone, to be compiled there for its instruction set. */
#define INLINE static inline __attribute__((always_inline))

INLINE lanes lanes_at(const double *at)
{
	return *(const lanes *)at;
}

/*
 * A number in all four, made of two halves. By itself GCC makes of it, where registers hold two, stores that a load has
 * to wait for: rows in Fortran order came to 2 GB/s instead of 11. Where they hold four, it is the halves that are
 * waited for, 5 GB/s instead of 24.
 */
INLINE lanes lanes_of_halves(double value)
{
	typedef double half __attribute__((vector_size(16)));
	const half two = {value, value};
	lanes all;
	memcpy(&all, &two, sizeof two);
	memcpy((unsigned char *)&all + sizeof two, &two, sizeof two);
	return all;
}

INLINE lanes lanes_plus(lanes values, double value, const bool in_halves)
{
	if (in_halves)
		return values + lanes_of_halves(value);
	return values + value;
}

INLINE lanes lanes_times(lanes values, double value, const bool in_halves)
{
	if (in_halves)
		return values * lanes_of_halves(value);
	return values * value;
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
	const float_anywhere *four = (const float_anywhere *)at;
	return (lanes){four[0], four[1], four[2], four[3]};
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

/* The one order in which four numbers are added. */
static inline double lanes_add(const double *lane)
{
	return (lane[0] + lane[2]) + (lane[1] + lane[3]);
}

/* { Σa, Σb, Σc, Σd }, each in that order. */
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
