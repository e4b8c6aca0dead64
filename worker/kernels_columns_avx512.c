#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/kernels_columns_ahead.h"
#include "worker/kernels_columns_pair.h"
#include "worker/kernels_habits.h"

#include <string.h>

/*
 * Wide rows in Fortran order: a vector is a column's numbers in two groups of rows.
 *
 * Up to 16 columns, eight rows of all of them stay in registers. Of more, AMD's processors go through a strip of 32
 * rows twice, and the second time it is in a cache: for the predictions, whose sums stay in registers, and for the
 * products. Intel's go by runs (kernels_column_runs_avx512.c), and leave what is behind them, and very many columns.
 *
 * While that is done, the memory is asked for what comes (kernels_columns_ahead.h).
 */
enum { STRIP_PAIRS = 4 };

_Static_assert(FEW_COLUMNS + 1 == KERNELS_RUN_FEATURES_FEWEST, "runs are of more columns than these");

/*
 * While 512 bytes of each column are read, the next are asked for: of four columns at a time, four lines of each with
 * one vector and four with the next. `near`: into the first-level cache.
 */
INLINE void few_ask(const unsigned char *const *columns, const unsigned char *target, size_t at, const size_t bytes,
        const bool near)
{
	enum { FEW_RUN_BYTES = 512, LINES = 4, STEP_BYTES = LINES * CACHE_LINE };
	const size_t step = at / bytes % (FEW_RUN_BYTES / bytes), begin = at - step * bytes;
	const size_t steps_of_four = FEW_RUN_BYTES / bytes / (FEW_COLUMNS / LANES);
	const size_t next = begin + FEW_RUN_BYTES + CACHE_LINE - 1 + step % 2 * STEP_BYTES;
	if (step % steps_of_four < 2) {
#pragma GCC unroll 16
		for (size_t i = 0; i < LINES * LANES; i++) {
			const unsigned char *column = columns[step / steps_of_four * LANES + i % LANES];
			if (near)
				__builtin_prefetch(column + next + i / LANES * CACHE_LINE, 0, 3);
			else
				__builtin_prefetch(column + next + i / LANES * CACHE_LINE, 0, 2);
		}
	}
	__builtin_prefetch(target + at + FEW_RUN_BYTES + CACHE_LINE - 1);
}

/* The columns' sums, to which the products of eight rows are added. */
INLINE void few_rows(const struct kernels *kernels, const unsigned char *const *columns, const size_t blocks,
        const unsigned char *target, size_t row, const __mmask8 there, const enum element_type element,
        const bool is_centred, struct pair_sums *row_sums, pair *sums)
{
	pair x[FEW_COLUMNS], of_rows[BLOCK] = {{0}};
#pragma GCC unroll 16
	for (size_t k = 0; k < BLOCK * blocks; k++) {
		x[k] = pair_of_rows(columns[k] + row, there, &kernels->centre[k], is_centred, element);
		of_rows[k % BLOCK] = pair_fused(pair_of_all(kernels->weights[k]), x[k], of_rows[k % BLOCK]);
	}
	const pair y = pair_of_some(target + row, there, element) - kernels->target_centre;
	const struct split e = split_of(pair_errors(kernels, predictions_of(kernels, of_rows), y, there, row_sums));
#pragma GCC unroll 2
	for (size_t i = 0; i < blocks; i++)
		sums[i] = add_products(sums[i], &e, x + BLOCK * i);
}

INLINE void few_columns(const struct kernels *kernels, const struct leaf_rows *tile, const size_t blocks,
        const enum element_type element, const bool near, const bool is_centred, struct pair_sums *row_sums)
{
	const size_t bytes = PAIR * element_bytes(element), full = tile->rows / PAIR * bytes;
	const unsigned char *at[FEW_COLUMNS], *target = tile->base + tile->offsets[kernels->features];
	pair sums[FEW_COLUMNS / BLOCK];
	places_of(kernels, tile, tile->base, 0, at);
	places_of(kernels, tile, tile->base, blocks - 1, at + BLOCK);
	memcpy(sums, kernels->sums, blocks * sizeof *sums);
	for (size_t row = 0; row < full; row += bytes) {
		few_rows(kernels, at, blocks, target, row, ALL_ROWS, element, is_centred, row_sums, sums);
		few_ask(at, target, row, bytes, near);
	}
	if (tile->rows % PAIR > 0)
		few_rows(kernels, at, blocks, target, full, rows_there(tile->rows % PAIR), element, is_centred,
		        row_sums, sums);
	memcpy(kernels->sums, sums, blocks * sizeof *sums);
}

