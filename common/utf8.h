/* Text of unknown origin, made fit to be shown: valid UTF-8, printable, and no longer than wanted. Pure. */
#ifndef FORKFIT_COMMON_UTF8_H
#define FORKFIT_COMMON_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* How many bytes the character at text (< end) has, 1 to 4; 0 if no valid UTF-8 character starts there. */
size_t utf8_sequence_length(const char *text, const char *end);

/* Is it valid from its beginning to its end? */
bool utf8_is_valid(const char *text);

/*
 * Writes text to `excerpt` (size bytes, at least 8) for a message on one line: control characters and bytes that are
 * not UTF-8 become \xNN, and what does not fit is replaced by "…". Always ends with NUL. Returns excerpt.
 */
const char *utf8_excerpt(char *excerpt, size_t size, const char *text, size_t length);

/* Writes the whole text to a stream in the same way, and how many characters it then takes. */
void utf8_print(FILE *out, const char *text);
size_t utf8_width(const char *text);

#endif
