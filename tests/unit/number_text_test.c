#include "coordinator/number_text.h"

#include "tests/unit/double_bits.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(number_text, .timeout = 60);

static double next_finite(uint64_t *state)
{
	double value;
	do
		value = double_of(random_next(state));
	while (!isfinite(value));
	return value;
}

/* How many digits the text has, without leading zeros. */
static int digits_of(const char *text)
{
	int digits = 0;
	for (; *text != '\0' && *text != 'e'; text++)
		if (isdigit((unsigned char)*text) && (digits > 0 || *text != '0'))
			digits++;
	return digits;
}

static void expect_same_bits(double value)
{
	char text[NUMBER_TEXT_BYTES];
	number_text(value, text);
	cr_assert_eq(bits_of(strtod(text, NULL)), bits_of(value), "%a became %s", value, text);
}

Test(number_text, reads_back_to_the_same_bits)
{
	uint64_t state = 1;
	for (int i = 0; i < 1000000; i++)
		expect_same_bits(next_finite(&state));
}

Test(number_text, reads_back_to_the_same_bits_at_the_extremes)
{
	const double values[] = {0.0, -0.0, DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, -5e-324, DBL_MIN - 5e-324, DBL_EPSILON,
	        1 + DBL_EPSILON, 1 - DBL_EPSILON / 2, 9007199254740993.0, 1e22, 1e23, 123456789012345678.0};
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		expect_same_bits(values[i]);
	for (int exponent = -1074; exponent <= 1023; exponent++)
		expect_same_bits(ldexp(1, exponent));
}

Test(number_text, takes_16_or_17_digits_only_where_fewer_do_not_read_back)
{
	uint64_t state = 2;
	int longer = 0;
	for (int i = 0; i < 30000; i++) {
		double value = next_finite(&state);
		char text[NUMBER_TEXT_BYTES], shorter[NUMBER_TEXT_BYTES];
		number_text(value, text);
		int digits = digits_of(text);
		cr_assert_leq(digits, 17, "%s", text);
		for (int fewer = 15; fewer < digits; fewer++) {
			snprintf(shorter, sizeof shorter, "%.*g", fewer, value);
			cr_assert_neq(strtod(shorter, NULL), value, "%s, but %s would do", text, shorter);
			longer++;
		}
	}
	cr_expect_gt(longer, 1000);
}

Test(number_text, writes_numbers_as_people_do)
{
	const struct {
		double value;
		char text[NUMBER_TEXT_BYTES];
	} rows[] = {
	        {0.0, "0"},
	        {-0.0, "-0"},
	        {1, "1"},
	        {-2.5, "-2.5"},
	        {0.1, "0.1"},
	        {0.1 + 0.2, "0.30000000000000004"},
	        {1.0 / 3, "0.3333333333333333"},
	        {100000, "100000"},
	        {1e15, "1e+15"},
	        {0.0001, "0.0001"},
	        {0.00001, "1e-05"},
	        {DBL_MAX, "1.7976931348623157e+308"},
	        {-2.2250738585072014e-308, "-2.2250738585072014e-308"},
	        {INFINITY, "inf"},
	        {-INFINITY, "-inf"},
	        {NAN, "nan"},
	        {-NAN, "nan"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[NUMBER_TEXT_BYTES];
		number_text(rows[i].value, text);
		cr_expect_str_eq(text, rows[i].text);
	}
}
