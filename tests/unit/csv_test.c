#include "common/csv.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(csv, .timeout = 10);

/* The fields of the first record in brackets, quoted ones in quotes, and what is left behind it. */
static void show_record(const char *text, size_t length, char delimiter, char *shown, size_t size)
{
	struct csv_field fields[8];
	size_t count;
	bool unclosed;
	const char *next = csv_read_record(text, text + length, delimiter, fields, 8, &count, &unclosed);
	size_t used = 0;
	shown[0] = '\0';
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(shown + used, size - used, fields[i].quoted ? "[\"%.*s\"]" : "[%.*s]",
		        (int)fields[i].length, fields[i].text);
	snprintf(shown + used, size - used, "%s %zu", unclosed ? " unclosed" : "", (size_t)(text + length - next));
}

Test(csv, reads_records)
{
	static const struct {
		char text[40];
		char delimiter;
		char shown[48];
	} cases[] = {
	        {"1,2\n3,4\n", ',', "[1][2] 4"},
	        {"1,2\r\n3,4\n", ',', "[1][2] 4"},
	        {"1,2", ',', "[1][2] 0"},
	        {"1,2\r", ',', "[1][2] 0"},
	        {"1;2,5\n", ';', "[1][2,5] 0"},
	        {"1\t2\n", '\t', "[1][2] 0"},
	        {",\n", ',', "[][] 0"},
	        {"1,\n", ',', "[1][] 0"},
	        {" 1 , 2 \n", ',', "[ 1 ][ 2 ] 0"},
	        {"\n\r\n\n1\n2\n", ',', "[1] 2"},
	        {"\n\r\n\n", ',', " 0"},
	        {"\r", ',', " 0"},
	        {"a\rb\n", ',', "[a\rb] 0"},
	        {"\r\r\n", ',', "[\r] 0"},
	        {"\"a\",1\n", ',', "[\"a\"][1] 0"},
	        {"\"a,b\nc\",1\n2", ',', "[\"a,b\nc\"][1] 1"},
	        {"\"a\"\"b\",1\n", ',', "[\"a\"\"b\"][1] 0"},
	        {"\"\"\r\n1", ',', "[\"\"] 1"},
	        {"\"a\" \t,1\n", ',', "[\"a\"][1] 0"},
	        {"\"a\"b\"c,1\n", ',', "[\"a\"][1] 0"},
	        {"a\"b,c\"d\n", ',', "[a\"b][c\"d] 0"},
	        {" \"a,b\"\n", ',', "[ \"a][b\"] 0"},
	        {"1,\"a\n2,3\n", ',', "[1][\"a\n2,3\n\"] unclosed 0"},
	        {"1,\"a\"\"", ',', "[1][\"a\"\"\"] unclosed 0"},
	        {"\"", ',', "[\"\"] unclosed 0"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char shown[80];
		show_record(cases[i].text, strlen(cases[i].text), cases[i].delimiter, shown, sizeof shown);
		cr_expect_str_eq(shown, cases[i].shown, "case %zu: %s", i, shown);
	}
}

Test(csv, reads_nul_bytes_like_any_other)
{
	static const char text[] = "a\0b,\0\n1";
	struct csv_field fields[2];
	size_t count;
	bool unclosed;
	const char *next = csv_read_record(text, text + 7, ',', fields, 2, &count, &unclosed);
	cr_assert_eq(count, 2);
	cr_assert_eq(fields[0].length, 3);
	cr_assert_eq(fields[1].length, 1);
	cr_assert_eq(next, text + 6);
}

Test(csv, counts_fields_beyond_the_capacity_but_does_not_store_them)
{
	static const char text[] = "1,2,3\n";
	struct csv_field fields[2] = {{.length = 9}, {.length = 9}};
	size_t count;
	bool unclosed;
	csv_read_record(text, text + 6, ',', fields, 1, &count, &unclosed);
	cr_assert_eq(count, 3);
	cr_assert_eq(fields[0].length, 1);
	cr_assert_eq(fields[1].length, 9);
}

Test(csv, knows_missing_values)
{
	static const char missing[][16] = {
	        "", " ", "\t ", "NA", "na", "Na", "NaN", "nan", "NAN", "null", "NULL", " NA\t"};
	static const char present[][16] = {"0", "N", "NAN1", "N A", "nil", "nul", "nulll", "-", "\r", "n/a"};
	for (size_t i = 0; i < sizeof missing / sizeof missing[0]; i++)
		cr_expect(csv_is_missing(missing[i], strlen(missing[i])), "'%s'", missing[i]);
	for (size_t i = 0; i < sizeof present / sizeof present[0]; i++)
		cr_expect_not(csv_is_missing(present[i], strlen(present[i])), "'%s'", present[i]);
	cr_expect_not(csv_is_missing("NA\0", 3), "NUL is text");
}

Test(csv, scanner_gives_no_start_to_a_newline_inside_quotes)
{
	static const char text[] = "1,\"a\n\"\"\nb\"\n2,3\n";
	const uint64_t boundaries[] = {0, 5, 10, 12, 13, 14, 100};
	uint64_t starts[7];
	struct csv_scanner scanner;
	csv_scanner_init(&scanner, ',', 3);
	csv_scanner_feed(&scanner, text, strlen(text), boundaries, starts, 7);
	csv_scanner_feed(&scanner, text, 0, boundaries, starts, 7);
	/* The first record has 11 bytes, the second 4, and they start at 3. */
	const uint64_t expected[] = {3, 14, 14, 14, 14, 14, 18};
	for (size_t i = 0; i < 7; i++)
		cr_expect_eq(starts[i], expected[i], "boundary %zu: %d", i, (int)starts[i]);
}