/*
 * On Zen 4 (an AMD EPYC of family 25) 11 and 15 columns of f8 came to 0.95 of two processes that only read where they
 * were asked for into the second-level cache, and to 0.87 and 0.82 into the first. With 8 of them, with f4, and on an
 * Intel Xeon (family 6, model 207), it is the other way round: there 15 columns of f8 came to 0.75 and 0.95. On Zen 5
 * only the latter has been tried.
 */
INLINE bool few_near(const struct kernels *kernels, const enum element_type element)
{
	return kernel_habits[kernels->clone].asks_near || element == ELEMENT_F4 || kernels->blocks == 1;
}

INLINE void few_blocks(const struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element,
        const bool near, const bool is_centred, struct pair_sums *row_sums)
{
	if (kernels->blocks == 1)
		few_columns(kernels, tile, 1, element, near, is_centred, row_sums);
	else
		few_columns(kernels, tile, FEW_COLUMNS / BLOCK, element, near, is_centred, row_sums);
}

INLINE void few_columns_for(const struct kernels *kernels, const struct leaf_rows *tile,
        const enum element_type element, const bool near, struct pair_sums *row_sums)
{
	if (kernels->is_centred)
		few_blocks(kernels, tile, element, near, true, row_sums);
	else
		few_blocks(kernels, tile, element, near, false, row_sums);
}

/* Rows of a tile that are gone through together: some pairs of groups. */
struct strip {
	const unsigned char *rows; /* but for a column's offset */
	__mmask8 there;            /* which rows of each pair there are */
};

/*
 * What a strip of so many bytes has in the block that comes two later is brought on from the second-level cache into
 * the first: an epoch became faster by a twentieth. With the first blocks of the next strip, too, 31 columns came to
 * 0.57 of two processes that only read instead of 0.70.
 */
INLINE void ask_strip(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        size_t block, const size_t bytes)
{
	enum { BLOCKS_AHEAD = 2 };
	if (block + BLOCKS_AHEAD >= kernels->blocks)
		return;
	const size_t *offsets = tile->offsets + block_column(BLOCK * (block + BLOCKS_AHEAD), kernels->features);
#pragma GCC unroll 8
	for (size_t k = 0; k < BLOCK; k++)
#pragma GCC unroll 4
		for (size_t at = CACHE_LINE - 1; at < bytes; at += CACHE_LINE)
			__builtin_prefetch(strip->rows + offsets[k] + at);
}

/* Sums up the predictions, and makes of them what the pairs' features are multiplied with. */
INLINE void strip_errors(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t pairs, const enum element_type element, struct asker *asker, struct pair_sums *row_sums,
        struct split *e)
{
	const size_t bytes = PAIR * element_bytes(element), d = kernels->features;
	const unsigned char *target = strip->rows + tile->offsets[d];
	pair of_rows[STRIP_PAIRS][BLOCK] = {{{0}}};
	for (size_t block = 0; block < kernels->blocks; block++) {
		const size_t *offsets = tile->offsets + block_column(BLOCK * block, d);
#pragma GCC unroll 8
		for (size_t k = 0; k < BLOCK; k++) {
			const pair w = pair_of_all(kernels->weights[BLOCK * block + k]);
			const double *c = &kernels->centre[BLOCK * block + k];
			const unsigned char *at = strip->rows + offsets[k];
#pragma GCC unroll 4
			for (size_t p = 0; p < pairs; p++)
				of_rows[p][k] = pair_fused(
				        w, pair_of_rows(at + p * bytes, strip->there, c, true, element), of_rows[p][k]);
		}
		ask_for_block(kernels, tile, asker, block, pairs * bytes / 2);
		if (asker->rows != NULL)
			ask_strip(kernels, tile, strip, block, pairs * bytes);
	}
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++) {
		const pair y = pair_of_some(target + p * bytes, strip->there, element) - kernels->target_centre;
		e[p] = split_of(pair_errors(kernels, predictions_of(kernels, of_rows[p]), y, strip->there, row_sums));
		ask_target(asker, target + p * bytes);
	}
}

