#include "common/csv.h"

#include "tests/unit/guard_page.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(csv_rows, .timeout = 20);

static const int32_t ALL_USED[] = {0, 1, 2, 3};

/* Three fields of which the middle one is passed over, and the last is the first number of the row. */
static const int32_t SOME_USED[] = {1, -1, 0};

struct parsed {
	enum csv_status status;
	double rows[64];
	size_t kept, skipped;
	size_t at; /* offset in the text */
	struct csv_problem problem;
};

static struct parsed parse_as(struct csv_plan plan, enum csv_clone clone, const char *text, size_t length)
{
	struct parsed parsed;
	memset(&parsed, 0, sizeof parsed);
	const char *at = text;
	plan.clone = clone;
	parsed.status = csv_parse_records(
	        &plan, &at, text + length, text + length, parsed.rows, &parsed.kept, &parsed.skipped, &parsed.problem);
	parsed.at = (size_t)(at - text);
	return parsed;
}

/* Whichever clone parses, it comes to the same. */
static struct parsed parse_bytes(const struct csv_plan *plan, const char *text, size_t length)
{
	struct parsed parsed = parse_as(*plan, CSV_CLONE_BASELINE, text, length);
	for (enum csv_clone clone = CSV_CLONE_BASELINE + 1; clone <= csv_best_clone(); clone++) {
		struct parsed other = parse_as(*plan, clone, text, length);
		cr_assert(
		        memcmp(&parsed, &other, sizeof parsed) == 0, "clone %d: '%.*s'", (int)clone, (int)length, text);
	}
	return parsed;
}

static struct parsed parse(const struct csv_plan *plan, const char *text)
{
	return parse_bytes(plan, text, strlen(text));
}

static struct csv_plan plan_of(uint32_t fields, const int32_t *slot, uint32_t width)
{
	return (struct csv_plan){.delimiter = ',', .fields = fields, .slot = slot, .width = width, .quotes = true};
}

Test(csv_rows, reads_numbers_however_they_are_written)
{
	static const char texts[][40] = {"4.5,-2\n", "4.5,-2", "4.5,-2\r\n", "4.5,-2\r", " 4.5\t,\t -2 \r\n",
	        "\"4.5\",-2\n", "\" 4.5 \" ,\"-2\"\t\r\n", "+4.50,-2e0\n", "\n\r\n4.5,-2\n\n\n", "45e-1,-.2e+1\n",
	        "4.5,-2.\n"};
	struct csv_plan plan = plan_of(2, ALL_USED, 2);
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		struct parsed parsed = parse(&plan, texts[i]);
		cr_expect(parsed.status == CSV_OK && parsed.kept == 1 && parsed.skipped == 0, "'%s'", texts[i]);
		cr_expect(parsed.rows[0] == 4.5 && parsed.rows[1] == -2, "'%s'", texts[i]);
		cr_expect_eq(parsed.at, strlen(texts[i]));
	}
}

/* Numbers are loaded up to their end, in pieces longer than they are. */
Test(csv_rows, reads_no_byte_in_front_of_a_text)
{
	static const char digits[] = "1234567890123456789012345678901234567890";
	/* Only what has so many bytes behind it is read in pieces. */
	static const char rest[] = "12345678901234567890123456789012,12345678901234567890123456789012\n"
	                           "12345678901234567890123456789012,12345678901234567890123456789012\n";
	struct csv_plan plan = plan_of(2, ALL_USED, 2);
	struct guard_page guard = guard_page_new(4096);
	for (int first = 1; first <= 40; first++) {
		for (int last = 1; last <= 40; last++) {
			for (int crlf = 0; crlf < 2; crlf++) {
				char text[256];
				int length = snprintf(text, sizeof text, "%.*s,-%.*s%s%s", first, digits, last, digits,
				        crlf ? "\r\n" : "\n", rest);
				char *at = guard_page_place_first(&guard, text, (size_t)length);
				struct parsed parsed = parse_bytes(&plan, at, (size_t)length);
				cr_expect(parsed.status == CSV_OK && parsed.kept == 3, "%s", text);
				cr_expect_eq(parsed.rows[1], strtod(text + first + 1, NULL), "%s", text);
			}
		}
	}
	guard_page_free(&guard);
}

Test(csv_rows, puts_used_fields_into_their_slots_and_never_judges_the_others)
{
	static const char text[] = "1,x,2\n3,,4\n5,\"a,\n\"\"b\",6\n7,\"\"z,8\n9,NaN,10\n11,\"q\" ,12\n";
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	struct parsed parsed = parse(&plan, text);
	cr_assert_eq(parsed.status, CSV_OK);
	cr_assert_eq(parsed.kept, 6);
	for (int i = 0; i < 6; i++) {
		cr_expect_eq(parsed.rows[2 * i], 2 * i + 2);
		cr_expect_eq(parsed.rows[2 * i + 1], 2 * i + 1);
	}
}

