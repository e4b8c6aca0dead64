/*
 * A decimal number is (mantissa of up to 19 digits) · 10^exponent, and three methods in order of cost turn it into
 * the nearest double:
 *   - where mantissa and power of ten are both exact doubles, one multiplication or division rounds once (Clinger);
 *   - otherwise one or two 64-bit multiplications by a power of five of 128 bits (Eisel and Lemire);
 *   - where more than 19 digits matter, strtod.
 */
#include "common/decimal.h"

#include "common/decimal_nearest.h"
#include "common/decimal_plain.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MANTISSA_DIGITS = 19,         /* as many as always fit in 64 bits, and 10^19 does too */
	SIGNIFICANT_DIGITS_MAX = 800, /* the point halfway between two doubles never has more than 767 */
	EXACT_POWER_MAX = 22,         /* 10^22 is the largest power of ten that is a double */
};

static const uint64_t EXACT_MANTISSA_MAX = UINT64_C(1) << 53;

/* An exponent beyond this cannot be brought back by digits that fit in memory, and sums with it do not overflow. */
static const int64_t EXPONENT_CLAMP = INT64_C(1000000000000000000);

/* The text of a number without its sign: [first, last) holds digits and at most one point. */
struct digits {
	const char *first, *last;
	int64_t exponent; /* of ten, for the digits as one whole number */
};

/* mantissa · 10^exponent, and a little more if digits that are not zero had to be left out. */
struct decimal {
	uint64_t mantissa;
	int64_t exponent;
	bool truncated;
};

const struct decimal_plain_bytes decimal_plain_bytes = {
        .zero = {[0 ... 31] = '0'},
        .point = {[0 ... 31] = '.' ^ '0'},
        .beyond_digit = {[0 ... 31] = 0x7F - 9},
        .top_bit = {[0 ... 31] = 0x80},
};

static const uint64_t powers_of_ten[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

/* The number that eight digits make, given as values 0 to 9, the first digit in the lowest byte. */
static inline uint64_t eight_digits(uint64_t values)
{
	const uint64_t pair_mask = UINT64_C(0x000000FF000000FF);
	uint64_t pairs = values * 10 + (values >> 8); /* in every other byte */
	uint64_t high = (pairs & pair_mask) * (100 + (UINT64_C(1000000) << 32));
	uint64_t low = ((pairs >> 16) & pair_mask) * (1 + (UINT64_C(10000) << 32));
	return (high + low) >> 32;
}

/* Appends the digits at `at` to *mantissa, modulo 2^64, and returns the first byte that is none. */
static inline const char *read_digits(const char *at, const char *end, uint64_t *mantissa)
{
	while (end - at >= 8) {
		uint64_t values;
		memcpy(&values, at, sizeof values);
		values ^= UINT64_C(0x3030303030303030);
		/* The top bit of a byte shows that it is above 9. A carry spoils only the bytes behind such a one. */
		uint64_t others = (values | (values + UINT64_C(0x7676767676767676))) & UINT64_C(0x8080808080808080);
		if (others == 0) {
			*mantissa = *mantissa * 100000000 + eight_digits(values);
			at += 8;
			continue;
		}
		unsigned count = (unsigned)__builtin_ctzll(others) / 8;
		if (count == 0)
			return at;
		values <<= 8 * (8 - count); /* zeros in front */
		*mantissa = *mantissa * powers_of_ten[count] + eight_digits(values);
		return at + count;
	}
	for (; at < end && *at >= '0' && *at <= '9'; at++)
		*mantissa = *mantissa * 10 + (uint64_t)(*at - '0');
	return at;
}

/* Adds the exponent whose 'e' is at `letter` to *exponent. An 'e' without digits is not part of the number. */
static const char *read_exponent(const char *letter, const char *end, int64_t *exponent)
{
	const char *at = letter + 1;
	bool negative = at < end && *at == '-';
	if (at < end && (*at == '-' || *at == '+'))
		at++;
	if (at == end || *at < '0' || *at > '9')
		return letter;
	int64_t value = 0;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		if (value < EXPONENT_CLAMP / 10)
			value = value * 10 + (*at - '0');
	}
	*exponent += negative ? -value : value;
	return at;
}

