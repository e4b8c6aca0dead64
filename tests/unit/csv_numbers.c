#include "tests/unit/csv_numbers.h"

#include "common/csv.h"

#include "tests/unit/guard_page.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_MAX = 1000 };

static double random_double(uint64_t *state)
{
	double value;
	do {
		uint64_t bits = random_next(state);
		memcpy(&value, &bits, sizeof value);
	} while (!isfinite(value));
	return value;
}

/* Digits with a point somewhere, perhaps zeros in front and behind, perhaps an exponent. */
static void draw_digits(uint64_t *state, char *text, size_t size)
{
	unsigned digits = 1 + random_below(state, 36);
	unsigned point = random_below(state, digits + 1);
	unsigned zeros = random_below(state, 4) == 0 ? random_below(state, digits) : 0;
	bool zeros_behind = random_below(state, 2);
	char *at = text;
	if (random_below(state, 2))
		*at++ = "-+"[random_below(state, 8) == 0];
	for (unsigned i = 0; i < digits; i++) {
		if (i == point)
			*at++ = '.';
		bool zero = zeros_behind ? i >= digits - zeros : i < zeros;
		*at++ = zero ? '0' : (char)('0' + random_below(state, 10));
	}
	*at = '\0';
	if (random_below(state, 4) == 0)
		snprintf(at, size - (size_t)(at - text), "%c%d", "eE"[random_below(state, 2)],
		        (int)random_below(state, 640) - 330);
}

void csv_numbers_draw_ordinary(uint64_t *state, char *text, size_t size)
{
	double value = ((double)random_next(state) / 0x1p64 - 0.5) * pow(10, random_below(state, 12));
	switch (random_below(state, 6)) {
	case 0:
		snprintf(text, size, "%.*f", (int)random_below(state, 12), value);
		break;
	case 1:
		snprintf(text, size, "%.17g", value);
		break;
	case 2:
		snprintf(text, size, "%.17g", random_double(state));
		break;
	case 3:
		snprintf(text, size, "%lld", (long long)(int64_t)random_next(state) >> random_below(state, 64));
		break;
	case 4:
		snprintf(text, size, "%.*e", (int)random_below(state, 18), random_double(state));
		break;
	default:
		draw_digits(state, text, size);
		break;
	}
}

/* An odd number of 54 bits, which lies halfway between two doubles, times a small power of two, digit by digit. */
static void draw_halfway(uint64_t *state, char *text, size_t size)
{
	unsigned __int128 digits = (random_next(state) >> 10) | UINT64_C(1) << 53 | 1;
	int power = (int)random_below(state, 22) - 12;
	for (int i = 0; i < power; i++)
		digits *= 2;
	for (int i = 0; i < -power; i++)
		digits *= 5; /* over 10^-power */
	switch (random_below(state, 3)) {
	case 0:
		digits++;
		break;
	case 1:
		digits--;
		break;
	default:
		break;
	}
	char reversed[64];
	size_t count = 0;
	for (; digits > 0; digits /= 10)
		reversed[count++] = (char)('0' + (int)(digits % 10));
	size_t fraction = power < 0 ? (size_t)-power : 0;
	char *at = text;
	for (size_t left = count; left > 0; left--) {
		if (left == fraction)
			*at++ = '.';
		*at++ = reversed[left - 1];
	}
	*at = '\0';
	cr_assert_lt(count + 2, size);
}

/* Between a double of any size and the next, with all its digits. */
static void draw_midpoint(uint64_t *state, char *text, size_t size)
{
	double low = fabs(random_double(state));
	if (random_below(state, 3) == 0)
		low = 0x1p-1074 * (double)(random_next(state) >> (12 + random_below(state, 52))); /* subnormal */
	long double middle = ((long double)low + (long double)nextafter(low, INFINITY)) / 2;
	int length = snprintf(text, size - 8, "%.*Le", 20 + (int)random_below(state, 760), middle);
	char *exponent = strchr(text, 'e');
	if (length >= (int)size - 8 || exponent == NULL) { /* infinity */
		snprintf(text, size, "1.7976931348623158e308");
		return;
	}
	char *digit = exponent - 1 - random_below(state, 3);
	if (random_below(state, 2) && *digit >= '0' && *digit < '9')
		(*digit)++;
}

