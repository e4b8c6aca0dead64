#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/kernels_columns_ahead.h"
#include "worker/kernels_columns_pair.h"

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

/* Which rows of a pair there are if these are left of the tile. */
INLINE __mmask8 rows_there(size_t left)
{
	return (__mmask8)(left < PAIR ? (1U << left) - 1 : ALL_ROWS);
}

/* So few columns that eight rows of all of them are in registers, as are the columns' sums. */
enum { FEW_COLUMNS = FEW_BLOCKS * LANES };

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
	const size_t steps_of_block = FEW_RUN_BYTES / bytes / FEW_BLOCKS;
	const size_t next = begin + FEW_RUN_BYTES + CACHE_LINE - 1 + step % 2 * STEP_BYTES;
	if (step % steps_of_block < 2) {
#pragma GCC unroll 16
		for (size_t i = 0; i < LINES * LANES; i++) {
			const unsigned char *column = columns[step / steps_of_block * LANES + i % LANES];
			if (near)
				__builtin_prefetch(column + next + i / LANES * CACHE_LINE, 0, 3);
			else
				__builtin_prefetch(column + next + i / LANES * CACHE_LINE, 0, 2);
		}
	}
	__builtin_prefetch(target + at + FEW_RUN_BYTES + CACHE_LINE - 1);
}

/* The columns' sums, to which the products of a pair's rows are added. */
INLINE void few_rows(const struct kernels *kernels, const unsigned char *const *columns, const size_t count,
        const unsigned char *target, size_t row, const __mmask8 there, const enum element_type element,
        struct row_sums *row_sums, pair *sums)
{
	pair x[FEW_COLUMNS], of_rows[LANES] = {{0}};
#pragma GCC unroll 16
	for (size_t k = 0; k < count; k++) {
		x[k] = pair_of_rows(columns[k] + row, there, pair_of_all(kernels->centre[k]), element);
		of_rows[k % LANES] += pair_of_all(kernels->weights[k]) * x[k];
	}
	const pair y = pair_of_rows(target + row, there, pair_of_all(-kernels->target_centre), element);
	const pair e = pair_error(kernels, of_rows, y, there);
	add_pair(deviates(kernels), e, y, row_sums);
#pragma GCC unroll 16
	for (size_t k = 0; k < count; k++)
		x[k] *= e;
	sums[0] = add_products(sums[0], x, PAIR);
	if (count > PAIR)
		sums[1] = add_products(sums[1], x + PAIR, count - PAIR);
}

INLINE void few_columns(const struct kernels *kernels, const struct leaf_rows *tile, const size_t blocks,
        const enum element_type element, const bool near, struct row_sums *row_sums)
{
	const size_t columns = LANES * blocks, behind = columns - PAIR, bytes = PAIR * element_bytes(element);
	const size_t full = tile->rows / PAIR * bytes;
	const unsigned char *at[FEW_COLUMNS], *target = tile->base + tile->offsets[kernels->features];
	pair sums[2] = {pair_at(kernels->sums), {0}};
	places_of(kernels, tile, tile->base, 0, PAIR, at);
	places_of(kernels, tile, tile->base, PAIR, behind, at + PAIR);
	for (size_t k = columns; k < FEW_COLUMNS; k++)
		at[k] = at[k - columns];
	if (behind > 0)
		sums[1] = sums_at(kernels->sums + PAIR, behind);
	for (size_t row = 0; row < full; row += bytes) {
		few_rows(kernels, at, columns, target, row, ALL_ROWS, element, row_sums, sums);
		few_ask(at, target, row, bytes, near);
	}
	if (tile->rows % PAIR > 0)
		few_rows(kernels, at, columns, target, full, rows_there(tile->rows % PAIR), element, row_sums, sums);
	pair_store(kernels->sums, sums[0]);
	if (behind > 0)
		sums_store(kernels->sums + PAIR, sums[1], behind);
}

/*
 * On Zen 4 (an AMD EPYC of family 25) 11 and 15 columns of f8 came to 0.95 of two processes that only read where they
 * were asked for into the second-level cache, and to 0.87 and 0.82 into the first. With 8 of them, with f4, and on an
 * Intel Xeon (family 6, model 207), it is the other way round: there 15 columns of f8 came to 0.75 and 0.95. On Zen 5
 * only the latter has been tried.
 */
INLINE bool few_near(const struct kernels *kernels, const enum element_type element)
{
	return kernels->clone != CLONE_AVX512_ZEN4 || element == ELEMENT_F4 || kernels->blocks == 2;
}

INLINE void few_columns_for(const struct kernels *kernels, const struct leaf_rows *tile,
        const enum element_type element, const bool near, struct row_sums *row_sums)
{
	if (kernels->blocks == 2)
		few_columns(kernels, tile, 2, element, near, row_sums);
	else if (kernels->blocks == 3)
		few_columns(kernels, tile, 3, element, near, row_sums);
	else
		few_columns(kernels, tile, FEW_BLOCKS, element, near, row_sums);
}

