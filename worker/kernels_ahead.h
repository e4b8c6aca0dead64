/*
 * Rows are asked of the memory before they are summed: in blocks, into the second-level cache, and of that again, into
 * the first-level cache; or, by the clone for Zen 5, straight on into the latter. In Fortran order it is otherwise
 * (kernels_columns_ahead.h). Only the kernels include this.
 *
 * A processor by itself reads ahead of a program that goes from one address to the next, but not far enough: on an AMD
 * EPYC (family 25) two processes that only read came to 0.75 of what they did when each read in four places at once
 * with prefetches. Asked for in this way, a block ahead, rows that are read straight on arrive as fast as that. With
 * one run to a block it was as if nothing had been asked.
 *
 * Which is the better way for the AVX-512 clones depends on the processor. Of what two processes get that only read, an
 * epoch of f8 with 127 columns came to
 *
 *                                            in blocks   straight on   not asked for
 *     AMD EPYC (family 25, model 17)            0.98         0.41          0.31
 *     AMD EPYC (family 26, model 2)             0.71         0.81          0.61
 *     Intel Xeon (family 6, model 207)          0.94         0.76          0.46     (blocks of 128 KiB)
 *
 * On the first it matters that one line is asked for at a time (four at a time came to 0.86), that it is asked for 6
 * KiB ahead into the first-level cache (4 KiB were worse by up to a tenth, 8 by up to 0.07, 12 and 16 by more), and
 * that a block has eight runs (four were worse by 0.05); blocks of 64 to 256 KiB were as good. All f8 from d = 1 to 127
 * came so to 0.90 to 0.99. On the Xeon four lines at a time came to 0.02 to 0.06 more than one. There, while the memory
 * gave steadily 23 to 26 GB/s, blocks of 64 KiB in four runs came to 0.97 with 1 to 127 columns of f8, on average, and
 * those of 128 in eight to 0.94; with f4 it was 0.87 and 0.84. 16 and 32 KiB in four or eight runs were as good as 64,
 * but not in two (0.70 to 0.96); nor was 8 KiB ahead instead of 4 any better, and 2 and none were worse. On the EPYC of
 * family 26 only one line at a time has been tried, in four runs, with 4 KiB.
 */
#ifndef FORKFIT_WORKER_KERNELS_AHEAD_H
#define FORKFIT_WORKER_KERNELS_AHEAD_H

#include "worker/cache_line.h"
#include "worker/kernels.h"
#include "worker/kernels_habits.h"
#include "worker/kernels_lanes.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * So many bytes of a pass are in a cache when the next begins, and are not asked for: with 0.5 and 1 MB a pass was
 * faster by a tenth and by a third, with 4 MB it was the same, and with 16 MB slower by a tenth.
 */
enum { AHEAD_NOT_OF = 2 << 20 };

INLINE size_t ahead_block(const enum asks asks)
{
	return asks == ASKS_BY_FOUR ? 65536 : 131072;
}

INLINE size_t ahead_runs(const enum asks asks)
{
	return asks == ASKS_BY_FOUR ? 4 : 8;
}

INLINE size_t ahead_run(const enum asks asks)
{
	return ahead_block(asks) / ahead_runs(asks);
}

/*
 * The line of the next block that is asked for when that of `at` is read. Each line has one, whatever the order of the
 * reads: some runs go through a block at once, each through its part of it.
 */
INLINE const unsigned char *line_ahead(const enum asks asks, const unsigned char *at)
{
	uintptr_t next = (uintptr_t)at + ahead_block(asks), block = next & ~(uintptr_t)(ahead_block(asks) - 1);
	uintptr_t line = (next - block) / CACHE_LINE, run = line % ahead_runs(asks);
	return (const unsigned char *)(block + run * ahead_run(asks) + line / ahead_runs(asks) * CACHE_LINE);
}

/*
 * For `lines` lines, 1, 2 or 4, that are read one after the other: those of the group of so many that `at` lies in.
 * They have theirs at the same place of as many runs, so that it is worked out once.
 */