void csv_numbers_draw_hard(uint64_t *state, char *text, size_t size)
{
	static const char *const borders[] = {"1.7976931348623157e308", "1.7976931348623158e308",
	        "1.797693134862315807e308", "2.2250738585072011e-308", "2.2250738585072012e-308",
	        "2.2250738585072014e-308", "4.9406564584124654e-324", "2.4703282292062327e-324",
	        "2.4703282292062328e-324", "2.4703282292062326e-324", "5e-324", "1e-400", "-1e-400", "0e999999999999",
	        "-0", "-0.0", "0000000000000000000000000000000000000000", "9007199254740993",
	        "9007199254740993.00000000000000001", "0.000000000000000000000000000000000000000000001",
	        "100000000000000000000000", "1e22", "1e23", "8.5e22", "9223372036854775808", "18446744073709551615",
	        "18446744073709551616", "0.1000000000000000055511151231257827021181583404541015625",
	        "1.00000000000000011102230246251565404236316680908203125",
	        "1.00000000000000011102230246251565404236316680908203124",
	        "1.00000000000000011102230246251565404236316680908203126"};
	switch (random_below(state, 8)) {
	case 0:
		snprintf(text, size, "%s", borders[random_below(state, sizeof borders / sizeof borders[0])]);
		break;
	case 1:
	case 2:
	case 3:
		draw_midpoint(state, text, size);
		break;
	default:
		draw_halfway(state, text, size);
		break;
	}
}

void csv_numbers_draw(
        struct csv_numbers *numbers, uint64_t *state, csv_numbers_drawer *drawer, size_t rows, const char *line_end)
{
	size_t room = rows * CSV_NUMBERS_FIELDS * (NUMBER_MAX + 2);
	char *text = malloc(room), *at = text;
	*numbers = (struct csv_numbers){.rows = rows};
	numbers->expected = malloc(rows * CSV_NUMBERS_FIELDS * sizeof(double));
	numbers->guard = malloc(sizeof *numbers->guard);
	cr_assert(text != NULL && numbers->expected != NULL && numbers->guard != NULL);
	for (size_t i = 0; i < rows * CSV_NUMBERS_FIELDS; i++) {
		do {
			drawer(state, at, NUMBER_MAX);
			numbers->expected[i] = strtod(at, NULL);
		} while (!isfinite(numbers->expected[i])); /* those are refused, and decimal_test knows */
		at += strlen(at);
		at += sprintf(at, "%s", (i + 1) % CSV_NUMBERS_FIELDS == 0 ? line_end : ",");
	}
	numbers->length = (size_t)(at - text);
	*numbers->guard = guard_page_new(numbers->length);
	numbers->text = guard_page_place(numbers->guard, text, numbers->length);
	free(text);
}

void csv_numbers_release(struct csv_numbers *numbers)
{
	guard_page_free(numbers->guard);
	free(numbers->guard);
	free(numbers->expected);
}

static void check_cut(const struct csv_numbers *numbers, size_t cut, enum csv_clone clone)
{
	static const int32_t slot[CSV_NUMBERS_FIELDS] = {0, 1, 2};
	const struct csv_plan plan = {.delimiter = ',',
	        .fields = CSV_NUMBERS_FIELDS,
	        .slot = slot,
	        .width = CSV_NUMBERS_FIELDS,
	        .clone = clone};
	const char *end = numbers->text + numbers->length;
	const char *limits[] = {numbers->text + cut, end};
	const char *at = numbers->text;
	size_t rows = 0;
	for (size_t range = 0; range < 2; range++) {
		size_t kept = 0, skipped = 0;
		struct csv_problem problem;
		size_t room = csv_rows_at_most(&plan, at < limits[range] ? (size_t)(limits[range] - at) : 0);
		double *found = malloc((room + 1) * CSV_NUMBERS_FIELDS * sizeof(double));
		cr_assert(found != NULL);
		cr_assert_eq(
		        csv_parse_records(&plan, &at, limits[range], end, found, &kept, &skipped, &problem), CSV_OK);
		cr_assert(kept <= room && rows + kept <= numbers->rows);
		for (size_t i = 0; i < kept * CSV_NUMBERS_FIELDS; i++) {
			const double *expected = &numbers->expected[rows * CSV_NUMBERS_FIELDS + i];
			cr_assert(memcmp(&found[i], expected, sizeof *expected) == 0,
			        "number %zu, cut at byte %zu, clone %d: %a, strtod says %a",
			        rows * CSV_NUMBERS_FIELDS + i, cut, (int)clone, found[i], *expected);
		}
		rows += kept;
		free(found);
	}
	cr_assert_eq(rows, numbers->rows);
}

void csv_numbers_check_cut(const struct csv_numbers *numbers, size_t cut)
{
	for (enum csv_clone clone = CSV_CLONE_BASELINE; clone <= csv_best_clone(); clone++)
		check_cut(numbers, cut, clone);
}

void csv_numbers_check(uint64_t *state, csv_numbers_drawer *drawer, size_t count)
{
	struct csv_numbers numbers;
	csv_numbers_draw(&numbers, state, drawer, count / CSV_NUMBERS_FIELDS + 1, "\n");
	csv_numbers_check_cut(&numbers, numbers.length);
	csv_numbers_release(&numbers);
}
