#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/cache_line.h"
#include "worker/kernels_columns_pair.h"

#include <string.h>

/*
 * Wide rows in Fortran order, in runs of 64 rows, on Intel's processors: once through the columns, eight at a time,
 * for the products of one run and the predictions of the next, whose numbers are kept for its products. So the memory
 * is read evenly, while what was read before is in a cache. A leaf's last run goes together with the first of the leaf
 * that follows. What is no whole pair of groups is left to the strips (kernels_columns_avx512.c).
 *
 * On an Intel Xeon (family 6, model 207) epochs of 31, 63, 127, 255, 511 and 1000 columns of f8 came so to 1.08, 0.97,
 * 0.95, 0.79, 0.84 and 0.55 of two processes that only read, and in strips to 0.90, 0.66, 0.56, 0.49, 0.47 and 0.35.
 * Two things make the difference:
 *
 *   - Such a processor reads ahead for each load that goes from line to line in a loop, and for pages that are read
 *     from line to line, some tens of them at a time. A strip's loads are each of another column; processes that only
 *     read in that order came to 0.7, and in this one to 1.0 with 64 columns, whether they asked for lines or not.
 *   - Two sweeps one after the other, the second in a cache, come to 0.8 with 512 columns and no sums at all, because
 *     the memory rests during the second; one sweep over two runs to 0.9.
 *
 * To keep the numbers helps where columns begin at the same place of a page: of more than 512 the second-level cache
 * cannot have a line each. 1000 such columns came to 0.42 without it, 127 to 511 to as much with and without.
 *
 * Lines are asked for into the second-level cache, two times eight columns ahead. Once was worse by 0.02 to 0.05 with
 * 127 and 511 columns, four times by 0.06 to 0.15, eight times by 0.2 to 0.35, and nothing asked for by 0.3 to 0.6;
 * into the first-level cache, by 0.07 to 0.2. With runs of 32 rows 127 columns came to 0.68.
 */
enum { RUN_ROWS = KERNELS_RUN_ROWS, RUN_PAIRS = RUN_ROWS / PAIR, COLUMNS_AHEAD = 2 * PAIR };

struct run {
	const unsigned char *rows; /* but for a column's offset */
	size_t pairs;              /* of groups; 0: there is no run */
};

/* What is known of a run's rows: their predictions' sums, and then what each feature is multiplied with. */
struct run_rows {
	_Alignas(64) pair sums[RUN_PAIRS][LANES];
	pair e[RUN_PAIRS];
};

_Static_assert(sizeof(struct run_rows) == KERNELS_RUN_ROWS_BYTES, "what kernels_init makes room for");

/* Up to eight columns, for as many rows as there are in a run. */
struct part {
	const double *weights, *centre;
	pair *kept; /* of each pair of groups the columns' numbers, centred */
	const unsigned char *columns[PAIR];
	const unsigned char *ahead[PAIR]; /* what is asked for meanwhile */
	bool asks;
};

INLINE struct part part_of(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        size_t column, const size_t columns, const size_t bytes)
{
	struct part part = {
	        .weights = kernels->weights + column,
	        .centre = kernels->centre + column,
	        .kept = (pair *)kernels->run_kept + column * RUN_PAIRS,
	        .asks = kernels->asks_ahead,
	};
	const size_t all = (LANES * kernels->blocks + PAIR - 1) / PAIR * PAIR;
	const bool is_behind = column + COLUMNS_AHEAD >= all; /* of the rows that follow the run */
	const unsigned char *rows = run->rows + CACHE_LINE - 1 + (is_behind ? run->pairs * bytes : 0);
	places_of(kernels, tile, run->rows, column, columns, part.columns);
	places_of(kernels, tile, rows, column + COLUMNS_AHEAD - (is_behind ? all : 0), PAIR, part.ahead);
	return part;
}

/* Adds up the products of a pair of groups whose numbers have been kept. */
INLINE pair run_products(const struct part *part, const struct run_rows *of, size_t p, const size_t columns, pair sums)
{
	pair x[PAIR];
#pragma GCC unroll 8
	for (size_t k = 0; k < columns; k++)
		x[k] = of->e[p] * part->kept[p * columns + k];
	return add_products(sums, x, columns);
}

