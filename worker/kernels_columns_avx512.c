#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/kernels_pair.h"
#include "worker/kernels_shared.h"

/*
 * Wide rows in Fortran order: a vector is a column's numbers in two groups of rows.
 *
 * Memory answers best when it is asked for runs of 512 bytes or more of four columns at a time, and when it always has
 * something to do. So both the sweep for the predictions and the one for the products ask for lines, four of them for
 * eight that they read, and thereby for all of the run that follows. Up to 64 columns a run of 512 bytes stays in the
 * first-level cache between the two; of more, runs of 1 KiB were faster by a tenth. 64 bytes of each column in turn
 * came to 0.2 to 0.5 of what two processes that only read straight on get from the memory, 512 bytes to 0.9 with 16 to
 * 64 columns, to 0.8 with 128, and to 0.65 with 1001, likewise without any sums.
 */
enum {
	NEAR_COLUMNS = 64,
	NEAR_RUN_BYTES = 512,
	FAR_RUN_BYTES = KERNELS_ROWS_TOGETHER * sizeof(float),
	TOGETHER_BYTES = 524288, /* of all columns: half the second-level cache of the processors that have AVX-512 */
	FEWEST_PAIRS = 4,
	AHEAD_BLOCKS = 2 /* with one, or more than four, a twentieth was lost */
};

/* A run of each column. */
struct run {
	const unsigned char *rows; /* but for a column's offset */
	size_t pairs;              /* of groups */
	size_t bytes;              /* of a column */
	__mmask8 last;             /* which rows of the last pair there are */
};

enum { ALL_ROWS = 0xff, FIRST_GROUP = 0x0f };

/* Which rows of a pair there are if these are left of the tile. */
INLINE __mmask8 rows_there(size_t left)
{
	return (__mmask8)(left < PAIR ? (1U << left) - 1 : ALL_ROWS);
}

/* A column's numbers in a pair's rows, centred; 0 in those that there are not. */
INLINE pair pair_of_rows(const unsigned char *at, const __mmask8 there, pair c, const enum element_type element)
{
	if (there == ALL_ROWS)
		return pair_of_elements(at, element) + c;
	if (element == ELEMENT_F8)
		return (pair)_mm512_maskz_add_pd(there, _mm512_maskz_loadu_pd(there, at), (__m512d)c);
	return (pair)_mm512_maskz_add_pd(there, _mm512_cvtps_pd(_mm256_maskz_loadu_ps(there, at)), (__m512d)c);
}

/* Where some columns of two blocks are, from the rows that are given on. */
INLINE void places_of(const struct kernels *kernels, const struct leaf_rows *tile, const unsigned char *rows,
        size_t column, const size_t columns, const unsigned char **places)
{
#pragma GCC unroll 8
	for (size_t k = 0; k < columns; k++)
		places[k] =
		        rows + tile->offsets[block_column(column + k / LANES * LANES, kernels->features) + k % LANES];
}

/* The columns of the block that comes so many after the run's first; behind the last, of the rows that follow. */
INLINE void places_ahead(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        size_t block, const unsigned char **places)
{
	const unsigned char *rows = run->rows + CACHE_LINE - 1;
	for (; block >= kernels->blocks; block -= kernels->blocks)
		rows += run->bytes;
	places_of(kernels, tile, rows, LANES * block, LANES, places);
}

/* Asks for a line of each of four columns, into the first-level cache or only into the second. */
INLINE void ask_four(const unsigned char *const *places, size_t at, const bool near)
{
#pragma GCC unroll 4
	for (size_t k = 0; k < LANES; k++)
		if (near)
			__builtin_prefetch(places[k] + at, 0, 3);
		else
			__builtin_prefetch(places[k] + at, 0, 2);
}

/*
 * On an Intel Xeon (family 6, model 207) it is better to ask for many columns into the second-level cache alone: with
 * 63, 127, 511 and 1000 an epoch came to 0.80, 0.72, 0.64 and 0.48 of two processes that only read instead of 0.63,
 * 0.53, 0.52 and 0.42. With 15, which stay in registers, it was worse, 0.75 instead of 0.95: few_ask always asks near.
 */
INLINE bool asks_near(const struct kernels *kernels)
{
	return kernels->clone != CLONE_AVX512_INTEL;
}