/* For more digits than a mantissa always holds: without the zeros in front they may fit, or else 19 are kept. */
static struct decimal keep_leading(const struct digits *digits)
{
	struct decimal decimal = {.exponent = digits->exponent};
	int kept = 0;
	for (const char *at = digits->first; at < digits->last; at++) {
		if (*at == '.')
			continue;
		if (kept < MANTISSA_DIGITS) {
			decimal.mantissa = decimal.mantissa * 10 + (uint64_t)(*at - '0');
			kept += decimal.mantissa != 0; /* not the zeros in front */
		} else {
			decimal.exponent++;
			decimal.truncated |= *at != '0';
		}
	}
	return decimal;
}

/*
 * Of very many digits it is enough to keep more than a halfway point can have, and whether anything but zeros follows.
 * Without a point the text means the same to strtod in every locale.
 */
static double round_by_strtod(const struct digits *digits)
{
	char text[SIGNIFICANT_DIGITS_MAX + 32];
	size_t count = 0;
	int64_t exponent = digits->exponent;
	bool sticky = false;
	for (const char *at = digits->first; at < digits->last; at++) {
		if (*at == '.' || (count == 0 && *at == '0'))
			continue;
		if (count < SIGNIFICANT_DIGITS_MAX) {
			text[count++] = *at;
		} else {
			exponent++;
			sticky |= *at != '0';
		}
	}
	if (sticky) {
		text[count++] = '1';
		exponent--;
	}
	snprintf(text + count, sizeof text - count, "e%lld", (long long)exponent);
	return strtod(text, NULL);
}

double decimal_nearest(uint64_t mantissa, int exponent)
{
	uint64_t bits = decimal_nearest_bits(mantissa, exponent);
	double magnitude;
	memcpy(&magnitude, &bits, sizeof magnitude);
	return magnitude;
}

static inline double magnitude_of(const struct decimal *decimal, const struct digits *digits)
{
	static const double exact_powers[EXACT_POWER_MAX + 1] = {1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
	        1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	int64_t exponent = decimal->exponent;
	if (decimal->mantissa <= EXACT_MANTISSA_MAX) { /* so it is not truncated either, which takes 19 digits */
		if (exponent <= 0 && exponent >= -EXACT_POWER_MAX)
			return (double)decimal->mantissa / exact_powers[-exponent];
		if (exponent > 0 && exponent <= EXACT_POWER_MAX)
			return (double)decimal->mantissa * exact_powers[exponent];
	}
	uint64_t bits = decimal_nearest_bits(decimal->mantissa, exponent);
	if (decimal->truncated && decimal_nearest_bits(decimal->mantissa + 1, exponent) != bits)
		return round_by_strtod(digits);
	double magnitude;
	memcpy(&magnitude, &bits, sizeof magnitude);
	return magnitude;
}

enum decimal_status decimal_parse(const char *text, const char *end, double *value, const char **after)
{
	if (text == end)
		return DECIMAL_NOT_A_NUMBER;
	bool negative = *text == '-'; /* of signs in no order a branch would guess half wrong */
	const char *at = text + (negative | (*text == '+'));

	struct digits digits = {.first = at};
	struct decimal decimal = {0};
	at = read_digits(at, end, &decimal.mantissa);
	ptrdiff_t count = at - digits.first;
	if (at < end && *at == '.') {
		const char *fraction = at + 1;
		at = read_digits(fraction, end, &decimal.mantissa);
		digits.exponent = fraction - at;
		count += at - fraction;
	}
	if (count == 0)
		return DECIMAL_NOT_A_NUMBER;
	digits.last = at;
	if (at < end && (*at | 0x20) == 'e')
		at = read_exponent(at, end, &digits.exponent);

	decimal.exponent = digits.exponent;
	if (count > MANTISSA_DIGITS)
		decimal = keep_leading(&digits);
	double magnitude = magnitude_of(&decimal, &digits);
	*after = at;
	if (isinf(magnitude))
		return DECIMAL_OUT_OF_RANGE;
	*value = copysign(magnitude, negative ? -1.0 : 1.0);
	return DECIMAL_OK;
}
