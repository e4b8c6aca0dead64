#include "common/decimal_plain.h"

#include "common/csv.h"

#include "tests/unit/decimal_plain_avx2.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(decimal_plain, .timeout = 60);

enum { TEXT_MAX = 48 };

/* Reads the text from the midst of others that it could be mistaken with, as each clone does. */
static bool read_among(char around, const char *text, double *value)
{
	char bytes[DECIMAL_PLAIN_REACH + TEXT_MAX + 16];
	memset(bytes, around, sizeof bytes);
	memcpy(bytes + DECIMAL_PLAIN_REACH, text, strlen(text));
	const char *first = bytes + DECIMAL_PLAIN_REACH, *stop = first + strlen(text);
	bool read = decimal_plain_read(first, stop, value);
	if (csv_best_clone() == CSV_CLONE_AVX2) {
		double other = 0;
		cr_assert_eq(decimal_plain_read_avx2(first, stop, &other), read, "'%s'", text);
		cr_assert(!read || memcmp(&other, value, sizeof other) == 0, "'%s': %a and %a", text, *value, other);
	}
	return read;
}

/* Is the number the one that strtod reads, or left to others where that is allowed? */
static bool is_right(const char *text, bool may_be_refused)
{
	static const char surroundings[] = "19.,-\n";
	char *after;
	double expected = strtod(text, &after);
	for (const char *around = surroundings; *around != '\0'; around++) {
		double value;
		if (!read_among(*around, text, &value)) {
			if (!may_be_refused)
				return false;
		} else if (after == text || *after != '\0' || memcmp(&value, &expected, sizeof value) != 0) {
			return false;
		}
	}
	return true;
}

/* So many characters, of which one is a point if there is room for it, with `zeros` in front. */
static void draw_plain(uint64_t *state, char *text, size_t length, size_t point, size_t zeros, bool minus)
{
	char *at = text;
	if (minus)
		*at++ = '-';
	for (size_t i = 0; i < length; i++)
		*at++ = i == point ? '.' : i < zeros ? '0' : (char)('0' + random_below(state, 10));
	*at = '\0';
}

Test(decimal_plain, reads_every_length_with_the_point_at_every_place_as_strtod_does)
{
	uint64_t state = 1;
	for (size_t length = 1; length <= 34; length++) {
		for (size_t point = 0; point <= length; point++) {
			for (int i = 0; i < 400; i++) {
				char text[TEXT_MAX];
				size_t zeros = random_below(&state, 3) ? 0 : random_below(&state, (unsigned)length + 2);
				draw_plain(&state, text, length, point, zeros, i % 2 == 0);
				bool few_digits = length - (point < length) <= 19;
				bool has_digits = length > 1 || point > 0;
				cr_assert(is_right(text, !few_digits || !has_digits || length > 32 ||
				                                 strspn(text, "-0.") == strlen(text)),
				        "%s", text);
			}
		}
	}
}

/* Nothing but digits, a point and a minus in front may be taken for part of a number, wherever it stands. */
Test(decimal_plain, refuses_every_other_byte_at_every_place)
{
	static const char *const numbers[] = {"1", "-12.5", "123456.7890123", "-1234567890123456",
	        "0.12345678901234567", "-123456789012.3456789", "00000000000001.50000000000000000"};
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		for (size_t place = 0; place < strlen(numbers[i]); place++) {
			for (int byte = 1; byte < 256; byte++) {
				char text[TEXT_MAX];
				snprintf(text, sizeof text, "%s", numbers[i]);
				text[place] = (char)byte;
				cr_assert(is_right(text, true), "'%s', byte %d at %zu", numbers[i], byte, place);
			}
		}
	}
}

Test(decimal_plain, takes_no_other_sign_exponent_or_nothing_for_a_number)
{
	static const char *const texts[] = {"", "-", ".", "-.", "--1", "-+1", "1-", "1.2.3", "..", "1..", "1e5",
	        "1.5e3", "1 ", " 1", "inf", "-nan", "0x10", "12345678901234567890123456789012345"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		double value;
		cr_assert_not(read_among('1', texts[i], &value), "'%s'", texts[i]);
	}
}

Test(decimal_plain, reads_numbers_at_the_border_of_64_bits)
{
	static const char *const texts[] = {"9007199254740991", "9007199254740992", "9007199254740993",
	        "9007199254740995", "9999999999999999", "18430000000000000000", "18439999999999999999",
	        "18440000000000000000", "18446744073709551615", "18446744073709551616", "99999999999999999999",
	        "1.8446744073709551616", "0.18439999999999999999", "000000000000018446744073709551.6",
	        "9007199254740993.0", "90071992547409.93", "-9007199254740992.5", "4503599627370497.5",
	        "4503599627370496.5"};
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		cr_assert(is_right(texts[i], true), "%s", texts[i]);
}