INLINE void ask_ahead(const enum asks asks, const unsigned char *at, const size_t lines)
{
	const uintptr_t group = lines * CACHE_LINE;
	const unsigned char *line = line_ahead(asks, (const unsigned char *)((uintptr_t)at & ~(group - 1)));
#pragma GCC unroll 4
	for (size_t i = 0; i < lines; i++)
		__builtin_prefetch(line + i * ahead_run(asks), 0, 2);
}

/* Into the first-level cache, whose own way of reading ahead is confused by four rows at a time. */
INLINE void ask_near(const unsigned char *at, const size_t lines)
{
#pragma GCC unroll 4
	for (size_t i = 0; i < lines; i++)
		__builtin_prefetch(at + i * CACHE_LINE, 0, 3);
}

/*
 * On the EPYC of family 26 4 and 16 KiB were up to a tenth slower with 127 columns; with narrow rows 16 were as good,
 * and the second-level cache was worse.
 */
enum { STRAIGHT_BYTES = 8192 };

INLINE void ask_straight(const unsigned char *at)
{
	__builtin_prefetch(at + STRAIGHT_BYTES, 0, 3);
}

/* The lines ahead of some bytes that are read. Not unrolled: of what is asked for in a burst more is dropped. */
INLINE void ask_lines_straight(const enum asks asks, const unsigned char *at, size_t bytes)
{
	if (asks != ASKS_NOTHING)
		for (size_t i = 0; i < bytes; i += CACHE_LINE)
			ask_straight(at + i);
}

/* In blocks, `lines` at a time, and so many bytes ahead into the first-level cache; 0: not there. */
INLINE void ask_in_blocks(
        const enum asks asks, const unsigned char *at, size_t bytes, const size_t lines, const size_t near)
{
	for (size_t i = 0; i < bytes; i += lines * CACHE_LINE) {
		ask_ahead(asks, at + i, lines);
		if (near > 0)
			ask_near(at + i + near, lines);
	}
}

/* The lines ahead of some bytes that are read, by whatever clone; `lines` at a time, if it asks for more than one. */
INLINE void ask_lines(const enum asks asks, const unsigned char *at, size_t bytes, const size_t lines)
{
	if (asks == ASKS_BY_ONE)
		ask_in_blocks(ASKS_BY_ONE, at, bytes, 1, 6144);
	else if (asks == ASKS_BY_FOUR)
		ask_in_blocks(ASKS_BY_FOUR, at, bytes, lines, 4096);
	else
		ask_lines_straight(asks, at, bytes);
}

/*
 * The lines ahead of some bytes of a group of four rows, which are read side by side: `at` counts from the group's
 * begin on, and the same part of each row is read now. Where the next group has no room in the first-level cache
 * beside this one, what is near is asked for in each of its rows. On an AMD EPYC (family 25) an epoch of 511, 767 and
 * 1000 columns of f8 came so to 0.88, 0.89 and 0.84 of two processes that only read, instead of 0.65, 0.61 and 0.66;
 * 1024 and 2048 bytes were as good, 3072 were worse. On an Intel Xeon (family 6, model 207) 511, 767 and 1000 columns
 * came to 0.83, 0.71 and 0.70 instead of 0.63, 0.56 and 0.52, some of it because arrays no longer alias (kernels.c);
 * without the blocks 511 of f8 gained 0.03, and all else lost as much.
 */
INLINE void ask_group(const enum asks asks, const unsigned char *group, size_t row_stride, size_t at, size_t bytes,
        const size_t lines)
{
	enum { LONG_GROUP = 8192, NEAR_IN_ROW = 1536 };
	const size_t in_row = at / LANES, near = in_row + NEAR_IN_ROW;
	if (LANES * row_stride <= LONG_GROUP || asks < ASKS_BY_ONE) {
		ask_lines(asks, group + at, bytes, lines);
		return;
	}
	if (asks == ASKS_BY_ONE)
		ask_in_blocks(ASKS_BY_ONE, group + at, bytes, 1, 0);
	else
		ask_in_blocks(ASKS_BY_FOUR, group + at, bytes, lines, 0);
	if (in_row % CACHE_LINE != 0) /* somebody has asked for that line already */
		return;
	group += near < row_stride ? near : near + (LANES - 1) * row_stride;
#pragma GCC unroll 4
	for (size_t i = 0; i < LANES; i++)
		ask_near(group + i * row_stride, 1);
}

#endif
