/*
 * One field of a CSV record at a time: what the reader, the parser and the scanner of records have in common, so that
 * they agree where fields and records end. Private to common/csv.c and common/csv_rows.c.
 */
#ifndef FORKFIT_COMMON_CSV_FIELD_H
#define FORKFIT_COMMON_CSV_FIELD_H

#include "common/csv.h"

#include <emmintrin.h>

struct csv_cut {
	struct csv_field field;
	const char *after;  /* the delimiter behind the field, or the end of the record: its LF or CRLF, or end */
	bool unclosed;      /* a quote opens the field, none closes it */
	bool trailing_text; /* something other than white space follows the closing quote */
};

/* Finds the field at `at` (<= end). */
void csv_cut_field(const char *at, const char *end, char delimiter, struct csv_cut *cut);

/* The first byte like that or LF at or behind `at`, or end. */
static inline const char *csv_find_or_newline(const char *at, const char *end, char byte)
{
	const __m128i wanted = _mm_set1_epi8(byte);
	const __m128i newline = _mm_set1_epi8('\n');
	for (; end - at >= 16; at += 16) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)at);
		__m128i found = _mm_or_si128(_mm_cmpeq_epi8(bytes, wanted), _mm_cmpeq_epi8(bytes, newline));
		unsigned mask = (unsigned)_mm_movemask_epi8(found);
		if (mask != 0)
			return at + __builtin_ctz(mask);
	}
	while (at < end && *at != byte && *at != '\n')
		at++;
	return at;
}

/* Is `at` (<= end) the end of a record that has come so far without ending, unquoted? */
static inline bool csv_ends_record(const char *at, const char *end)
{
	return at == end || *at == '\n' || (*at == '\r' && (at + 1 == end || at[1] == '\n'));
}

/* From the end of a record to the start of the next. */
static inline const char *csv_next_record(const char *at, const char *end)
{
	if (at < end && *at == '\r')
		at++;
	if (at < end && *at == '\n')
		at++;
	return at;
}

#endif
