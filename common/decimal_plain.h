/*
 * Reads a plain number whose end is known, 16 or 32 characters at once and without a branch on what they are: many
 * numbers are then under way in the processor at the same time. For common/csv_rows.c, where a call for each number
 * would be felt.
 */
#ifndef FORKFIT_COMMON_DECIMAL_PLAIN_H
#define FORKFIT_COMMON_DECIMAL_PLAIN_H

#include "common/decimal_nearest.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* So many bytes in front of a number's end are looked at. */
enum { DECIMAL_PLAIN_REACH = 32 };

/* The compiler would think it too large. */
#define DECIMAL_INLINE static inline __attribute__((always_inline))

/*
 * Vectors with the same byte in each lane. The compiler must not know what they are: with AVX2 it would make each anew
 * for each number, in three instructions, instead of reading it.
 */
struct decimal_plain_bytes {
	unsigned char zero[32];         /* the character */
	unsigned char point[32];        /* exclusive or that */
	unsigned char beyond_digit[32]; /* added to a digit's value leaves the top bit 0, to any more sets it */
	unsigned char top_bit[32];
};
extern const struct decimal_plain_bytes decimal_plain_bytes;

/* Windows of 16 or 32 bytes: from [32 - n] on, n lanes are cleared and those behind them set. */
static const unsigned char decimal_plain_masks[80] = {[32 ... 79] = 255};

DECIMAL_INLINE __m128i decimal_plain_same(const unsigned char *bytes)
{
	return _mm_loadu_si128((const __m128i *)(const void *)bytes);
}

#ifdef __AVX2__
DECIMAL_INLINE __m256i decimal_plain_wide_same(const unsigned char *bytes)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)bytes);
}
#endif

/* -16 <= cleared <= 32: the mask whose first so many lanes are cleared. */
DECIMAL_INLINE __m128i decimal_plain_mask(ptrdiff_t cleared)
{
	return _mm_loadu_si128((const __m128i *)(const void *)(decimal_plain_masks + 32 - cleared));
}

#ifdef __AVX2__
/* 0 <= cleared <= 32: the same of 32 lanes. */
DECIMAL_INLINE __m256i decimal_plain_wide_mask(ptrdiff_t cleared)
{
	return _mm256_loadu_si256((const __m256i *)(const void *)(decimal_plain_masks + 32 - cleared));
}
#endif

/* Characters to values: digits become 0 … 9, a point 30, and anything else more than 9. */
DECIMAL_INLINE __m128i decimal_plain_values(const char *at)
{
	return _mm_xor_si128(
	        _mm_loadu_si128((const __m128i *)(const void *)at), decimal_plain_same(decimal_plain_bytes.zero));
}

/* One bit for each lane that holds a point. */
DECIMAL_INLINE uint32_t decimal_plain_points(__m128i values)
{
	return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(values, decimal_plain_same(decimal_plain_bytes.point)));
}

/* Chooses the lanes of `set` where the mask is set, else those of `cleared`. */
DECIMAL_INLINE __m128i decimal_plain_choose(__m128i mask, __m128i set, __m128i cleared)
{
#ifdef __AVX2__
	return _mm_blendv_epi8(cleared, set, mask);
#else
	return _mm_or_si128(_mm_and_si128(mask, set), _mm_andnot_si128(mask, cleared));
#endif
}

DECIMAL_INLINE bool decimal_plain_are_digits(__m128i values)
{
#ifdef __AVX2__
	const __m128i above_nine = _mm_adds_epu8(
	        values, decimal_plain_same(decimal_plain_bytes.beyond_digit)); /* then the top bit is set */
	return _mm_testz_si128(above_nine, decimal_plain_same(decimal_plain_bytes.top_bit));
#else
	const __m128i nine = _mm_set1_epi8(9);
	return _mm_movemask_epi8(_mm_cmpeq_epi8(_mm_max_epu8(values, nine), nine)) == 0xFFFF;
#endif
}

/* The two numbers that 8 digits make and the 8 behind them, in the first two lanes of 32 bits. */
DECIMAL_INLINE __m128i decimal_plain_eights(__m128i digits)
{
	/* In lanes of 16 bits: 10·first + second. In lanes of 32 bits: 100·first + second. And so on. */
#ifdef __AVX2__
	__m128i twos = _mm_maddubs_epi16(digits, _mm_set1_epi16(10 + (1 << 8)));
#else
	__m128i first = _mm_and_si128(digits, _mm_set1_epi16(0xFF));
	__m128i twos = _mm_add_epi16(_mm_mullo_epi16(first, _mm_set1_epi16(10)), _mm_srli_epi16(digits, 8));
#endif
	__m128i fours = _mm_madd_epi16(twos, _mm_set1_epi32(100 + (1 << 16)));
	__m128i packed = _mm_packs_epi32(fours, fours);
	return _mm_madd_epi16(packed, _mm_set1_epi32(10000 + (1 << 16)));
}

/* The number that both make. */
DECIMAL_INLINE uint64_t decimal_plain_number(uint64_t eights)
{
	return (eights & UINT32_MAX) * 100000000 + (eights >> 32);
}

/* 10^fraction with the point in lane `point` of 16 is the element point + 1; without a point the first. */
static const double decimal_plain_powers[] = {
        1e0, 1e15, 1e14, 1e13, 1e12, 1e11, 1e10, 1e9, 1e8, 1e7, 1e6, 1e5, 1e4, 1e3, 1e2, 1e1, 1e0};

DECIMAL_INLINE double decimal_plain_nearest(uint64_t mantissa, int exponent)
{
	if (exponent < -DECIMAL_PLAIN_REACH || exponent > 0)
		__builtin_unreachable();
	uint64_t bits = decimal_nearest_bits(mantissa, exponent);
	double magnitude;
	memcpy(&magnitude, &bits, sizeof magnitude);
	return magnitude;
}

