#include "common/decimal.h"

#include "tests/unit/double_bits.h"
#include "tests/unit/guard_page.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(decimal, .timeout = 60);

/* Does decimal_parse do what strtod does with a number? */
static bool agrees_with_strtod(const char *text)
{
	char *expected_after;
	double expected = strtod(text, &expected_after);
	double value = 0;
	const char *after = NULL;
	enum decimal_status status = decimal_parse(text, text + strlen(text), &value, &after);
	if (expected_after == text)
		return status == DECIMAL_NOT_A_NUMBER;
	if (after != expected_after)
		return false;
	return isinf(expected) ? status == DECIMAL_OUT_OF_RANGE
	                       : status == DECIMAL_OK && bits_of(value) == bits_of(expected);
}

static double random_finite(uint64_t *state)
{
	double value;
	do
		value = double_of(random_next(state));
	while (!isfinite(value));
	return value;
}

Test(decimal, reads_17_digits_of_random_doubles_as_strtod_does)
{
	uint64_t state = 1;
	for (int i = 0; i < 400000; i++) {
		char text[64];
		snprintf(text, sizeof text, "%.17g", random_finite(&state));
		cr_assert(agrees_with_strtod(text), "%s", text);
	}
}

Test(decimal, reads_ordinary_decimals_as_strtod_does)
{
	uint64_t state = 2;
	for (int i = 0; i < 400000; i++) {
		char text[64];
		double value = ((double)random_next(&state) / 0x1p64 - 0.5) * pow(10, random_below(&state, 9));
		snprintf(text, sizeof text, "%.*f", (int)random_below(&state, 10), value);
		cr_assert(agrees_with_strtod(text), "%s", text);
	}
}

/* Digits, a point anywhere among them or none, and perhaps an exponent. */
static void random_number(uint64_t *state, char *text, unsigned digits_max, int exponent_max)
{
	char *at = text;
	unsigned digits = 1 + random_below(state, digits_max);
	unsigned point = random_below(state, digits + 2);
	if (random_below(state, 4) == 0)
		*at++ = "+-"[random_below(state, 2)];
	for (unsigned i = 0; i < digits; i++) {
		if (i == point)
			*at++ = '.';
		*at++ = (char)('0' + random_below(state, 10));
	}
	*at = '\0';
	unsigned exponents = (unsigned)(2 * exponent_max + 1);
	if (random_below(state, 4) != 0)
		sprintf(at, "%c%d", "eE"[random_below(state, 2)], (int)random_below(state, exponents) - exponent_max);
}

Test(decimal, reads_random_digits_with_exponents_as_strtod_does)
{
	uint64_t state = 3;
	for (int i = 0; i < 400000; i++) {
		char text[128];
		random_number(&state, text, 40, 400);
		cr_assert(agrees_with_strtod(text), "%s", text);
	}
}

Test(decimal, reads_numbers_near_the_exact_powers_as_strtod_does)
{
	uint64_t state = 4;
	for (int i = 0; i < 200000; i++) {
		char text[128];
		random_number(&state, text, 20, 30);
		cr_assert(agrees_with_strtod(text), "%s", text);
	}
}