/*
 * What a pair's features are multiplied with: e, or 1. Of a group that has no row at all it is 0: the product of 0 and
 * its predictions, which are no rows', might be no number.
 */
INLINE pair pair_error(const struct kernels *kernels, const pair *sums, pair y, const __mmask8 there)
{
	const pair counts = (pair)_mm512_maskz_mov_pd(there, _mm512_set1_pd(1.0));
	if (deviates(kernels))
		return counts;
	pair prediction = ((sums[0] + sums[2]) + (sums[1] + sums[3])) + pair_of_all(kernels->intercept);
	if (kernels->kernel != KERNEL_CURVATURE)
		prediction -= y;
	if (there == ALL_ROWS)
		return prediction;
	const __mmask8 groups = there > FIRST_GROUP ? ALL_ROWS : FIRST_GROUP;
	return (pair)_mm512_maskz_mul_pd(groups, (__m512d)counts, (__m512d)prediction);
}

/* Adds up what concerns a pair's rows alone. The squares of ones are nobody's sum. */
INLINE void add_pair(const bool is_of_targets, pair e, pair y, struct row_sums *row_sums)
{
	const pair terms = is_of_targets ? y : e, squares = e * e;
	row_sums->total += pair_low(terms);
	row_sums->total += pair_high(terms);
	row_sums->square += pair_low(squares);
	row_sums->square += pair_high(squares);
}

/* { Σa, Σb of the first group; Σa, Σb of the second; Σc, Σd of the first; Σc, Σd of the second } */
INLINE __m512d add_each(pair a, pair b, pair c, pair d)
{
	enum { EVEN = 0x88, ODD = 0xdd };
	const __m512d ac = _mm512_add_pd(
	        _mm512_shuffle_f64x2((__m512d)a, (__m512d)c, EVEN), _mm512_shuffle_f64x2((__m512d)a, (__m512d)c, ODD));
	const __m512d bd = _mm512_add_pd(
	        _mm512_shuffle_f64x2((__m512d)b, (__m512d)d, EVEN), _mm512_shuffle_f64x2((__m512d)b, (__m512d)d, ODD));
	return _mm512_add_pd(_mm512_unpacklo_pd(ac, bd), _mm512_unpackhi_pd(ac, bd));
}

/* The columns' sums, to which the products of one group are added, and then those of the other. */
INLINE pair add_products(pair sums, const pair *products, const size_t columns)
{
	const __m512d low = add_each(products[0], products[1], products[2], products[3]);
	const __m512d high = columns == PAIR ? add_each(products[4], products[5], products[6], products[7]) : low;
	sums += (pair)_mm512_shuffle_f64x2(low, high, 0x88);
	return sums + (pair)_mm512_shuffle_f64x2(low, high, 0xdd);
}

INLINE pair sums_at(const double *at, const size_t columns)
{
	return columns == PAIR ? pair_at(at) : pair_of(lanes_at(at), lanes_at(at));
}

INLINE void sums_store(double *at, pair sums, const size_t columns)
{
	if (columns == PAIR)
		pair_store(at, sums);
	else
		lanes_store(at, pair_low(sums));
}

/* So few columns that eight rows of all of them are in registers, as are the columns' sums. */
enum { FEW_BLOCKS = 4, FEW_COLUMNS = FEW_BLOCKS * LANES };

/*
 * While 512 bytes of each column are read, the next are asked for: of four columns at a time, four lines of each with
 * one vector and four with the next.
 */
INLINE void few_ask(const unsigned char *const *columns, const unsigned char *target, size_t at, const size_t bytes)
{
	enum { LINES = 4, STEP_BYTES = LINES * CACHE_LINE };
	const size_t step = at / bytes % (NEAR_RUN_BYTES / bytes), begin = at - step * bytes;
	const size_t steps_of_block = NEAR_RUN_BYTES / bytes / FEW_BLOCKS;
	const size_t next = begin + NEAR_RUN_BYTES + CACHE_LINE - 1 + step % 2 * STEP_BYTES;
	if (step % steps_of_block < 2) {
#pragma GCC unroll 4
		for (size_t i = 0; i < LINES; i++)
			ask_four(columns + step / steps_of_block * LANES, next + i * CACHE_LINE, true);
	}
	__builtin_prefetch(target + at + NEAR_RUN_BYTES + CACHE_LINE - 1);
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
        const enum element_type element, struct row_sums *row_sums)
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
		few_ask(at, target, row, bytes);
	}
	if (tile->rows % PAIR > 0)
		few_rows(kernels, at, columns, target, full, rows_there(tile->rows % PAIR), element, row_sums, sums);
	pair_store(kernels->sums, sums[0]);
	if (behind > 0)
		sums_store(kernels->sums + PAIR, sums[1], behind);
}

