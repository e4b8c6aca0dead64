/*
 * Marks: the delimiters and LFs of a text, found 64 bytes at a time. A parser that has them knows where numbers end
 * before it reads them, and the processor can work on several at once; without them it must finish one to know where
 * the next begins. Private to common/csv_records.h.
 */
#ifndef FORKFIT_COMMON_CSV_MARKS_H
#define FORKFIT_COMMON_CSV_MARKS_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

enum { CSV_MARKS_BLOCK = 64 };

/* All of it, so that the marks stay in registers. */
#define CSV_MARKS_INLINE static inline __attribute__((always_inline))

struct csv_marks {
	char delimiter;
	const char *end;   /* of the text */
	const char *block; /* the bytes whose marks are under way */
	uint64_t bits;     /* one for each mark among them that has not been given out */
};

/* One bit for each byte of a block that is a mark. */
CSV_MARKS_INLINE uint64_t csv_marks_of_block(const char *block, char delimiter)
{
	uint64_t bits = 0;
#ifdef __AVX2__
	for (int i = 0; i < CSV_MARKS_BLOCK / 32; i++) {
		__m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(block + 32 * i));
		__m256i found = _mm256_or_si256(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(delimiter)),
		        _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8('\n')));
		bits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(found) << (32 * i);
	}
#else
	for (int i = 0; i < CSV_MARKS_BLOCK / 16; i++) {
		__m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(block + 16 * i));
		__m128i found = _mm_or_si128(
		        _mm_cmpeq_epi8(bytes, _mm_set1_epi8(delimiter)), _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n')));
		bits |= (uint64_t)(uint32_t)_mm_movemask_epi8(found) << (16 * i);
	}
#endif
	return bits;
}

/* The marks from `at` (<= end) on are wanted next. */
CSV_MARKS_INLINE void csv_marks_seek(struct csv_marks *marks, const char *at)
{
	marks->block = at;
	marks->bits = marks->end - at < CSV_MARKS_BLOCK ? 0 : csv_marks_of_block(at, marks->delimiter);
}

CSV_MARKS_INLINE void csv_marks_init(struct csv_marks *marks, char delimiter, const char *at, const char *end)
{
	marks->delimiter = delimiter;
	marks->end = end;
	csv_marks_seek(marks, at);
}

/* The next mark; NULL: the text has no whole block behind those that were given out. */
CSV_MARKS_INLINE const char *csv_marks_next(struct csv_marks *marks)
{
	while (marks->bits == 0) {
		if (marks->end - marks->block < 2 * CSV_MARKS_BLOCK)
			return NULL;
		marks->block += CSV_MARKS_BLOCK;
		marks->bits = csv_marks_of_block(marks->block, marks->delimiter);
	}
	const char *mark = marks->block + __builtin_ctzll(marks->bits);
	marks->bits &= marks->bits - 1;
	return mark;
}

#undef CSV_MARKS_INLINE

#endif