Test(decimal, takes_as_much_of_the_text_for_a_number_as_strtod_does)
{
	static const char texts[][40] = {"0", "-0", "+0", "-0.0", "0e5", "00012", "000.00100", ".5", "5.", "-.5",
	        "5.e2", ".5e-2", "1e", "1e+", "1e-", "1E5", "1e+5", "1e-5x", "1.5.5", "1-2", "1 2", "12abc", "1,5",
	        "+-1", "--1", "+", "-", ".", "..", ".e5", "-.", "e5", "", "x", "1e5.5", "1ee5", "1e400", "-1e400",
	        "1e-400", "-1e-400", "1e99999999999999999999", "-1e-99999999999999999999", "0e99999999999999999999",
	        "1d5", "1_000", "1234567812345678", "12345678", "123456789", "1234567", "12345678.",
	        "12345678.12345678", "/:", "1/", "1:"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		cr_expect(agrees_with_strtod(texts[i]), "'%s'", texts[i]);
}

Test(decimal, refuses_what_strtod_takes_beside_decimal_numbers)
{
	static const char texts[][16] = {"inf", "-inf", "Infinity", "nan", "NAN", " 1", "\t1", "\n1"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		double value;
		const char *after;
		cr_expect_eq(decimal_parse(texts[i], texts[i] + strlen(texts[i]), &value, &after), DECIMAL_NOT_A_NUMBER,
		        "'%s'", texts[i]);
	}
}

Test(decimal, reads_a_hexadecimal_number_only_to_its_x)
{
	const char text[] = "0x1p3";
	double value = 1;
	const char *after = NULL;
	cr_assert_eq(decimal_parse(text, text + 5, &value, &after), DECIMAL_OK);
	cr_assert_eq(value, 0);
	cr_assert_eq(after, text + 1);
}

Test(decimal, keeps_the_sign_of_zero)
{
	const char text[] = "-0.0e-5";
	double value = 1;
	const char *after;
	cr_assert_eq(decimal_parse(text, text + strlen(text), &value, &after), DECIMAL_OK);
	cr_assert_eq(bits_of(value), UINT64_C(1) << 63);
}

Test(decimal, stops_at_the_end_of_the_bytes_and_not_at_the_end_of_the_digits)
{
	const char text[] = "123456789.123456789e12";
	for (size_t length = 1; length < sizeof text; length++) {
		char cut[sizeof text];
		snprintf(cut, sizeof cut, "%.*s", (int)length, text);
		double value = 0;
		const char *after = NULL;
		cr_assert_eq(decimal_parse(text, text + length, &value, &after), DECIMAL_OK);
		cr_assert_eq(bits_of(value), bits_of(strtod(cut, NULL)), "%s", cut);
	}
}

Test(decimal, agrees_with_strtod_on_numbers_known_to_be_hard)
{
	static const char texts[][128] = {"2.2250738585072011e-308", "2.2250738585072012e-308",
	        "2.2250738585072014e-308", "2.225073858507201e-308", "4.9406564584124654e-324",
	        "2.4703282292062327e-324", "2.4703282292062328e-324", "1.7976931348623157e308",
	        "1.7976931348623158e308", "1.7976931348623159e308", "1.797693134862315807e308", "17976931348623157e292",
	        "9007199254740991", "9007199254740992", "9007199254740993", "9007199254740994", "9007199254740995",
	        "9007199254740993.0000000000000000000000000001", "9007199254740992.9999999999999999999999999999",
	        "9007199254740993e22", "9007199254740993e-22", "9007199254740992e22", "9007199254740992e-22", "1e22",
	        "1e23", "1e-22", "1e-23", "18446744073709551615", "18446744073709551616", "9999999999999999999",
	        "99999999999999999999", "10000000000000000000", "1000000000000000000000000000000",
	        "0.1000000000000000055511151231257827021181583404541015625",
	        "0.500000000000000166533453693773481063544750213623046875", "3.518437208883201171875e13",
	        "62.5364939768271845828", "8.10109172351e-10", "1.50000000000000011102230246251565",
	        "6.631236846766476e-316", "3.237883913302901e-319", "5e-324", "7e-324", "1e-323",
	        "123456789012345678901234567890e-340", "8.5e-324"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		cr_expect(agrees_with_strtod(texts[i]), "'%s'", texts[i]);
}

/* The exact text of the point halfway between this double and the next one above. */
static void print_midpoint(uint64_t bits, char *text, size_t size)
{
	/* long double has 64 bits for the mantissa and more for the exponent, so it holds the midpoint exactly. */
	_Static_assert(LDBL_MANT_DIG >= DBL_MANT_DIG + 1, "long double is too small for midpoints");
	long double low = double_of(bits);
	long double high = bits == bits_of(DBL_MAX) ? 0x1p1024L : (long double)double_of(bits + 1);
	snprintf(text, size, "%.*Le", 1100, low + (high - low) / 2);
	char *exponent = strchr(text, 'e');
	char *last = exponent;
	while (last[-1] == '0')
		last--;
	memmove(last, exponent, strlen(exponent) + 1);
}

/* Bits of positive doubles among which midpoints are special in one way or another. */
static uint64_t random_lower_neighbour(uint64_t *state)
{
	switch (random_below(state, 5)) {
	case 0: /* subnormal */
		return random_next(state) >> (12 + random_below(state, 52));
	case 1: /* up to DBL_MAX, whose upper neighbour is infinity */
		return bits_of(DBL_MAX) - random_below(state, 3);
	case 2: /* near small whole numbers, where midpoints have few digits */
		return bits_of(1.0 + (double)random_below(state, 1000)) + random_below(state, 8);
	case 3: /* where midpoints have 15 to 19 digits, up to four of them behind the point */
		return bits_of(0x1p49) + random_next(state) % (bits_of(0x1p63) - bits_of(0x1p49));
	default:
		return random_next(state) % bits_of(DBL_MAX);
	}
}

Test(decimal, rounds_midpoints_between_doubles_to_even)
{
	uint64_t state = 5;
	for (int i = 0; i < 20000; i++) {
		char text[1300];
		uint64_t bits = random_lower_neighbour(&state);
		print_midpoint(bits, text, sizeof text);
		double value = 0;
		const char *after;
		enum decimal_status status = decimal_parse(text, text + strlen(text), &value, &after);
		if (bits == bits_of(DBL_MAX))
			cr_assert_eq(status, DECIMAL_OUT_OF_RANGE);
		else
			cr_assert(status == DECIMAL_OK && bits_of(value) == bits + (bits & 1), "%s", text);
	}
}

Test(decimal, rounds_what_lies_beside_a_midpoint_to_the_nearer_double)
{
	uint64_t state = 6;
	for (int i = 0; i < 20000; i++) {
		char midpoint[1300], beside[1310];
		print_midpoint(random_lower_neighbour(&state), midpoint, sizeof midpoint);
		char *exponent = strchr(midpoint, 'e');
		int length = (int)(exponent - midpoint);
		snprintf(beside, sizeof beside, "%.*s1%s", length, midpoint, exponent);
		cr_assert(agrees_with_strtod(beside), "%s", beside);
		exponent[-1]--; /* it is not zero */
		cr_assert(agrees_with_strtod(midpoint), "%s", midpoint);
	}
}

Test(decimal, rounds_midpoints_written_with_a_power_of_ten_to_even)
{
	uint64_t state = 7;
	uint64_t power = 1; /* 5^q */
	for (int q = 0; q <= 23; q++, power *= 5) {
		for (int i = 0; i < 1000; i++) {
			/* An odd number of 54 bits is halfway between two doubles; this one is a multiple of 5^q. */
			uint64_t factor = ((UINT64_C(1) << 53) + random_next(&state) % (UINT64_C(1) << 53)) / power | 1;
			char text[64];
			snprintf(text, sizeof text, "%llue%d", (unsigned long long)factor, q);
			cr_assert(agrees_with_strtod(text), "%s", text);
		}
	}
}

/* 1 + 2^-53, halfway between 1 and the next double, with zeros and then perhaps one digit that breaks the tie. */
static double parse_tie(size_t zeros, char last)
{
	static const char tie[] = "1.00000000000000011102230246251565404236316680908203125";
	size_t length = sizeof tie - 1;
	char *text = malloc(length + zeros + 1);
	cr_assert(text != NULL);
	memcpy(text, tie, length);
	memset(text + length, '0', zeros);
	text[length + zeros] = last;
	double value = 0;
	const char *after;
	cr_assert_eq(decimal_parse(text, text + length + zeros + 1, &value, &after), DECIMAL_OK);
	cr_assert_eq(after, text + length + zeros + 1);
	free(text);
	return value;
}

Test(decimal, lets_one_digit_far_behind_break_a_tie)
{
	static const size_t zeros[] = {0, 1, 100, 745, 746, 747, 800, 5000, 1000000};
	for (size_t i = 0; i < sizeof zeros / sizeof zeros[0]; i++) {
		cr_expect_eq(bits_of(parse_tie(zeros[i], '0')), bits_of(1.0), "%zu zeros", zeros[i]);
		cr_expect_eq(bits_of(parse_tie(zeros[i], '1')), bits_of(1.0) + 1, "%zu zeros", zeros[i]);
	}
}

/* first, then `count` times the digit, then last. */
static double parse_repeated(const char *first, char digit, size_t count, const char *last)
{
	size_t length = strlen(first) + count + strlen(last);
	char *text = malloc(length + 1);
	cr_assert(text != NULL);
	memcpy(text, first, strlen(first));
	memset(text + strlen(first), digit, count);
	strcpy(text + strlen(first) + count, last);
	double value = 0;
	const char *after;
	cr_assert_eq(decimal_parse(text, text + length, &value, &after), DECIMAL_OK);
	cr_assert_eq(after, text + length);
	free(text);
	return value;
}

Test(decimal, balances_many_zeros_against_the_exponent)
{
	cr_expect_eq(parse_repeated("0.", '0', 100000, "125e100001"), 1.25);
	cr_expect_eq(parse_repeated("125", '0', 100000, "e-100002"), 1.25);
	cr_expect_eq(parse_repeated("", '0', 100000, "1.25"), 1.25);
	cr_expect_eq(parse_repeated("1.25", '0', 100000, ""), 1.25);
	cr_expect_eq(parse_repeated("9.", '9', 100000, "e-1"), 1.0);
	cr_expect_eq(parse_repeated("1.25e", '0', 100000, "1"), 12.5);
}

Test(decimal, never_touches_a_byte_behind_the_end)
{
	static const char texts[][40] = {"", "-", "+", ".", "-.", "1", "12", "1234567", "12345678", "123456789",
	        "1234567812345678", "0.1", "12345678.", "12345678.12345678", ".12345678", "1e", "1e+", "1e-", "1e5",
	        "1.5e-12345678", "12345678901234567890", "1234567890.1234567890e12"};
	struct guard_page guard = guard_page_new(64);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		size_t length = strlen(texts[i]);
		const char *text = guard_page_place(&guard, texts[i], length);
		double value;
		const char *after = text;
		decimal_parse(text, text + length, &value, &after);
		cr_expect(after <= text + length);
	}
	guard_page_free(&guard);
}
