#include "coordinator/csv_header.h"

#include "tests/unit/guard_page.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(csv_header, .timeout = 10);

static const char KINDS[] = {[COLUMN_NUMBER] = 'n', [COLUMN_TEXT] = 't', [COLUMN_EMPTY] = 'e'};

/* Such as "; header@4 x:n:1.5 y:t:abc": delimiter, header or none, where the data starts, and the columns. */
static void show_header(const struct csv_header *header, char *shown, size_t size)
{
	size_t used = (size_t)snprintf(shown, size, "%c %s@%zu", header->delimiter == '\t' ? 'T' : header->delimiter,
	        header->has_header ? "header" : "none", header->data_offset);
	for (uint32_t i = 0; i < header->fields && used < size; i++)
		used += (size_t)snprintf(shown + used, size - used, " %s:%c:%s", header->columns[i].name,
		        KINDS[header->columns[i].kind], header->columns[i].sample);
}

/* The same or the error's text. */
static void read_and_show(
        const char *bytes, size_t length, bool whole, enum header_mode mode, char delimiter, char *shown, size_t size)
{
	struct csv_header header;
	struct error error = {0};
	if (!csv_header_read("f.csv", bytes, length, whole, mode, delimiter, &header, &error)) {
		snprintf(shown, size, "%s%.200s", error.code == EXIT_BAD_DATASET ? "" : "wrong code: ", error.message);
		return;
	}
	show_header(&header, shown, size);
	csv_header_release(&header);
}

static void expect_shown(const char *text, enum header_mode mode, char delimiter, const char *expected)
{
	char shown[256];
	read_and_show(text, strlen(text), true, mode, delimiter, shown, sizeof shown);
	cr_expect_str_eq(shown, expected, "for '%s': '%s'", text, shown);
}

struct example {
	char text[64];
	char shown[96];
};

Test(csv_header, detects_the_delimiter)
{
	static const struct example examples[] = {
	        {"x,y\n1,2\n", ", header@4 x:n:1 y:n:2"},
	        {"x;y\n1;2\n", "; header@4 x:n:1 y:n:2"},
	        {"x\ty\n1\t2\n", "T header@4 x:n:1 y:n:2"},
	        {"x|y\n1|2\n", "| header@4 x:n:1 y:n:2"},
	        {"x;y\n1,5;2\n", "; header@4 x:t:1,5 y:n:2"},
	        {"x,y;z\n1,2;3\n", ", header@6 x:n:1 y;z:t:2;3"},
	        {"x|y;z;w\n1|2;3;4\n", "; header@8 x|y:t:1|2 z:n:3 w:n:4"},
	        {"x,y;z;w\n1,2;3;4\n", "; header@8 x,y:t:1,2 z:n:3 w:n:4"},
	        {"\"a;b;c\",y\n1,2\n", ", header@10 a;b;c:n:1 y:n:2"},
	        {"\"a;b\";c\n1;2\n", "; header@8 a;b:n:1 c:n:2"},
	        {"x\n1\n2\n", ", header@2 x:n:1"},
	        {"x\n", ", header@2 x:e:"},
	};
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
		expect_shown(examples[i].text, HEADER_DETECT, 0, examples[i].shown);
}

Test(csv_header, takes_a_delimiter_that_most_records_agree_on)
{
	static const struct example examples[] = {
	        {"x;y\n1;2\n3;4;5\n6;7\n", "; header@4 x:n:1 y:n:2"}, {"1,2\n3,4,5\n", ", none@0 c0:n:1 c1:n:2"},
	        {"x;y,z\n1;2\n3;4,5\n6;7\n", "; header@6 x:n:1 y,z:n:2"},
	        {"a;b,\"c\n1;2\n", "; header@7 a:n:1 b,\"c:n:2"}, /* not a quoted field that never ends */
	        {"a, b\n1\n2\n", "; header@5 a, b:n:1"},          /* a single column, and the comma is in its name */
	};
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
		expect_shown(examples[i].text, HEADER_DETECT, 0, examples[i].shown);
}

Test(csv_header, detects_the_delimiter_from_20_records)
{
	char text[256] = "";
	for (int i = 0; i < 20; i++)
		strcat(text, "1;2,3\n");
	for (int i = 0; i < 5; i++)
		strcat(text, "1;2\n"); /* would make it the semicolon */
	expect_shown(text, HEADER_DETECT, 0, ", none@0 c0:t:1;2 c1:n:3");
}

