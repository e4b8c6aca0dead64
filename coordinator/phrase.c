#include "coordinator/phrase.h"

#include "common/utf8.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

void phrase_add(struct phrase *phrase, const char *format, ...)
{
	size_t room = sizeof phrase->text - phrase->length;
	va_list arguments;
	va_start(arguments, format);
	int wanted = vsnprintf(phrase->text + phrase->length, room, format, arguments);
	va_end(arguments);
	if (wanted > 0)
		phrase->length += (size_t)wanted < room ? (size_t)wanted : room - 1;
}

void phrase_add_excerpt(struct phrase *phrase, const char *text, size_t length)
{
	char excerpt[PHRASE_EXCERPT + 1];
	phrase_add(phrase, "%s", utf8_excerpt(excerpt, sizeof excerpt, text, length));
}

static void add_escaped(struct phrase *phrase, char character)
{
	bool control = (unsigned char)character < 0x20 || character == 0x7F;
	if (character == '"' || character == '\\')
		phrase_add(phrase, "\\%c", character);
	else if (character == '\n')
		phrase_add(phrase, "\\n");
	else if (character == '\t')
		phrase_add(phrase, "\\t");
	else if (control)
		phrase_add(phrase, "\\u%04x", (unsigned)character);
	else
		phrase_add(phrase, "%c", character);
}

void phrase_add_quoted(struct phrase *phrase, const char *text)
{
	const char *end = text + strlen(text);
	const char *at = text;
	phrase_add(phrase, "\"");
	while (at < end) {
		size_t bytes = utf8_sequence_length(at, end);
		const char *next = at + (bytes > 0 ? bytes : 1);
		if (next > text + PHRASE_EXCERPT) {
			phrase_add(phrase, "…");
			break;
		}
		for (; at < next; at++)
			add_escaped(phrase, *at);
	}
	phrase_add(phrase, "\"");
}
