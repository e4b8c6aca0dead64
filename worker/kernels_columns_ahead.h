/*
 * Wide rows in Fortran order are asked of the memory before they are summed. Only the kernels include this.
 *
 * Memory answers best when it is asked for long runs of four columns at a time, and when it always has something to do.
 * So with the rows that are summed goes their part of the next run, which is of all columns, and about as long as the
 * second-level cache has room for. It is asked for into that cache alone. On an AMD EPYC (family 25, model 17) two
 * processes that only read in this order came to 0.66 of what they got straight on with runs of 1 KiB, 0.75 with 4 KiB,
 * and 0.45 with 512 bytes that were not asked for. On an Intel Xeon (family 6, model 207) it made no difference how far
 * ahead or how long the runs were, for another reason (kernels_column_runs_avx512.c).
 */
#ifndef FORKFIT_WORKER_KERNELS_COLUMNS_AHEAD_H
#define FORKFIT_WORKER_KERNELS_COLUMNS_AHEAD_H

#include "worker/cache_line.h"
#include "worker/kernels_shared.h"

#include <stdint.h>

enum {
	RUN_BYTES = 1024,        /* 2048 and 4096 were as good, or worse by a twentieth */
	TOGETHER_BYTES = 307200, /* of all columns; of more, runs are half as long, beyond twice that shorter */
	AHEAD_BYTES = 16384,     /* when a run begins, all of it and so much of the next have been asked for */
	FEW_COLUMNS = 16         /* need no such order */
};

/* Whose lines are the next to be asked for: two of each of four columns at a time. */
struct asker {
	const unsigned char *rows; /* of a run, but for a column's offset; NULL: nothing is asked for */
	size_t run_bytes;          /* of a column */
	size_t four;               /* columns */
	size_t at;                 /* in their run */
	size_t owed;               /* bytes of each of four columns that have been summed since */
};

enum { ASKED_AT_ONCE = 2 * CACHE_LINE };

/* How many times four columns there are. The last four begin where they can. */
INLINE size_t fours_of(const struct kernels *kernels)
{
	return ((size_t)kernels->features + LANES - 1) / LANES;
}

/* How much of each column is asked for before the next is: all of them take no more than the cache has room for. */
INLINE size_t run_bytes(const struct kernels *kernels)
{
	const size_t columns = LANES * fours_of(kernels);
	size_t bytes = RUN_BYTES * columns > TOGETHER_BYTES ? RUN_BYTES / 2 : RUN_BYTES;
	while (bytes > ASKED_AT_ONCE && bytes * columns > 2 * TOGETHER_BYTES)
		bytes /= 2;
	return bytes;
}

/*
 * Who begins with these rows. Runs begin at multiples of their length, wherever leaves do; as far as rows are from
 * there, the next run has been asked for.
 */
INLINE struct asker asker_at(const struct kernels *kernels, const unsigned char *rows)
{
	if (!kernels->asks_ahead || kernels->features <= FEW_COLUMNS)
		return (struct asker){.rows = NULL};
	const size_t bytes = run_bytes(kernels), turns = bytes / ASKED_AT_ONCE, begun = (uintptr_t)rows % bytes;
	const size_t fours = fours_of(kernels);
	const size_t turn = begun * fours / ASKED_AT_ONCE + AHEAD_BYTES / (LANES * ASKED_AT_ONCE);
	const size_t runs = 1 + turn / turns / fours;
	return (struct asker){
	        .rows = rows - begun + runs * bytes + CACHE_LINE - 1,
	        .run_bytes = bytes,
	        .four = turn / turns % fours,
	        .at = turn % turns * ASKED_AT_ONCE,
	};
}

/*
 * So many bytes more, ASKED_AT_ONCE at most, of each of four columns have been summed. True if it is somebody's turn:
 * the *four's, for two lines from *lines on, but for a column's offset.
 */
INLINE bool asker_turn(struct asker *asker, size_t fours, size_t bytes, size_t *four, const unsigned char **lines)
{
	asker->owed += bytes;
	if (asker->owed < ASKED_AT_ONCE)
		return false;
	asker->owed -= ASKED_AT_ONCE;
	*four = asker->four;
	*lines = asker->rows + asker->at;
	asker->at += ASKED_AT_ONCE;
	if (asker->at < asker->run_bytes)
		return true;
	asker->at = 0;
	if (++asker->four < fours)
		return true;
	asker->four = 0;
	asker->rows += asker->run_bytes;
	return true;
}

INLINE void ask(const struct kernels *kernels, const struct leaf_rows *tile, struct asker *asker, size_t bytes)
{
	size_t four;
	const unsigned char *lines;
	if (asker->rows == NULL || !asker_turn(asker, fours_of(kernels), bytes, &four, &lines))
		return;
	const size_t last = kernels->features - LANES;
	const size_t *offsets = tile->offsets + (LANES * four < last ? LANES * four : last);
#pragma GCC unroll 8
	for (size_t i = 0; i < 2 * LANES; i++)
		__builtin_prefetch(lines + i / LANES * CACHE_LINE + offsets[i % LANES], 0, 2);
}

/* So many bytes of each column of a block have been summed: of twice four columns, or, of the last block, of once. */
INLINE void ask_for_block(
        const struct kernels *kernels, const struct leaf_rows *tile, struct asker *asker, size_t block, size_t bytes)
{
	ask(kernels, tile, asker, bytes);
	if (2 * block + 1 < fours_of(kernels))
		ask(kernels, tile, asker, bytes);
}

/* The target is asked for as it is summed, from its first such byte on. */
INLINE void ask_target(const struct asker *asker, const unsigned char *target)
{
	if (asker->rows != NULL)
		__builtin_prefetch(target + RUN_BYTES + CACHE_LINE - 1, 0, 2);
}

#endif