Test(csv_header, uses_the_delimiter_it_is_given)
{
	expect_shown("x,y;z\n1,2;3\n", HEADER_DETECT, ';', "; header@6 x,y:t:1,2 z:n:3");
	expect_shown("x y\n1 2\n", HEADER_DETECT, ' ', "  header@4 x:n:1 y:n:2");
}

Test(csv_header, detects_a_header_where_there_is_text_and_no_number)
{
	static const struct example examples[] = {
	        {"1,2\n3,4\n", ", none@0 c0:n:1 c1:n:2"},
	        {"x,2\n3,4\n", ", none@0 c0:t:x c1:n:2"},
	        {"x,\n3,4\n", ", header@3 x:n:3 c1:n:4"},
	        {"x,NA\n3,4\n", ", header@5 x:n:3 NA:n:4"},
	        {",\n3,4\n", ", none@0 c0:n:3 c1:n:4"},
	        {"nan,null\n3,4\n", ", none@0 c0:n:3 c1:n:4"},
	        {",2\n3,4\n", ", none@0 c0:n:3 c1:n:2"},
	        {"\"1\",\" 2 \"\n3,4\n", ", none@0 c0:n:1 c1:n:2"},
	        {"1e999,x\n", ", none@0 c0:n:1e999 c1:t:x"},
	        {"1a,2b\n3,4\n", ", header@6 1a:n:3 2b:n:4"},
	        {"x,y\na,b\n", ", header@4 x:t:a y:t:b"},
	};
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
		expect_shown(examples[i].text, HEADER_DETECT, 0, examples[i].shown);
}

Test(csv_header, does_as_it_is_told_about_the_header)
{
	expect_shown("1,2\n3,4\n", HEADER_PRESENT, 0, ", header@4 1:n:3 2:n:4");
	expect_shown("x,y\n3,4\n", HEADER_ABSENT, 0, ", none@0 c0:t:x c1:t:y");
}

Test(csv_header, cleans_names)
{
	static const struct example examples[] = {
	        {" x , \"y\" \n1,2\n", ", header@10 x:n:1 \"y\":n:2"},
	        {"\" x \",\"a \"\"b\"\" \"\n1,2\n", ", header@17 x:n:1 a \"b\":n:2"},
	        {"\"a,b\nc\",y\r\n1,2\r\n", ", header@11 a,b\nc:n:1 y:n:2"},
	        {"x,x,\n1,2,3\n", ", header@5 x:n:1 x:n:2 c2:n:3"},
	        {"größe,gr\xF6\xDF"
	         "e\n1,2\n",
	                ", header@14 größe:n:1 gr\\xF6\\xDF"
	                "e:n:2"},
	};
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
		expect_shown(examples[i].text, HEADER_DETECT, 0, examples[i].shown);
}

Test(csv_header, keeps_the_rest_of_a_name_behind_a_nul_byte)
{
	static const char text[] = "a\0b,c\n1,2\n";
	char shown[96];
	read_and_show(text, sizeof text - 1, true, HEADER_DETECT, 0, shown, sizeof shown);
	cr_assert_str_eq(shown, ", header@6 a\\x00b:n:1 c:n:2");
}

Test(csv_header, judges_a_column_by_its_first_value_that_is_not_missing)
{
	static const struct example examples[] = {
	        {"x,y\nNA,\n,b\n3,4\n", ", header@4 x:n:3 y:t:b"},
	        {"x,y\n1,\n2,NaN\n", ", header@4 x:n:1 y:e:"},
	        {"x,y\n1\n2,3\n", ", header@4 x:n:1 y:n:3"},
	        {"x,y\n1,2,3\n", ", header@4 x:n:1 y:n:2"},
	        {"x,y\n1,2020-01-01\n", ", header@4 x:n:1 y:t:2020-01-01"},
	        {"x,y\n1,inf\n", ", header@4 x:n:1 y:t:inf"},
	        {"x\n\"a 30-byte sample fits 34567890123\"\n", ", header@2 x:t:a 30-byte sample fits 345678…"},
	        {"x,y\n1,\"2\n", ", header@4 x:e: y:e:"},
	};
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
		expect_shown(examples[i].text, HEADER_DETECT, ',', examples[i].shown);
}

Test(csv_header, passes_over_byte_order_mark_and_blank_lines)
{
	expect_shown("\xEF\xBB\xBFx,y\n1,2\n", HEADER_DETECT, 0, ", header@7 x:n:1 y:n:2");
	expect_shown("\xEF\xBB\xBF\"x\",y\n1,2\n", HEADER_DETECT, 0, ", header@9 x:n:1 y:n:2");
	expect_shown("\xEF\xBB\xBF"
	             "1,2\n",
	        HEADER_DETECT, 0, ", none@3 c0:n:1 c1:n:2");
	expect_shown("\n\r\nx,y\n\n1,2\n", HEADER_DETECT, 0, ", header@7 x:n:1 y:n:2");
}

