#include "common/utf8.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(utf8, .timeout = 10);

Test(utf8, knows_the_length_of_characters_and_refuses_what_is_none)
{
	static const struct {
		char text[8];
		size_t length;
	} cases[] = {
	        {"a", 1},
	        {"\xC2\x80", 2},
	        {"\xDF\xBF", 2},
	        {"\xE0\xA0\x80", 3},
	        {"\xEF\xBF\xBF", 3},
	        {"\xF0\x90\x80\x80", 4},
	        {"\xF4\x8F\xBF\xBF", 4},
	        {"\x80", 0},             /* a continuation without a beginning */
	        {"\xC3", 0},             /* a beginning without its continuation */
	        {"\xC3(", 0},            /* … with something else behind it */
	        {"\xE2\x82", 0},         /* cut short */
	        {"\xC0\xAF", 0},         /* overlong */
	        {"\xE0\x9F\xBF", 0},     /* overlong */
	        {"\xF0\x8F\xBF\xBF", 0}, /* overlong */
	        {"\xED\xA0\x80", 0},     /* a surrogate */
	        {"\xF4\x90\x80\x80", 0}, /* above U+10FFFF */
	        {"\xF8\x88\x80\x80", 0},
	        {"\xFF", 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		cr_expect_eq(utf8_sequence_length(cases[i].text, cases[i].text + strlen(cases[i].text)),
		        cases[i].length, "case %zu", i);
	cr_expect_eq(utf8_sequence_length("\0", cases[0].text), 1, "NUL is a character");
}

Test(utf8, shows_text_that_may_be_anything)
{
	static const struct {
		char text[24];
		size_t length;
		char shown[24];
	} cases[] = {
	        {"", 0, ""},
	        {"12abc", 5, "12abc"},
	        {"größe", 7, "größe"},
	        {"a\tb\x1B[0m", 7, "a\\x09b\\x1B[0m"},
	        {"a\0b", 3, "a\\x00b"},
	        {"gr\xF6\xDF", 4, "gr\\xF6\\xDF"},
	        {"\x7F", 1, "\\x7F"},
	        {"\xC2\x9B", 2, "\\xC2\\x9B"}, /* a control character that starts an escape sequence */
	        {"\xC2\xA0", 2, "\xC2\xA0"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char shown[24];
		utf8_excerpt(shown, sizeof shown, cases[i].text, cases[i].length);
		cr_expect_str_eq(shown, cases[i].shown, "case %zu", i);
	}
}

Test(utf8, cuts_what_does_not_fit_between_characters)
{
	static const struct {
		char text[24];
		char shown[12];
	} cases[] = {
	        {"12345678901", "12345678901"}, /* as much as fits */
	        {"123456789012", "12345678…"},
	        {"1234567ä9012", "1234567…"},
	        {"ääääääää", "ääää…"},
	        {"1234567\x01"
	         "90",
	                "1234567…"},
	        {"\x01\x02\x03", "\\x01\\x02…"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char shown[12];
		utf8_excerpt(shown, sizeof shown, cases[i].text, strlen(cases[i].text));
		cr_expect_str_eq(shown, cases[i].shown, "case %zu: %s", i, shown);
	}
}

Test(utf8, is_printed_whole_and_its_characters_counted)
{
	static const struct {
		const char *text;
		const char *printed;
		size_t width;
	} cases[] = {
	        {"", "", 0},
	        {"gr\xC3\xB6\xC3\x9F"
	         "e",
	                "größe", 5},
	        {"a\nb\\", "a\\x0Ab\\", 7},
	        {"\xF0\x9F\x98\x80\x80", "\xF0\x9F\x98\x80\\x80", 5},
	        {"\xC2\x9B"
	         "31m",
	                "\\xC2\\x9B31m", 11},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = NULL;
		size_t length;
		FILE *out = open_memstream(&text, &length);
		cr_assert_not_null(out);
		utf8_print(out, cases[i].text);
		fclose(out);
		cr_expect_str_eq(text, cases[i].printed);
		cr_expect_eq(utf8_width(cases[i].text), cases[i].width, "%s: %zu", cases[i].printed,
		        utf8_width(cases[i].text));
		free(text);
	}
}
