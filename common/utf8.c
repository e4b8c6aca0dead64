#include "common/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static const char ELLIPSIS[] = "…";

static bool is_continuation(const char *at, const char *end)
{
	return at < end && ((unsigned char)*at & 0xC0) == 0x80;
}

size_t utf8_sequence_length(const char *text, const char *end)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000}; /* of so many bytes: others are overlong */
	unsigned char first = (unsigned char)*text;
	size_t length = first < 0x80   ? 1
	                : first < 0xC0 ? 0
	                : first < 0xE0 ? 2
	                : first < 0xF0 ? 3
	                : first < 0xF8 ? 4
	                               : 0;
	if (length < 2)
		return length;
	uint32_t code = first & (0x7FU >> length);
	for (size_t i = 1; i < length; i++) {
		if (!is_continuation(text + i, end))
			return 0;
		code = code << 6 | ((unsigned char)text[i] & 0x3F);
	}
	bool surrogate = code >= 0xD800 && code <= 0xDFFF;
	return code < smallest[length] || code > 0x10FFFF || surrogate ? 0 : length;
}

bool utf8_is_valid(const char *text)
{
	const char *end = text + strlen(text);
	while (text < end) {
		size_t length = utf8_sequence_length(text, end);
		if (length == 0)
			return false;
		text += length;
	}
	return true;
}

/* C0, DEL, and C1 (U+0080 to U+009F), which some terminals obey too. */
static bool is_control(const char *text, size_t length)
{
	unsigned char first = (unsigned char)text[0];
	return (length == 1 && (first < 0x20 || first == 0x7F)) ||
	       (length == 2 && first == 0xC2 && (unsigned char)text[1] < 0xA0);
}

/* Shows the character at *text in `shown` (5 bytes) and moves *text behind it. */
static size_t show_character(char shown[5], const char **text, const char *end)
{
	size_t length = utf8_sequence_length(*text, end);
	if (length == 0 || is_control(*text, length)) {
		snprintf(shown, 5, "\\x%02X", (unsigned)(unsigned char)**text);
		*text += 1;
		return 4;
	}
	memcpy(shown, *text, length);
	*text += length;
	return length;
}

const char *utf8_excerpt(char *excerpt, size_t size, const char *text, size_t length)
{
	const size_t ellipsis = sizeof ELLIPSIS - 1;
	const char *end = text + length;
	size_t used = 0;
	size_t cut = 0; /* the end of the last character with room for an ellipsis behind it */
	while (text < end) {
		char shown[5];
		size_t bytes = show_character(shown, &text, end);
		if (used + bytes >= size) {
			memcpy(excerpt + cut, ELLIPSIS, ellipsis);
			used = cut + ellipsis;
			break;
		}
		memcpy(excerpt + used, shown, bytes);
		used += bytes;
		if (used + ellipsis < size)
			cut = used;
	}
	excerpt[used] = '\0';
	return excerpt;
}

void utf8_print(FILE *out, const char *text)
{
	const char *end = text + strlen(text);
	while (text < end) {
		char shown[5];
		size_t length = show_character(shown, &text, end);
		fwrite(shown, 1, length, out);
	}
}

size_t utf8_width(const char *text)
{
	const char *end = text + strlen(text);
	size_t width = 0;
	while (text < end) {
		char shown[5];
		size_t bytes = show_character(shown, &text, end);
		width += bytes == 4 && shown[0] == '\\' ? bytes : 1;
	}
	return width;
}