/* What is read fast, because a text is long, is mixed with what is not: quotes, blank lines, other ends, white space.
 */
Test(csv_rows, parses_long_texts_as_it_does_their_records_one_by_one)
{
	static const char *const records[] = {"1.5,x,-2\n", "0.25,,17\r\n", "-1.25e3,\"a,\nb\",\"8\"\n", "\n", "\r\n",
	        "\"4\" ,\"\"\"\",5\r\n", "12345678901234.5,0.12345678901234567,-0.98765432109876543\n",
	        " 6 ,\"\r\n\",\t7\n", "1234567890123456,skipped\"as it is,12345678901234567890123456789012\r\n",
	        "0000000000000000000000000000000000001,9,3.\n"};
	enum { RECORDS = 400, KINDS = sizeof records / sizeof records[0] };
	char *text = calloc(RECORDS, 100);
	double *expected = calloc(RECORDS, 2 * sizeof(double)), *found = calloc(RECORDS * 100, 2 * sizeof(double));
	cr_assert(text != NULL && expected != NULL && found != NULL);
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	uint64_t state = 5;
	for (int round = 0; round < 200; round++) {
		size_t length = 0, rows = 0;
		unsigned kinds = 1 + random_below(&state, KINDS);
		for (size_t i = 0; i < RECORDS; i++) {
			const char *record = records[random_below(&state, kinds)];
			struct parsed one = parse(&plan, record);
			memcpy(expected + 2 * rows, one.rows, 2 * sizeof(double));
			rows += one.kept;
			length += (size_t)sprintf(text + length, "%s", record);
		}
		for (plan.clone = CSV_CLONE_BASELINE; plan.clone <= csv_best_clone(); plan.clone++) {
			const char *at = text;
			size_t kept = 0, skipped = 0;
			struct csv_problem problem;
			cr_assert_eq(csv_parse_records(&plan, &at, text + length, text + length, found, &kept, &skipped,
			                     &problem),
			        CSV_OK);
			cr_assert_eq(kept, rows);
			cr_assert_arr_eq(found, expected, 2 * rows * sizeof(double));
		}
	}
	free(text);
	free(expected);
	free(found);
}

Test(csv_rows, takes_no_tab_in_quotes_for_a_delimiter)
{
	static const char record[] = "\"\t4\t\"\tx\t5\n";
	char text[20 * (sizeof record - 1) + 1] = "";
	for (size_t i = 0; i < 20; i++)
		memcpy(text + i * strlen(record), record, sizeof record);
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	plan.delimiter = '\t';
	struct parsed parsed = parse(&plan, text);
	cr_assert_eq(parsed.status, CSV_OK);
	cr_assert_eq(parsed.kept, 20);
	for (int i = 0; i < 20; i++)
		cr_expect(parsed.rows[2 * i] == 5 && parsed.rows[2 * i + 1] == 4);
}

Test(csv_rows, keeps_to_other_delimiters)
{
	static const char delimiters[] = {';', '\t', '|', ' '};
	struct csv_plan plan = plan_of(2, ALL_USED, 2);
	for (size_t i = 0; i < sizeof delimiters; i++) {
		char text[] = "4.5,\"-2\"\n";
		text[3] = plan.delimiter = delimiters[i];
		struct parsed parsed = parse(&plan, text);
		cr_expect(parsed.status == CSV_OK && parsed.rows[0] == 4.5 && parsed.rows[1] == -2, "'%c'",
		        delimiters[i]);
	}
}