/* Adds to the four sums of each of a pair's rows what some columns of two blocks have. */
INLINE void pair_predictions(const unsigned char *const *at, size_t row, const pair *w, const pair *c,
        const size_t columns, const bool is_first, const __mmask8 there, const enum element_type element, double *sums)
{
	pair of_rows[LANES] = {{0}};
#pragma GCC unroll 4
	for (size_t k = 0; k < LANES && !is_first; k++)
		of_rows[k] = pair_at(sums + k * PAIR);
#pragma GCC unroll 8
	for (size_t k = 0; k < columns; k++)
		of_rows[k % LANES] += w[k] * pair_of_rows(at[k] + row, there, c[k], element);
#pragma GCC unroll 4
	for (size_t k = 0; k < LANES; k++)
		pair_store(sums + k * PAIR, of_rows[k]);
}

INLINE void blocks_predictions(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        size_t column, const size_t columns, const bool is_first, const enum element_type element, double *sums)
{
	const size_t bytes = PAIR * element_bytes(element), end = run->bytes - bytes;
	const bool near = asks_near(kernels);
	const unsigned char *at[PAIR], *ahead[LANES];
	pair w[PAIR], c[PAIR];
	places_of(kernels, tile, run->rows, column, columns, at);
	places_ahead(kernels, tile, run, kernels->blocks / 2 + AHEAD_BLOCKS + column / PAIR, ahead);
#pragma GCC unroll 8
	for (size_t k = 0; k < columns; k++) {
		w[k] = pair_of_all(kernels->weights[column + k]);
		c[k] = pair_of_all(kernels->centre[column + k]);
	}
	for (size_t row = 0; row < end; row += bytes, sums += LANES * PAIR) {
		pair_predictions(at, row, w, c, columns, is_first, ALL_ROWS, element, sums);
		if (row % CACHE_LINE == 0)
			ask_four(ahead, row, near);
	}
	pair_predictions(at, end, w, c, columns, is_first, run->last, element, sums);
	ask_four(ahead, end, near);
}

INLINE void run_predictions(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        const enum element_type element, double *sums)
{
	const size_t columns = LANES * kernels->blocks, in_pairs = columns / PAIR * PAIR;
	blocks_predictions(kernels, tile, run, 0, PAIR, true, element, sums);
	for (size_t column = PAIR; column < in_pairs; column += PAIR)
		blocks_predictions(kernels, tile, run, column, PAIR, false, element, sums);
	if (in_pairs < columns)
		blocks_predictions(kernels, tile, run, in_pairs, LANES, false, element, sums);
}

/* What a pair's features are multiplied with comes in place of its first sum, and the target in place of its second. */
INLINE void run_errors(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        const enum element_type element, double *of_pair, struct row_sums *row_sums)
{
	const size_t bytes = PAIR * element_bytes(element);
	const unsigned char *target = run->rows + tile->offsets[kernels->features];
	const pair centre = pair_of_all(-kernels->target_centre);
	const bool is_of_targets = deviates(kernels);
	for (size_t p = 0; p < run->pairs; p++) {
		double *of_this = of_pair + p * LANES * PAIR;
		const __mmask8 there = p + 1 < run->pairs ? ALL_ROWS : run->last;
		const pair sums[LANES] = {pair_at(of_this), pair_at(of_this + PAIR), pair_at(of_this + 2 * PAIR),
		        pair_at(of_this + 3 * PAIR)};
		const pair y = pair_of_rows(target + p * bytes, there, centre, element);
		pair_store(of_this, pair_error(kernels, sums, y, there));
		pair_store(of_this + PAIR, y);
		__builtin_prefetch(target + p * bytes + run->bytes + CACHE_LINE - 1);
	}
	for (size_t p = 0; p < run->pairs; p++, of_pair += LANES * PAIR)
		add_pair(is_of_targets, pair_at(of_pair), pair_at(of_pair + PAIR), row_sums);
}