INLINE void run_predictions(
        const struct part *part, struct run_rows *of, size_t p, const size_t columns, const enum element_type element)
{
	const size_t row = p * PAIR * element_bytes(element);
	pair sums[LANES];
#pragma GCC unroll 4
	for (size_t k = 0; k < LANES; k++)
		sums[k] = of->sums[p][k];
#pragma GCC unroll 8
	for (size_t k = 0; k < columns; k++) {
		const pair x = pair_of_rows(part->columns[k] + row, ALL_ROWS, pair_of_all(part->centre[k]), element);
		part->kept[p * columns + k] = x;
		sums[k % LANES] += pair_of_all(part->weights[k]) * x;
	}
#pragma GCC unroll 4
	for (size_t k = 0; k < LANES; k++)
		of->sums[p][k] = sums[k];
	if (!part->asks || row % CACHE_LINE != 0)
		return;
#pragma GCC unroll 8
	for (size_t k = 0; k < PAIR; k++)
		__builtin_prefetch(part->ahead[k] + row, 0, 2);
}

/* Of some columns the products of the first run, and the predictions of the second; either may have no rows. */
INLINE void part_work(const struct kernels *kernels, const struct leaf_rows *tile, size_t products,
        const struct run *predicted, struct run_rows *of, size_t column, const size_t columns,
        const enum element_type element)
{
	const struct part part = part_of(kernels, tile, predicted, column, columns, PAIR * element_bytes(element));
	const size_t both = products < predicted->pairs ? products : predicted->pairs;
	pair sums = sums_at(kernels->sums + column, columns);
	size_t p = 0;
	for (; p < both; p++) {
		sums = run_products(&part, of, p, columns, sums);
		run_predictions(&part, of, p, columns, element);
	}
	for (size_t rest = p; rest < products; rest++)
		sums = run_products(&part, of, rest, columns, sums);
	for (; p < predicted->pairs; p++)
		run_predictions(&part, of, p, columns, element);
	sums_store(kernels->sums + column, sums, columns);
}

INLINE void run_work(const struct kernels *kernels, const struct leaf_rows *tile, size_t products,
        const struct run *predicted, const enum element_type element)
{
	const size_t columns = LANES * kernels->blocks, in_pairs = columns / PAIR * PAIR;
	struct run_rows *of = (struct run_rows *)kernels->run;
	memset(of->sums, 0, sizeof of->sums);
	for (size_t column = 0; column < in_pairs; column += PAIR)
		part_work(kernels, tile, products, predicted, of, column, PAIR, element);
	if (in_pairs < columns)
		part_work(kernels, tile, products, predicted, of, in_pairs, LANES, element);
}

INLINE void run_errors(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        const enum element_type element, struct row_sums *row_sums)
{
	const size_t bytes = PAIR * element_bytes(element);
	const unsigned char *target = run->rows + tile->offsets[kernels->features];
	struct run_rows *of = (struct run_rows *)kernels->run;
	for (size_t p = 0; p < run->pairs; p++) {
		const pair y =
		        pair_of_rows(target + p * bytes, ALL_ROWS, pair_of_all(-kernels->target_centre), element);
		of->e[p] = pair_error(kernels, of->sums[p], y, ALL_ROWS);
		add_pair(deviates(kernels), of->e[p], y, row_sums);
		if (kernels->asks_ahead)
			__builtin_prefetch(target + (p + run->pairs) * bytes + CACHE_LINE - 1, 0, 2);
	}
}

/* The run that begins with a row of the tile, or, where the tile has no pair left, with the rows that follow it. */
static struct run run_at(const struct leaf_rows *tile, size_t row)
{
	const size_t pairs = (tile->rows - row) / PAIR;
	if (pairs > 0)
		return (struct run){tile->base + row * tile->row_stride, pairs < RUN_PAIRS ? pairs : RUN_PAIRS};
	if (tile->following < RUN_ROWS)
		return (struct run){tile->base, 0};
	return (struct run){tile->base + tile->rows * tile->row_stride, RUN_PAIRS};
}

/* There is at least one pair. */
INLINE void runs_of(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	struct run run = run_at(tile, 0);
	if (kernels->predicted != tile->base)
		run_work(kernels, tile, 0, &run, element);
	for (size_t row = 0; tile->rows - row >= PAIR;) {
		run_errors(kernels, tile, &run, element, &sums);
		row += run.pairs * PAIR;
		const size_t products = run.pairs;
		run = run_at(tile, row);
		run_work(kernels, tile, products, &run, element);
	}
	kernels->predicted_next = run.pairs > 0 ? run.rows : NULL;
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
}

size_t kernels_sum_column_runs_avx512(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->rows < PAIR)
		return 0;
	if (tile->element == ELEMENT_F4)
		runs_of(kernels, tile, ELEMENT_F4);
	else
		runs_of(kernels, tile, ELEMENT_F8);
	return tile->rows / PAIR * PAIR;
}

#endif