Test(csv_rows, says_where_and_what_is_bad)
{
	static const struct {
		char text[72];
		size_t at;
		int64_t field;
		char message[80];
	} cases[] = {
	        {"1,2,abc\n", 4, 2, "'abc' is not a number"},
	        {"1,2,3\n12abc,5,6\n", 6, 0, "'12abc' is not a number"},
	        {"1,2, x \r\n", 4, 2, "'x' is not a number"},
	        {"inf,2,3\n", 0, 0, "'inf' is not a number"},
	        {"0x10,2,3\n", 0, 0, "'0x10' is not a number"},
	        {"1 2,2,3\n", 0, 0, "'1 2' is not a number"},
	        {"1\r2,2,3\n", 0, 0, "'1\\x0D2' is not a number"},
	        {"1,2,3\r\r\n", 4, 2, "'3\\x0D' is not a number"},
	        {"1,2,\"a\nb\"\n", 4, 2, "'a\\x0Ab' is not a number"},
	        {"1,2, \"3\"\n", 4, 2, "'\"3\"' is not a number"},
	        {"1,2,1e999\n", 4, 2, "'1e999' is too large for a double"},
	        {"1,2,1e999x\n", 4, 2, "'1e999x' is not a number"},
	        {"1,2,\n", 4, 2, "value is missing (empty)"},
	        {"1,2, \n", 4, 2, "value is missing (empty)"},
	        {"1,2,\"\"\n", 4, 2, "value is missing (empty)"},
	        {"NA,2,3\n", 0, 0, "value is missing ('NA')"},
	        {"1,2,\" NaN\"\n", 4, 2, "value is missing ('NaN')"},
	        {"1,2,\"3\"x\n", 4, 2, "text after the closing quote"},
	        {"1,2,\"3\n4,5,6\n", 4, 2, "this quoted field is never closed"},
	        {"1,\"2,3\n", 2, 1, "this quoted field is never closed"},
	        {"1,2,3\n\n1,2\n", 7, -1, "2 fields, expected 3"},
	        {"1,2,3,4\n", 0, -1, "4 fields, expected 3"},
	        {"x\n", 0, -1, "1 field, expected 3"},
	        {"x,y\n", 0, -1, "2 fields, expected 3"},
	        {"x,2,y\n", 0, 0, "'x' is not a number"},
	        {"1,2,-1234567890123456789012345678901234567x\n", 4, 2,
	                "'-1234567890123456789012345678901234567x' is not a number"},
	        {"1,2,12345678901234567890123456789012345678901234x\n", 4, 2,
	                "'1234567890123456789012345678901234567890…' is not a number"},
	};
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct parsed parsed = parse(&plan, cases[i].text);
		cr_assert_eq(parsed.status, CSV_BAD, "%s", cases[i].text);
		cr_expect_eq(parsed.problem.at - cases[i].text, (ptrdiff_t)cases[i].at, "%s", cases[i].text);
		cr_expect_eq(parsed.problem.field, cases[i].field, "%s", cases[i].text);
		cr_expect_str_eq(parsed.problem.message, cases[i].message, "%s", parsed.problem.message);
	}
}

Test(csv_rows, shows_a_nul_byte_in_a_number)
{
	static const char text[] = "1\0,2,3\n";
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	struct parsed parsed = parse_bytes(&plan, text, sizeof text - 1);
	cr_assert_eq(parsed.status, CSV_BAD);
	cr_assert_str_eq(parsed.problem.message, "'1\\x00' is not a number");
}

Test(csv_rows, has_room_for_the_longest_message)
{
	char text[60];
	memset(text, '\xFF', sizeof text);
	struct csv_plan plan = plan_of(1, ALL_USED, 1);
	struct parsed parsed = parse_bytes(&plan, text, sizeof text);
	const char *tail = "\\xFF…' is not a number";
	cr_assert_str_eq(parsed.problem.message + strlen(parsed.problem.message) - strlen(tail), tail);
}

Test(csv_rows, stops_at_the_bad_record_with_everything_before_it_counted)
{
	static const char text[] = "1,2\n3,4\n5,x\n7,8\n";
	struct csv_plan plan = plan_of(2, ALL_USED, 2);
	struct parsed parsed = parse(&plan, text);
	cr_assert_eq(parsed.status, CSV_BAD);
	cr_assert_eq(parsed.kept, 2);
	cr_assert_eq(parsed.at, 8);
}

Test(csv_rows, leaves_out_rows_with_missing_values_if_told_to)
{
	static const char text[] = "1,a,2\n,b,\"3\"\n4,NA,5\n6,c,null\n7,d,\" \"\n8,e,9\n";
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	plan.missing = MISSING_SKIP_ROW;
	struct parsed parsed = parse(&plan, text);
	cr_assert_eq(parsed.status, CSV_OK);
	cr_assert_eq(parsed.kept, 3);
	cr_assert_eq(parsed.skipped, 3);
	static const double expected[] = {2, 1, 5, 4, 9, 8};
	cr_assert_arr_eq(parsed.rows, expected, sizeof expected);
}

Test(csv_rows, still_judges_the_rest_of_a_row_that_is_left_out)
{
	static const struct {
		char text[16];
		char message[40];
	} cases[] = {
	        {",b,x\n", "'x' is not a number"},
	        {"x,b,\n", "'x' is not a number"},
	        {",b\n", "2 fields, expected 3"},
	        {",b,1,2\n", "4 fields, expected 3"},
	        {",b,1e400\n", "'1e400' is too large for a double"},
	};
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	plan.missing = MISSING_SKIP_ROW;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct parsed parsed = parse(&plan, cases[i].text);
		cr_assert_eq(parsed.status, CSV_BAD, "%s", cases[i].text);
		cr_expect_str_eq(parsed.problem.message, cases[i].message);
	}
}

