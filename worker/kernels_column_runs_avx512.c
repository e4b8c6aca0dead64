#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/cache_line.h"
#include "worker/kernels_columns_pair.h"

#include <string.h>

/*
 * Wide rows in Fortran order, in runs of at most 64, on Intel's processors: once through the columns, eight at a time,
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
 * Lines are asked for into the second-level cache, two times eight columns ahead (of runs of 64 rows). Once was worse
 * by 0.02 to 0.05 with 127 and 511 columns, four times by 0.06 to 0.15, eight times by 0.2 to 0.35, and nothing asked
 * for by 0.3 to 0.6; into the first-level cache, by 0.07 to 0.2.
 */
enum { RUN_PAIRS = KERNELS_RUN_ROWS / PAIR };

/*
 * How many pairs of groups a run has, and how many blocks ahead is asked for. From pages of 2 MiB (the figures above
 * are from those of 4 KiB) f8 is faster where what is kept of a run is at home in the first-level cache. With 40, 56
 * and 63 columns, runs of 32 rows came to 0.93, 0.91 and 0.87 of two processes that only read, and of 64 to 0.80, 0.76
 * and 0.75; with 72, 80 and 96, runs of 24 rows to 0.90, 0.88 and 0.81, and of 64 to 0.77, 0.71 and 0.74. With 24 and
 * 31 columns, 32 rows came to up to 0.05 more, and to as much with 17; in a cache they cost 0.02 to 0.04 there. With
 * 112 columns 24 rows came to 0.70 and 0.72, and 64 to 0.74 and 0.65; from 120 on, and with f4, short runs came to no
 * more. 16 rows were no better than 24, and with 127 columns worse by a tenth. What is asked for is about 4 KiB ahead
 * of short runs, and 8 of long ones.
 */
struct shape {
	size_t pairs, blocks_ahead;
};

INLINE struct shape shape_of(const struct kernels *kernels, const enum element_type element)
{
	enum { SHORT_BLOCKS = 8, SHORTER_BLOCKS = 13 };
	if (element == ELEMENT_F8 && kernels->blocks <= SHORT_BLOCKS)
		return (struct shape){.pairs = 32 / PAIR, .blocks_ahead = 2};
	if (element == ELEMENT_F8 && kernels->blocks <= SHORTER_BLOCKS)
		return (struct shape){.pairs = 24 / PAIR, .blocks_ahead = 3};
	return (struct shape){.pairs = RUN_PAIRS, .blocks_ahead = 2};
}

_Static_assert(KERNELS_RUN_FEATURES_FEWEST > 2 * BLOCK, "two blocks ahead are of this run or of the next");

struct run {
	const unsigned char *rows; /* but for a column's offset */
	size_t pairs;              /* of groups; 0: there is no run */
};

/* What is known of a run's rows: their predictions' sums, and then what each feature is multiplied with. */
struct run_rows {
	_Alignas(64) pair sums[RUN_PAIRS][BLOCK];
	pair e[RUN_PAIRS];
};

_Static_assert(sizeof(struct run_rows) == KERNELS_RUN_ROWS_BYTES, "what kernels_init makes room for");

/* A block's columns, for as many rows as there are in a run. */
struct part {
	const double *weights, *centre;
	pair *kept; /* of each pair of groups the columns' numbers, centred */
	const unsigned char *columns[PAIR];
	const unsigned char *ahead[PAIR]; /* what is asked for meanwhile */
	bool asks, is_centred;
};

INLINE struct part part_of(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        size_t block, const enum element_type element, const bool is_centred)
{
	const struct shape shape = shape_of(kernels, element);
	struct part part = {
	        .weights = kernels->weights + BLOCK * block,
	        .centre = kernels->centre + BLOCK * block,
	        .kept = (pair *)kernels->run_kept + BLOCK * block * shape.pairs,
	        .asks = kernels->asks_ahead,
	        .is_centred = is_centred,
	};
	const bool is_behind = block + shape.blocks_ahead >= kernels->blocks; /* of the rows that follow the run */
	const size_t behind = is_behind ? run->pairs * PAIR * element_bytes(element) : 0;
	const unsigned char *rows = run->rows + CACHE_LINE - 1 + behind;
	places_of(kernels, tile, run->rows, block, part.columns);
	places_of(kernels, tile, rows, block + shape.blocks_ahead - (is_behind ? kernels->blocks : 0), part.ahead);
	return part;
}

/* Adds up the products of a pair of groups whose numbers have been kept. */
INLINE pair run_products(const struct part *part, const struct run_rows *of, size_t p, pair sums)
{
	const struct split e = split_of(of->e[p]);
	return add_products(sums, &e, part->kept + p * BLOCK);
}