/* Rows of a tile that are gone through together: some pairs of groups. */
struct strip {
	const unsigned char *rows; /* but for a column's offset */
	__mmask8 there;            /* which rows of each pair there are */
};

/*
 * What a strip of so many bytes has in the block that comes four later is brought on from the second-level cache into
 * the first: an epoch became faster by a twentieth. With the first four blocks of the next strip, too, 31 columns came
 * to 0.57 of two processes that only read instead of 0.70.
 */
INLINE void ask_strip(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        size_t block, const size_t bytes)
{
	enum { BLOCKS_AHEAD = 4 };
	if (block + BLOCKS_AHEAD >= kernels->blocks)
		return;
	const size_t *offsets = tile->offsets + block_column(LANES * (block + BLOCKS_AHEAD), kernels->features);
#pragma GCC unroll 4
	for (size_t k = 0; k < LANES; k++)
#pragma GCC unroll 4
		for (size_t at = CACHE_LINE - 1; at < bytes; at += CACHE_LINE)
			__builtin_prefetch(strip->rows + offsets[k] + at);
}

/* Sums up the predictions, and makes of them what the pairs' features are multiplied with. */
INLINE void strip_errors(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t pairs, const enum element_type element, struct asker *asker, struct row_sums *row_sums, pair *e)
{
	const size_t bytes = PAIR * element_bytes(element), d = kernels->features;
	const unsigned char *target = strip->rows + tile->offsets[d];
	pair of_rows[STRIP_PAIRS][LANES] = {{{0}}};
	for (size_t block = 0; block < kernels->blocks; block++) {
		const size_t *offsets = tile->offsets + block_column(LANES * block, d);
#pragma GCC unroll 4
		for (size_t k = 0; k < LANES; k++) {
			const pair w = pair_of_all(kernels->weights[LANES * block + k]);
			const pair c = pair_of_all(kernels->centre[LANES * block + k]);
			const unsigned char *at = strip->rows + offsets[k];
#pragma GCC unroll 4
			for (size_t p = 0; p < pairs; p++)
				of_rows[p][k] += w * pair_of_rows(at + p * bytes, strip->there, c, element);
		}
		ask(kernels, tile, asker, pairs * bytes / 2);
		if (asker->rows != NULL)
			ask_strip(kernels, tile, strip, block, pairs * bytes);
	}
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++) {
		const pair y =
		        pair_of_rows(target + p * bytes, strip->there, pair_of_all(-kernels->target_centre), element);
		e[p] = pair_error(kernels, of_rows[p], y, strip->there);
		add_pair(deviates(kernels), e[p], y, row_sums);
		ask_target(asker, target + p * bytes);
	}
}

INLINE void block_products(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        size_t column, const size_t columns, const size_t pairs, const enum element_type element, const pair *e)
{
	const size_t bytes = PAIR * element_bytes(element);
	const unsigned char *at[PAIR];
	pair sums = sums_at(kernels->sums + column, columns);
	places_of(kernels, tile, strip->rows, column, columns, at);
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++) {
		pair x[PAIR];
#pragma GCC unroll 8
		for (size_t k = 0; k < columns; k++)
			x[k] = e[p] * pair_of_rows(at[k] + p * bytes, strip->there,
			                      pair_of_all(kernels->centre[column + k]), element);
		sums = add_products(sums, x, columns);
	}
	sums_store(kernels->sums + column, sums, columns);
}

/* From the last column back to the first: the last ones are still in the first-level cache. */
INLINE void strip_products(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t pairs, const enum element_type element, struct asker *asker, const pair *e)
{
	const size_t columns = LANES * kernels->blocks, in_pairs = columns / PAIR * PAIR;
	const size_t bytes = pairs * PAIR * element_bytes(element);
	if (in_pairs < columns) {
		block_products(kernels, tile, strip, in_pairs, LANES, pairs, element, e);
		ask(kernels, tile, asker, bytes / 2);
	}
	for (size_t column = in_pairs; column > 0; column -= PAIR) {
		block_products(kernels, tile, strip, column - PAIR, PAIR, pairs, element, e);
		ask(kernels, tile, asker, bytes / 2);
		ask(kernels, tile, asker, bytes / 2);
	}
}

INLINE void sum_strip(const struct kernels *kernels, const struct leaf_rows *tile, const struct strip *strip,
        const size_t pairs, const enum element_type element, struct asker *asker, struct row_sums *row_sums)
{
	pair e[STRIP_PAIRS];
	strip_errors(kernels, tile, strip, pairs, element, asker, row_sums, e);
	strip_products(kernels, tile, strip, pairs, element, asker, e);
}

INLINE void many_columns(const struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element,
        struct row_sums *row_sums)
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
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	if (kernels->blocks > FEW_BLOCKS)
		many_columns(kernels, tile, element, &sums);
	else if (few_near(kernels, element))
		few_columns_for(kernels, tile, element, true, &sums);
	else
		few_columns_for(kernels, tile, element, false, &sums);
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
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
