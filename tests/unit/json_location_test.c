#include "coordinator/json_location.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(json_location, .timeout = 10);

static const char TEXT[] = "\n"
                           "{ \"a\":\n"
                           "  1,\n"
                           "  \"b\": { \"a\": \"}\\\"{\",\n"
                           "         \"c\": [ [ ],\n"
                           "                { \"a\": [ 5\n"
                           "                       , 6 ] }, null ] },\n"
                           "  \"\\u0064\": true, \"e\": {}, \"b.a\": 1,\n"
                           "  \"f\": -1e5 }\n";

static size_t line_of(const struct key_path *path)
{
	size_t line = 99;
	cr_assert(json_location_line(TEXT, strlen(TEXT), path, &line));
	return line;
}

static const struct key_path a = {.key = "a"}, b = {.key = "b"}, d = {.key = "d"}, e = {.key = "e"}, f = {.key = "f"};
static const struct key_path b_a = {.parent = &b, .key = "a"}, b_c = {.parent = &b, .key = "c"};
static const struct key_path b_dot_a = {.key = "b.a"}, e_a = {.parent = &e, .key = "a"}, g = {.key = "g"};
static const struct key_path c_0 = {.parent = &b_c, .index = 0}, c_1 = {.parent = &b_c, .index = 1};
static const struct key_path c_2 = {.parent = &b_c, .index = 2}, c_3 = {.parent = &b_c, .index = 3};
static const struct key_path c_1_a = {.parent = &c_1, .key = "a"}, a_1 = {.parent = &c_1_a, .index = 1};

Test(json_location, knows_the_line_of_each_key_and_element)
{
	static const struct {
		const struct key_path *path;
		size_t line; /* 0: not in the text */
	} rows[] = {{NULL, 2}, {&a, 2}, {&b, 4}, {&b_a, 4}, {&b_c, 5}, {&c_0, 5}, {&c_1, 6}, {&c_1_a, 6}, {&a_1, 7},
	        {&c_2, 7}, {&c_3, 0}, {&d, 8}, {&e, 8}, {&e_a, 0}, {&b_dot_a, 8}, {&f, 9}, {&g, 0}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_eq(line_of(rows[i].path), rows[i].line, "row %zu: %zu", i, line_of(rows[i].path));
}

/* Cut behind the first occurrence of `last`. */
static struct json_location location_after(const char *text, const char *last)
{
	struct json_location location;
	const char *end = strstr(text, last);
	cr_assert_not_null(end);
	cr_assert(json_location_end(text, (size_t)(end - text) + strlen(last), &location));
	return location;
}

Test(json_location, knows_the_key_at_which_a_text_was_cut)
{
	static const struct {
		const char *last, *path;
		size_t line;
	} rows[] = {
	        {"\"a\"", "a", 2},
	        {"1", "a", 2},
	        {"\"c\"", "b.c", 5},
	        {"[ 5", "b.c[1].a[0]", 6},
	        {", 6", "b.c[1].a[1]", 7},
	        {"null", "b.c[2]", 7},
	        {"\"\\u0064\"", "d", 8},
	        {"\"b.a\"", "\"b.a\"", 8},
	        {"-1e5", "f", 9},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct json_location location = location_after(TEXT, rows[i].last);
		cr_expect_str_eq(location.path.text, rows[i].path);
		cr_expect_eq(location.line, rows[i].line, "%s: line %zu", rows[i].path, location.line);
		cr_expect_eq(
		        location.first_line, rows[i].line, "%s: first line %zu", rows[i].path, location.first_line);
	}
}

Test(json_location, knows_where_a_key_stood_first)
{
	struct json_location location =
	        location_after("{\"x\": 1,\n\"y\": {\"x\": 2},\n\"\\u0078\": 3}", "\"\\u0078\"");
	cr_expect_str_eq(location.path.text, "x");
	cr_expect_eq(location.first_line, 1);
	cr_expect_eq(location.line, 3);
}