INLINE void run_predictions(const struct part *part, struct run_rows *of, size_t p, const enum element_type element)
{
	const size_t row = p * PAIR * element_bytes(element);
	pair sums[BLOCK];
	memcpy(sums, of->sums[p], sizeof sums);
#pragma GCC unroll 8
	for (size_t k = 0; k < BLOCK; k++) {
		const pair x =
		        pair_of_rows(part->columns[k] + row, ALL_ROWS, &part->centre[k], part->is_centred, element);
		part->kept[p * BLOCK + k] = x;
		sums[k] = pair_fused(pair_of_all(part->weights[k]), x, sums[k]);
	}
	memcpy(of->sums[p], sums, sizeof sums);
	if (!part->asks || row % CACHE_LINE != 0)
		return;
#pragma GCC unroll 8
	for (size_t k = 0; k < BLOCK; k++)
		__builtin_prefetch(part->ahead[k] + row, 0, 2);
}

/* Of a block the products of the first run, and the predictions of the second; either may have no rows. */
INLINE void block_work(const struct kernels *kernels, const struct leaf_rows *tile, size_t products,
        const struct run *predicted, struct run_rows *of, size_t block, const enum element_type element,
        const bool is_centred)
{
	const struct part part = part_of(kernels, tile, predicted, block, element, is_centred);
	const size_t both = products < predicted->pairs ? products : predicted->pairs;
	pair sums = pair_at(kernels->sums + BLOCK * block);
	size_t p = 0;
	for (; p < both; p++) {
		sums = run_products(&part, of, p, sums);
		run_predictions(&part, of, p, element);
	}
	for (size_t rest = p; rest < products; rest++)
		sums = run_products(&part, of, rest, sums);
	for (; p < predicted->pairs; p++)
		run_predictions(&part, of, p, element);
	pair_store(kernels->sums + BLOCK * block, sums);
}

INLINE void run_work(const struct kernels *kernels, const struct leaf_rows *tile, size_t products,
        const struct run *predicted, const enum element_type element, const bool is_centred)
{
	struct run_rows *of = (struct run_rows *)kernels->run;
	memset(of->sums, 0, predicted->pairs * sizeof *of->sums);
	for (size_t block = 0; block < kernels->blocks; block++)
		block_work(kernels, tile, products, predicted, of, block, element, is_centred);
}

INLINE void run_errors(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        const enum element_type element, struct pair_sums *row_sums)
{
	const size_t bytes = PAIR * element_bytes(element);
	const unsigned char *target = run->rows + tile->offsets[kernels->features];
	struct run_rows *of = (struct run_rows *)kernels->run;
	for (size_t p = 0; p < run->pairs; p++) {
		const pair y = pair_of_elements(target + p * bytes, element) - kernels->target_centre;
		of->e[p] = pair_errors(kernels, predictions_of(kernels, of->sums[p]), y, ALL_ROWS, row_sums);
		if (kernels->asks_ahead)
			__builtin_prefetch(target + (p + run->pairs) * bytes + CACHE_LINE - 1, 0, 2);
	}
}

/* The run that begins with a row of the tile, or, where the tile has no pair left, with the rows that follow it. */
static struct run run_at(const struct leaf_rows *tile, size_t row, size_t longest_pairs)
{
	const size_t pairs = (tile->rows - row) / PAIR;
	if (pairs > 0)
		return (struct run){tile->base + row * tile->row_stride, pairs < longest_pairs ? pairs : longest_pairs};
	if (tile->following < longest_pairs * PAIR)
		return (struct run){tile->base, 0};
	return (struct run){tile->base + tile->rows * tile->row_stride, longest_pairs};
}

/* There is at least one pair. */
INLINE void runs_of(
        struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element, const bool is_centred)
{
	const size_t longest_pairs = shape_of(kernels, element).pairs;
	struct pair_sums sums = pair_sums_of(kernels);
	struct run run = run_at(tile, 0, longest_pairs);
	if (kernels->predicted != tile->base)
		run_work(kernels, tile, 0, &run, element, is_centred);
	for (size_t row = 0; tile->rows - row >= PAIR;) {
		run_errors(kernels, tile, &run, element, &sums);
		row += run.pairs * PAIR;
		const size_t products = run.pairs;
		run = run_at(tile, row, longest_pairs);
		run_work(kernels, tile, products, &run, element, is_centred);
	}
	kernels->predicted_next = run.pairs > 0 ? run.rows : NULL;
	pair_sums_store(kernels, &sums);
}

INLINE void runs_of_element(struct kernels *kernels, const struct leaf_rows *tile, const bool is_centred)
{
	if (tile->element == ELEMENT_F4)
		runs_of(kernels, tile, ELEMENT_F4, is_centred);
	else
		runs_of(kernels, tile, ELEMENT_F8, is_centred);
}

size_t kernels_sum_column_runs_avx512(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->rows < PAIR)
		return 0;
	if (kernels->is_centred)
		runs_of_element(kernels, tile, true);
	else
		runs_of_element(kernels, tile, false);
	return tile->rows / PAIR * PAIR;
}

#endif
