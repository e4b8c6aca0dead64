/* Decimal text to double, correctly rounded: the same bits as strtod in the C locale. Pure. */
#ifndef FORKFIT_COMMON_DECIMAL_H
#define FORKFIT_COMMON_DECIMAL_H

#include <stddef.h>
#include <stdint.h>

enum decimal_status {
	DECIMAL_OK,
	DECIMAL_NOT_A_NUMBER, /* no decimal number starts at text */
	DECIMAL_OUT_OF_RANGE, /* a decimal number whose magnitude rounds to infinity */
};

/*
 * Reads the longest decimal number that starts at text and ends before end: an optional sign, digits with at most
 * one point (at least one digit), an optional exponent. No white space, hexadecimal, "inf" or "nan". On
 * DECIMAL_OK, *value holds it and *after points behind its last character (what follows is the caller's to judge);
 * magnitudes below the smallest subnormal give zero with the sign, as strtod does. On DECIMAL_OUT_OF_RANGE *after is
 * set and *value is not. No byte at or behind end is looked at.
 */
enum decimal_status decimal_parse(const char *text, const char *end, double *value, const char **after);

/* The double nearest to mantissa · 10^exponent, ties to even; infinity where that is nearest. */
double decimal_nearest(uint64_t mantissa, int exponent);

#endif