/*
 * Up to 16 characters: `length` of them, behind other ones. Where there are a point and 15 digits at most, both numbers
 * are exact, and one division rounds once (Clinger).
 */
DECIMAL_INLINE bool decimal_plain_read_short(__m128i values, size_t length, double *magnitude)
{
	values = _mm_and_si128(values, decimal_plain_mask(16 - (ptrdiff_t)length));
	uint32_t points = decimal_plain_points(values);
	int behind_point = points == 0 ? 0 : __builtin_ctz(points) + 1;
	/* What is in front of the point moves into its place. */
	__m128i mask = decimal_plain_mask(behind_point);
	__m128i digits = decimal_plain_choose(mask, values, _mm_slli_si128(values, 1));
	if (!decimal_plain_are_digits(digits))
		return false;
	__m128i eights = decimal_plain_eights(digits);
	if (points == 0 && length == 16) {
		*magnitude = decimal_plain_nearest(decimal_plain_number((uint64_t)_mm_cvtsi128_si64(eights)), 0);
		return true;
	}
	__m128d terms = _mm_mul_pd(_mm_cvtepi32_pd(eights), _mm_set_pd(1, 100000000));
	__m128d mantissa = _mm_add_sd(terms, _mm_unpackhi_pd(terms, terms));
	*magnitude = _mm_cvtsd_f64(mantissa) / decimal_plain_powers[behind_point];
	return points == 0 || length > 1; /* a point alone is no number */
}

/* The same for 17 to 32 characters in front of stop. */
DECIMAL_INLINE bool decimal_plain_read_long(const char *stop, size_t length, double *magnitude)
{
	const ptrdiff_t in_front = 32 - (ptrdiff_t)length;
#ifdef __AVX2__
	const __m256i text = _mm256_loadu_si256((const __m256i *)(const void *)(stop - 32));
	__m256i values = _mm256_xor_si256(text, decimal_plain_wide_same(decimal_plain_bytes.zero));
	values = _mm256_and_si256(values, decimal_plain_wide_mask(in_front));
	uint32_t points = (uint32_t)_mm256_movemask_epi8(
	        _mm256_cmpeq_epi8(values, decimal_plain_wide_same(decimal_plain_bytes.point)));
	int behind_point = points == 0 ? 0 : __builtin_ctz(points) + 1;
	__m256i carried = _mm256_alignr_epi8(values, _mm256_permute2x128_si256(values, values, 0x08), 15);
	__m256i digits = _mm256_blendv_epi8(carried, values, decimal_plain_wide_mask(behind_point));
	__m256i above_nine = _mm256_adds_epu8(digits, decimal_plain_wide_same(decimal_plain_bytes.beyond_digit));
	if (!_mm256_testz_si256(above_nine, decimal_plain_wide_same(decimal_plain_bytes.top_bit)))
		return false;
	__m256i twos = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(10 + (1 << 8)));
	__m256i fours = _mm256_madd_epi16(twos, _mm256_set1_epi32(100 + (1 << 16)));
	__m256i packed = _mm256_packs_epi32(fours, fours);
	__m256i eights = _mm256_madd_epi16(packed, _mm256_set1_epi32(10000 + (1 << 16)));
	uint64_t upper = decimal_plain_number((uint64_t)_mm_cvtsi128_si64(_mm256_castsi256_si128(eights)));
	uint64_t lower = decimal_plain_number((uint64_t)_mm_cvtsi128_si64(_mm256_extracti128_si256(eights, 1)));
#else
	__m128i high = _mm_and_si128(decimal_plain_values(stop - 32), decimal_plain_mask(in_front));
	__m128i low = _mm_and_si128(decimal_plain_values(stop - 16), decimal_plain_mask(in_front - 16));
	uint32_t points = decimal_plain_points(low) << 16 | decimal_plain_points(high);
	int behind_point = points == 0 ? 0 : __builtin_ctz(points) + 1;
	__m128i carried = _mm_or_si128(_mm_slli_si128(low, 1), _mm_srli_si128(high, 15));
	low = decimal_plain_choose(decimal_plain_mask(behind_point - 16), low, carried);
	high = decimal_plain_choose(decimal_plain_mask(behind_point), high, _mm_slli_si128(high, 1));
	if (!decimal_plain_are_digits(_mm_max_epu8(low, high)))
		return false;
	uint64_t upper = decimal_plain_number((uint64_t)_mm_cvtsi128_si64(decimal_plain_eights(high)));
	uint64_t lower = decimal_plain_number((uint64_t)_mm_cvtsi128_si64(decimal_plain_eights(low)));
#endif
	const uint64_t sixteen_digits = UINT64_C(10000000000000000);
	if (upper >= UINT64_MAX / sixteen_digits)
		return false;
	*magnitude = decimal_plain_nearest(upper * sixteen_digits + lower, points == 0 ? 0 : behind_point - 32);
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
	double magnitude;
	if (length - 1 < 16) {
		if (!decimal_plain_read_short(decimal_plain_values(stop - 16), length, &magnitude))
			return false;
	} else if (length - 1 < 32) {
		if (!decimal_plain_read_long(stop, length, &magnitude))
			return false;
	} else {
		return false;
	}
	const __m128i sign = _mm_slli_epi64(_mm_cvtsi64_si128((int64_t)negative), 63);
	*value = _mm_cvtsd_f64(_mm_or_pd(_mm_set_sd(magnitude), _mm_castsi128_pd(sign)));
	return true;
}

#undef DECIMAL_INLINE

#endif
