/*
 * The double nearest to a whole number of 64 bits times a power of ten. Private to common/decimal.c and
 * common/decimal_plain.h, where a call for each number would be felt, and where some exponents cannot be.
 */
#ifndef FORKFIT_COMMON_DECIMAL_NEAREST_H
#define FORKFIT_COMMON_DECIMAL_NEAREST_H

#include "common/powers_of_five.h"

#include <stdbool.h>
#include <stdint.h>

enum { DECIMAL_FRACTION_BITS = 52, DECIMAL_EXPONENT_BIAS = 1023, DECIMAL_EXPONENT_INFINITE = 2047 };

/*
 * 5^exponent · mantissa, of which the upper 128 bits matter. The second multiplication is needed only where the first
 * leaves the bits that decide about rounding open. That two are always enough is proved in Mushtak and Lemire, "Fast
 * Number Parsing Without Fallback", Software: Practice and Experience 53, 2023.
 */
static inline unsigned __int128 decimal_multiply_by_power(uint64_t mantissa, int exponent)
{
	const struct power_of_five *power = &powers_of_five[exponent - POWER_OF_FIVE_MIN];
	const uint64_t undecided = 0x1FF; /* what is left below a leading zero, the 53 bits of a double and one more */
	unsigned __int128 product = (unsigned __int128)mantissa * power->high;
	if (((uint64_t)(product >> 64) & undecided) == undecided)
		product += ((unsigned __int128)mantissa * power->low) >> 64;
	return product;
}

/*
 * The bits of the double nearest to mantissa · 10^exponent, ties to even: Lemire, "Number Parsing at a Gigabyte per
 * Second", Software: Practice and Experience 51(8), 2021.
 */
static inline uint64_t decimal_nearest_bits(uint64_t mantissa, int64_t exponent)
{
	const uint64_t infinity = (uint64_t)DECIMAL_EXPONENT_INFINITE << DECIMAL_FRACTION_BITS;
	if (mantissa == 0 || exponent < POWER_OF_FIVE_MIN)
		return 0;
	if (exponent > POWER_OF_FIVE_MAX)
		return infinity;
	int ten = (int)exponent;
	int zeros = __builtin_clzll(mantissa);
	unsigned __int128 product = decimal_multiply_by_power(mantissa << zeros, ten);
	uint64_t high = (uint64_t)(product >> 64);
	int carry = (int)(high >> 63);
	int shift = carry + 64 - DECIMAL_FRACTION_BITS - 3;
	uint64_t bits = high >> shift; /* 53 bits and one to round by */
	/* 217706 / 2^16 approximates log2(10), and rounded down it is right for every power in the table. */
	int two = ((217706 * ten) >> 16) + 63 + carry - zeros + DECIMAL_EXPONENT_BIAS;
	if (two <= 0) { /* subnormal; no number of 19 digits lies halfway between two of these */
		if (1 - two >= 64)
			return 0;
		bits >>= 1 - two;
		return (bits + (bits & 1)) >> 1; /* a carry into bit 52 makes the smallest normal number */
	}
	/* Exactly halfway with an even neighbour below. 5^|exponent| must fit in a word for that, or in a quotient. */
	bool halfway = (uint64_t)product <= 1 && ten >= -4 && ten <= 23 && bits << shift == high;
	if (halfway && (bits & 3) == 1)
		bits--;
	bits = (bits + (bits & 1)) >> 1;
	/* Adding instead of masking: the leading bit, or a carry out of all 53, counts the exponent up by itself. */
	bits += (uint64_t)(two - 1) << DECIMAL_FRACTION_BITS;
	return bits < infinity ? bits : infinity;
}

#endif