INLINE pair pair_products(pair sums, const unsigned char *const *at, size_t row, const pair *c, const size_t columns,
        pair e, const __mmask8 there, const enum element_type element)
{
	pair x[PAIR];
#pragma GCC unroll 8
	for (size_t k = 0; k < columns; k++)
		x[k] = e * pair_of_rows(at[k] + row, there, c[k], element);
	return add_products(sums, x, columns);
}

INLINE void blocks_products(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        size_t column, const size_t columns, const enum element_type element, const double *errors)
{
	const size_t bytes = PAIR * element_bytes(element), end = run->bytes - bytes;
	const size_t before = (kernels->blocks - 1) / 2 - column / PAIR;
	const bool near = asks_near(kernels);
	const unsigned char *at[PAIR], *ahead[LANES];
	pair c[PAIR], sums = sums_at(kernels->sums + column, columns);
	places_of(kernels, tile, run->rows, column, columns, at);
	places_ahead(kernels, tile, run, kernels->blocks + AHEAD_BLOCKS + before, ahead);
#pragma GCC unroll 8
	for (size_t k = 0; k < columns; k++)
		c[k] = pair_of_all(kernels->centre[column + k]);
	for (size_t row = 0; row < end; row += bytes, errors += LANES * PAIR) {
		sums = pair_products(sums, at, row, c, columns, pair_at(errors), ALL_ROWS, element);
		if (row % CACHE_LINE == 0)
			ask_four(ahead, row, near);
	}
	sums = pair_products(sums, at, end, c, columns, pair_at(errors), run->last, element);
	ask_four(ahead, end, near);
	sums_store(kernels->sums + column, sums, columns);
}

/* From the last column back to the first: the last ones are still in the first-level cache. */
INLINE void run_products(const struct kernels *kernels, const struct leaf_rows *tile, const struct run *run,
        const enum element_type element, const double *errors)
{
	const size_t columns = LANES * kernels->blocks, in_pairs = columns / PAIR * PAIR;
	if (in_pairs < columns)
		blocks_products(kernels, tile, run, in_pairs, LANES, element, errors);
	for (size_t column = in_pairs; column > 0; column -= PAIR)
		blocks_products(kernels, tile, run, column - PAIR, PAIR, element, errors);
}

/* How many pairs of groups a run has at most. */
INLINE size_t run_pairs(uint32_t features, const size_t bytes)
{
	const size_t wanted = (features < NEAR_COLUMNS ? NEAR_RUN_BYTES : FAR_RUN_BYTES) / bytes;
	const size_t together = TOGETHER_BYTES / (((size_t)features + 1) * bytes);
	const size_t most = together < wanted ? together : wanted;
	return most < FEWEST_PAIRS ? FEWEST_PAIRS : most;
}

INLINE void many_columns(const struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element,
        struct row_sums *row_sums)
{
	const size_t bytes = PAIR * element_bytes(element), most = run_pairs(kernels->features, bytes);
	struct run run = {.rows = tile->base};
	for (size_t row = 0; row < tile->rows; row += run.pairs * PAIR) {
		const size_t left = (tile->rows - row + PAIR - 1) / PAIR;
		run.pairs = left < most ? left : most;
		run.bytes = run.pairs * bytes;
		run.last = rows_there(tile->rows - row - (run.pairs - 1) * PAIR);
		run_predictions(kernels, tile, &run, element, kernels->group);
		run_errors(kernels, tile, &run, element, kernels->group, row_sums);
		run_products(kernels, tile, &run, element, kernels->group);
		run.rows += run.bytes;
	}
}

INLINE size_t columns_pairs(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	switch (kernels->blocks) {
	case 2:
		few_columns(kernels, tile, 2, element, &sums);
		break;
	case 3:
		few_columns(kernels, tile, 3, element, &sums);
		break;
	case FEW_BLOCKS:
		few_columns(kernels, tile, FEW_BLOCKS, element, &sums);
		break;
	default:
		many_columns(kernels, tile, element, &sums);
	}
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
	return tile->rows;
}

size_t kernels_sum_columns_avx512(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		return columns_pairs(kernels, tile, ELEMENT_F4);
	return columns_pairs(kernels, tile, ELEMENT_F8);
}

#endif