Test(csv_header, explains_what_it_refuses)
{
	static const struct example examples[] = {
	        {"", "f.csv:1:1: the file is empty"},
	        {"\xEF\xBB\xBF", "f.csv:1:1: the file is empty"},
	        {"\n\r\n", "f.csv:1:1: the file holds nothing but blank lines"},
	        {"\xFF\xFEx", "f.csv:1:1: the file is UTF-16; convert it to UTF-8"},
	        {"\xFE\xFFx", "f.csv:1:1: the file is UTF-16; convert it to UTF-8"},
	        {"\nx,\"y\n1,2\n", "f.csv:2:3: this quoted field is never closed"},
	        {"\"", "f.csv:1:1: this quoted field is never closed"},
	        {"x\r1", "f.csv:1:2: lines end with CR alone, and must end with LF or CRLF: tr '\\r' '\\n' makes them "
	                 "so"},
	};
	for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++)
		expect_shown(examples[i].text, HEADER_DETECT, 0, examples[i].shown);
}

/* In quotes it is text, and before the end it ends the last record. */
Test(csv_header, takes_a_cr_for_no_line_end_where_it_may_be_something_else)
{
	expect_shown("\"x\ry\",z\r", HEADER_DETECT, 0, ", header@8 x\ry:e: z:e:");
	expect_shown("x\ry,z\n", HEADER_DETECT, 0, ", header@6 x\ry:e: z:e:");
}

Test(csv_header, trusts_only_complete_records_unless_it_has_the_whole_file)
{
	static const struct {
		char text[32];
		bool whole;
		char shown[80];
	} cases[] = {
	        {"x,y\n1,abc", true, ", header@4 x:n:1 y:t:abc"},
	        {"x,y\n1,abc", false, ", header@4 x:e: y:e:"},
	        {"x,y\n1,2\n3,abc", false, ", header@4 x:n:1 y:n:2"},
	        {"x,y\n", false, ", header@4 x:e: y:e:"},
	        {"x,y", true, ", header@3 x:e: y:e:"},
	        {"x,y", false, "f.csv:1:1: this record does not end within the first 3 bytes of the file"},
	        {"x,y\r", false, "f.csv:1:1: this record does not end within the first 4 bytes of the file"},
	        {"\nx,\"y\n", false, "f.csv:2:3: this quoted field does not end within the first 6 bytes of the file"},
	        {"\n\n", false, "f.csv:1:1: the first 2 bytes are blank lines"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char shown[128];
		read_and_show(
		        cases[i].text, strlen(cases[i].text), cases[i].whole, HEADER_DETECT, 0, shown, sizeof shown);
		cr_expect_str_eq(shown, cases[i].shown, "case %zu: %s", i, shown);
	}
}

Test(csv_header, takes_65535_columns_and_no_more)
{
	char *text = malloc(65537);
	cr_assert(text != NULL);
	memset(text, ',', 65536);
	text[65534] = '\n';
	struct csv_header header;
	struct error error;
	cr_assert(csv_header_read("f.csv", text, 65535, true, HEADER_DETECT, 0, &header, &error));
	cr_expect_eq(header.fields, 65535);
	cr_expect_str_eq(header.columns[65534].name, "c65534");
	csv_header_release(&header);
	text[65534] = ',';
	text[65535] = '\n';
	cr_assert_not(csv_header_read("f.csv", text, 65536, true, HEADER_DETECT, 0, &header, &error));
	cr_expect_str_eq(
	        error.message, "f.csv:1:1: the first record has 65536 fields; more than 65535 are not supported");
	free(text);
}

Test(csv_header, looks_at_no_byte_behind_the_ones_it_is_given)
{
	static const char text[] = "\n\"größe\",y;z\r\n1,\"2\"\r\n3,4\r\n";
	struct guard_page guard = guard_page_new(sizeof text);
	for (size_t length = 0; length < sizeof text; length++) {
		char shown[256];
		const char *bytes = guard_page_place(&guard, text, length);
		read_and_show(bytes, length, true, HEADER_DETECT, 0, shown, sizeof shown);
		read_and_show(bytes, length, false, HEADER_DETECT, 0, shown, sizeof shown);
		cr_expect(shown[0] != '\0');
	}
	guard_page_free(&guard);
}
