/*
 * Reads a plain number whose end is known, 16 or 32 characters at once and without a branch on what they are: many
 * numbers are then under way in the processor at the same time. For common/csv_rows.c, where a call for each number
 * would be felt.
 */
#ifndef FORKFIT_COMMON_DECIMAL_PLAIN_H
#define FORKFIT_COMMON_DECIMAL_PLAIN_H

#include "common/decimal.h"

#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* So many bytes in front of a number's end are looked at. */
enum { DECIMAL_PLAIN_REACH = 32 };

/* The compiler would think it too large. */
#define DECIMAL_INLINE static inline __attribute__((always_inline))

/* Windows of 16 bytes: from [32 - n] on, n lanes are cleared and those behind them set. */
static const unsigned char decimal_plain_masks[80] = {
        [32] = 255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255, /* lanes 0 … 15, */
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255, /* and again */
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255,
        255, /* and again */
};

/* -16 <= cleared <= 32: the mask whose first so many lanes are cleared. */
DECIMAL_INLINE __m128i decimal_plain_mask(ptrdiff_t cleared)
{
	return _mm_loadu_si128((const __m128i *)(const void *)(decimal_plain_masks + 32 - cleared));
}

/* Characters to values: digits become 0 … 9, a point 30, and anything else more than 9. */
DECIMAL_INLINE __m128i decimal_plain_values(const char *at)
{
	return _mm_xor_si128(_mm_loadu_si128((const __m128i *)(const void *)at), _mm_set1_epi8('0'));
}

/* One bit for each lane that holds a point. */
DECIMAL_INLINE uint32_t decimal_plain_points(__m128i values)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(values, _mm_set1_epi8('.' ^ '0')));
}

/* Chooses the lanes of `set` where the mask is set, else those of `cleared`. */
DECIMAL_INLINE __m128i decimal_plain_choose(__m128i mask, __m128i set, __m128i cleared)
{
	return _mm_or_si128(_mm_and_si128(mask, set), _mm_andnot_si128(mask, cleared));
}

DECIMAL_INLINE bool decimal_plain_are_digits(__m128i values)
{
	const __m128i nine = _mm_set1_epi8(9);
	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(values, nine), nine)) == 0xFFFF;
}

/* The number that 16 digits make, the first in lane 0. */
DECIMAL_INLINE uint64_t decimal_plain_number(__m128i digits)
{
	/* In lanes of 16 bits: 10·first + second. In lanes of 32 bits: 100·first + second. And so on. */
	__m128i first = _mm_and_si128(digits, _mm_set1_epi16(0xFF));
	__m128i twos = _mm_add_epi16(_mm_mullo_epi16(first, _mm_set1_epi16(10)), _mm_srli_epi16(digits, 8));
	__m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(100 + (1 << 16)));
	__m128i packed = _mm_packs_epi32(fours, fours);
	__m128i eights = _mm_madd_epi16(packed, _mm_set1_epi32(10000 + (1 << 16)));
	uint64_t both = (uint64_t)_mm_cvtsi128_si64(eights);
	return (both & UINT32_MAX) * 100000000 + (both >> 32);
}

/* 10^fraction with the point in lane `point` of 16 is the element point + 1; without a point the first. */
static const double decimal_plain_powers[] = {
        1e0, 1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1e0};

/* Up to 16 characters. `values` are those in front of stop, and lanes that are none of its characters are cleared. */
DECIMAL_INLINE bool decimal_plain_read_short(__m128i values, double *magnitude)
{
	uint32_t points = decimal_plain_points(values);
	int behind_point = points == 0 ? 0 : __builtin_ctz(points) + 1;
	/* What is in front of the point moves into its place. */
	__m128i mask = decimal_plain_mask(behind_point);
	__m128i digits = decimal_plain_choose(mask, values, _mm_slli_si128(values, 1));
	if (!decimal_plain_are_digits(digits))
		return false;
	uint64_t mantissa = decimal_plain_number(digits);
	if (mantissa > UINT64_C(1) << 53) { /* then there is no point */
		*magnitude = decimal_nearest(mantissa, 0);
		return true;
	}
	/* Both are exact, so one division rounds once (Clinger). */
	*magnitude = (double)(int64_t)mantissa / decimal_plain_powers[behind_point];
	return mantissa != 0 || behind_point != 16; /* a point alone is no number */
}

/* 17 to 32 characters. */
DECIMAL_INLINE bool decimal_plain_read_long(__m128i high, __m128i low, double *magnitude)
{
	const uint64_t sixteen_digits = UINT64_C(10000000000000000);
	uint64_t points = (uint64_t)decimal_plain_points(low) << 16 | decimal_plain_points(high);
	int behind_point = points == 0 ? 0 : __builtin_ctzll(points) + 1;
	__m128i carried = _mm_or_si128(_mm_slli_si128(low, 1), _mm_srli_si128(high, 15));
	low = decimal_plain_choose(decimal_plain_mask(behind_point - 16), low, carried);
	high = decimal_plain_choose(decimal_plain_mask(behind_point), high, _mm_slli_si128(high, 1));
	if (!decimal_plain_are_digits(_mm_max_epu8(low, high)))
		return false;
	uint64_t upper = decimal_plain_number(high);
	if (upper >= UINT64_MAX / sixteen_digits)
		return false;
	uint64_t mantissa = upper * sixteen_digits + decimal_plain_number(low);
	*magnitude = decimal_nearest(mantissa, points == 0 ? 0 : behind_point - 32);
	return true;
}

/*
 * Reads [first, stop) if it is perhaps a minus, and up to 32 characters that are digits with at most one point among
 * them, whose digits as a whole number fit in 64 bits. False: it is something else, or not a number, and *value is
 * undefined. The DECIMAL_PLAIN_REACH bytes in front of stop must be readable.
 */
DECIMAL_INLINE bool decimal_plain_read(const char *first, const char *stop, double *value)
{
	uint64_t negative = *first == '-';
	size_t length = (size_t)(stop - first) - negative;
	__m128i low = decimal_plain_values(stop - 16);
	double magnitude;
	if (length - 1 < 16) {
		__m128i mask = decimal_plain_mask(16 - (ptrdiff_t)length);
		if (!decimal_plain_read_short(_mm_and_si128(low, mask), &magnitude))
			return false;
	} else if (length - 1 < 32) {
		__m128i mask = decimal_plain_mask(32 - (ptrdiff_t)length);
		__m128i high = _mm_and_si128(decimal_plain_values(stop - 32), mask);
		if (!decimal_plain_read_long(high, low, &magnitude))
			return false;
	} else {
		return false;
	}
	uint64_t bits;
	memcpy(&bits, &magnitude, sizeof bits);
	bits |= negative << 63;
	memcpy(value, &bits, sizeof bits);
	return true;
}

#undef DECIMAL_INLINE

#endif
