/*
 * Marks: the delimiters and LFs of a piece of text, found many bytes at a time. A parser that has them knows
 * where numbers end before it reads them, and the processor can work on several at once; without them it must finish
 * one to know where the next begins. Private to common/csv_rows.c.
 */
#ifndef FORKFIT_COMMON_CSV_MARKS_H
#define FORKFIT_COMMON_CSV_MARKS_H

#include <emmintrin.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	CSV_MARKS_BLOCK = 64,
	CSV_MARKS_PIECE = 4096, /* with its marks it stays in the first-level cache */
};

struct csv_marks {
	char delimiter;
	const char *text;  /* the first byte that may be looked at */
	const char *limit; /* what lies behind it is hardly wanted */
	const char *end;   /* of the text */
	const char *piece;
	size_t count, next;
	uint16_t places[CSV_MARKS_PIECE]; /* of marks in the piece, ascending */
};

static inline void csv_marks_init(
        struct csv_marks *marks, char delimiter, const char *at, const char *limit, const char *end)
{
	marks->delimiter = delimiter;
	marks->limit = limit;
	marks->end = end;
	marks->text = marks->piece = at;
	marks->count = marks->next = 0;
}

static inline const char *csv_marks_at(const struct csv_marks *marks, size_t index)
{
	return marks->piece + marks->places[index];
}

/* One bit for each byte of a block that is a mark. */
static inline uint64_t csv_marks_of_block(const char *block, char delimiter)
{
	uint64_t bits = 0;
	for (int i = 0; i < CSV_MARKS_BLOCK / 16; i++) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i));
		__m128i found = _mm_or_si128(
		        _mm_cmpeq_epi8(bytes, _mm_set1_epi8(delimiter)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(found) << (16 * i);
	}
	return bits;
}

/* Marks a piece anew, from `at` on. */
static inline void csv_marks_refill(struct csv_marks *marks, const char *at)
{
	size_t left = (size_t)(marks->end - at);
	size_t wanted = (size_t)(at < marks->limit ? marks->limit - at : 0) + CSV_MARKS_BLOCK;
	size_t length = wanted < CSV_MARKS_PIECE ? wanted : CSV_MARKS_PIECE;
	if (length > left)
		length = left;
	marks->piece = at;
	uint16_t *place = marks->places;
	for (size_t block = 0; block + CSV_MARKS_BLOCK <= length; block += CSV_MARKS_BLOCK)
		for (uint64_t bits = csv_marks_of_block(at + block, marks->delimiter); bits != 0; bits &= bits - 1)
			*place++ = (uint16_t)(block + (unsigned)__builtin_ctzll(bits));
	marks->count = (size_t)(place - marks->places);
	marks->next = 0;
}

/* The first mark at or behind `at`, which must not go back from call to call; NULL: the marks do not go so far. */
static inline const char *csv_marks_next(struct csv_marks *marks, const char *at)
{
	for (;;) {
		while (marks->next < marks->count) {
			const char *mark = csv_marks_at(marks, marks->next++);
			if (mark >= at)
				return mark;
		}
		csv_marks_refill(marks, at);
		if (marks->count == 0)
			return NULL;
	}
}

#endif