Test(csv_rows, without_quotes_reports_the_first_field_that_opens_with_one)
{
	static const struct {
		char text[24];
		enum csv_status status;
	} cases[] = {
	        {"1,a,2\n", CSV_OK},
	        {"1,a\"b\",2\n", CSV_OK},
	        {"1, \"a\",2\n", CSV_OK},
	        {"1,\"a\",2\n", CSV_QUOTE},
	        {"\"1\",a,2\n", CSV_QUOTE},
	        {"1,a,\"2\n", CSV_QUOTE},
	        {"x,a,\"2\"\n", CSV_QUOTE}, /* it may all look different once quotes are understood */
	        {"1,a,2,\"3\"\n", CSV_QUOTE},
	        {"x,a,2\"\n", CSV_BAD},
	};
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	plan.quotes = false;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_expect_eq(parse(&plan, cases[i].text).status, cases[i].status, "%s", cases[i].text);
}

Test(csv_rows, gives_the_same_rows_however_the_bytes_are_cut_into_ranges)
{
	static const char text[] = "\n1,2\r\n\"3\",\"4\"\n\r\n,\n5,6\n\n\n7,8";
	const char *end = text + strlen(text);
	static const double expected[] = {1, 2, 3, 4, 5, 6, 7, 8};
	struct csv_plan plan = plan_of(2, ALL_USED, 2);
	plan.missing = MISSING_SKIP_ROW;
	for (const char *first = text; first <= end; first++) {
		for (const char *second = first; second <= end; second++) {
			const char *limits[] = {first, second, end};
			const char *at = text;
			double rows[8];
			size_t kept = 0, skipped = 0;
			struct csv_problem problem;
			for (int i = 0; i < 3; i++)
				cr_assert_eq(csv_parse_records(&plan, &at, limits[i], end, rows + 2 * kept, &kept,
				                     &skipped, &problem),
				        CSV_OK);
			cr_assert(kept == 4 && skipped == 1);
			cr_assert_arr_eq(rows, expected, sizeof expected);
		}
	}
}

/* Parses the records that start in the first `bytes` of the text into room for exactly csv_rows_at_most rows. */
static size_t rows_in(const struct csv_plan *plan, const char *text, size_t bytes)
{
	size_t room = csv_rows_at_most(plan, bytes);
	double *rows = malloc(room * plan->width * sizeof *rows + 1);
	cr_assert(rows != NULL);
	const char *at = text;
	size_t kept = 0, skipped = 0;
	struct csv_problem problem;
	csv_parse_records(plan, &at, text + bytes, text + strlen(text), rows, &kept, &skipped, &problem);
	cr_assert(kept <= room);
	free(rows);
	return kept;
}

Test(csv_rows, has_no_more_rows_than_it_says)
{
	static const char text[] = "1,,2\n3,,4\n5,,6\n"; /* rows as short as they can be */
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	for (size_t bytes = 0; bytes < sizeof text; bytes++)
		cr_assert_eq(rows_in(&plan, text, bytes), csv_rows_at_most(&plan, bytes), "%zu bytes", bytes);
}

Test(csv_rows, has_no_more_rows_than_it_says_where_rows_stay_without_their_numbers)
{
	static const char text[] = ",,\n,,\n,,\n,,\n";
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	plan.missing = MISSING_KEEP_ROW;
	for (size_t bytes = 0; bytes < sizeof text; bytes++)
		cr_assert_eq(rows_in(&plan, text, bytes), csv_rows_at_most(&plan, bytes), "%zu bytes", bytes);
}

Test(csv_rows, needs_no_room_for_a_row_it_does_not_finish)
{
	static const char text[] = "1,,2\n3\n"; /* memory checkers see it if the 3 is written beyond the room */
	struct csv_plan plan = plan_of(3, SOME_USED, 2);
	for (size_t bytes = 0; bytes < sizeof text; bytes++)
		rows_in(&plan, text, bytes);
}

Test(csv_rows, reads_back_the_bits_of_every_number_written_with_17_digits)
{
	uint64_t state = 1;
	struct csv_plan plan = plan_of(4, ALL_USED, 4);
	for (int i = 0; i < 10000; i++) {
		double written[4];
		char text[128];
		for (int j = 0; j < 4; j++)
			written[j] = ((double)random_next(&state) - 0x1p63) / (double)(random_next(&state) | 1);
		snprintf(
		        text, sizeof text, "%.17g,%.17g,%.17g,%.17g\n", written[0], written[1], written[2], written[3]);
		struct parsed parsed = parse(&plan, text);
		cr_assert_eq(parsed.kept, 1);
		cr_assert_arr_eq(parsed.rows, written, sizeof written);
	}
}