INLINE void block_products(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        size_t block, const size_t pairs, const enum element_type element, const struct split *e)
{
	const size_t bytes = PAIR * element_bytes(element);
	const unsigned char *at[BLOCK];
	pair sums = pair_at(kernels->sums + BLOCK * block);
	places_of(kernels, tile, strip->rows, block, at);
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++) {
		pair x[BLOCK];
#pragma GCC unroll 8
		for (size_t k = 0; k < BLOCK; k++)
			x[k] = pair_of_rows(
			        at[k] + p * bytes, strip->there, &kernels->centre[BLOCK * block + k], true, element);
		sums = add_products(sums, &e[p], x);
	}
	pair_store(kernels->sums + BLOCK * block, sums);
}

/* From the last column back to the first: the last ones are still in the first-level cache. */
INLINE void strip_products(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t pairs, const enum element_type element, struct asker *asker, const struct split *e)
{
	const size_t bytes = pairs * PAIR * element_bytes(element);
	for (size_t block = kernels->blocks; block-- > 0;) {
		block_products(kernels, tile, strip, block, pairs, element, e);
		ask_for_block(kernels, tile, asker, block, bytes / 2);
	}
}

INLINE void sum_strip(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t pairs, const enum element_type element, struct asker *asker, struct pair_sums *row_sums)
{
	struct split e[STRIP_PAIRS];
	strip_errors(kernels, tile, strip, pairs, element, asker, row_sums, e);
	strip_products(kernels, tile, strip, pairs, element, asker, e);
}

INLINE void many_columns(const struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element,
        struct pair_sums *row_sums)
{
	const size_t bytes = PAIR * element_bytes(element);
	struct strip strip = {.rows = tile->base, .there = ALL_ROWS};
	struct asker asker = asker_at(kernels, tile->base);
	size_t left = tile->rows;
	if (kernels->run_kept != NULL) /* these rows are less than a pair, and what comes is asked for with the runs */
		asker.rows = NULL;
	for (; left >= STRIP_PAIRS * PAIR; left -= STRIP_PAIRS * PAIR, strip.rows += STRIP_PAIRS * bytes)
		sum_strip(kernels, tile, &strip, STRIP_PAIRS, element, &asker, row_sums);
	for (; left >= PAIR; left -= PAIR, strip.rows += bytes)
		sum_strip(kernels, tile, &strip, 1, element, &asker, row_sums);
	strip.there = rows_there(left);
	if (left > 0)
		sum_strip(kernels, tile, &strip, 1, element, &asker, row_sums);
}

INLINE void columns_pairs(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	struct pair_sums sums = pair_sums_of(kernels);
	if (kernels->features > FEW_COLUMNS)
		many_columns(kernels, tile, element, &sums);
	else if (few_near(kernels, element))
		few_columns_for(kernels, tile, element, true, &sums);
	else
		few_columns_for(kernels, tile, element, false, &sums);
	pair_sums_store(kernels, &sums);
}

size_t kernels_sum_columns_avx512(struct kernels *kernels, const struct leaf_rows *tile)
{
	const size_t rows = kernels->run_kept != NULL ? kernels_sum_column_runs_avx512(kernels, tile) : 0;
	struct leaf_rows rest = *tile;
	rest.base += rows * tile->row_stride;
	rest.rows -= rows;
	if (rest.rows > 0 && tile->element == ELEMENT_F4)
		columns_pairs(kernels, &rest, ELEMENT_F4);
	else if (rest.rows > 0)
		columns_pairs(kernels, &rest, ELEMENT_F8);
	return tile->rows;
}

#endif
