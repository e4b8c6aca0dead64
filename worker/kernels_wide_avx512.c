#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/kernels_sweep.h"

#include <string.h>

/*
 * Wide rows, a block of eight columns of a row in a register. Some go eight rows at a time
 * (kernels_wide_eights_avx512.c), the others four: once through the columns, for the products of one group and the
 * predictions of the next, whose numbers are kept for its products. With 511 and 1000 columns of f8 an epoch on an
 * Intel Xeon (family 6, model 207) came so to 0.88 and 0.82 of two processes that only read, and row after row to 0.80
 * and 0.72; with 1000 of f4 to 0.70 and 0.62. To keep f8 made 127 to 511 columns faster by a tenth in a cache, and 127
 * and 255 by 0.03 of what only reads from memory; 767 and 1000 were faster by as much where they were read again. On an
 * AMD EPYC (family 25) there was no difference.
 *
 * Not so on Zen 5 (an AMD EPYC of family 26), as it was measured there:
 *
 *   - 17 to 32 columns of f8: its numbers, and the columns' sums, stay in registers.
 *   - While two groups are at home in the first-level cache: once through the columns, but only f4 is kept.
 *   - Beyond: row after row for the predictions, straight on as they lie in memory, then the products. This was 1.4
 *     times as fast with 511 columns of f8, and 1.2 times slower with 39.
 *   - Such rows of f4 two by two, because in a line there are sums that wait for each other. With 1000 columns, in a
 *     cache, a line took 8.3 cycles instead of 11.5; from memory an epoch came to 0.47 to 0.57 of two processes that
 *     only read instead of 0.42 to 0.48, and to as much as before while the memory was slow.
 *
 * In each, what lies ahead is asked for (kernels_ahead.h).
 */
enum { FEW_PAIRS = 4 };

/*
 * The most of a group to be kept: with the weights, the centre and the sums it is in the first-level cache. What was
 * converted may take more than what could be read again as well: on an Intel Xeon, in a cache, 511 and 700 columns of
 * f4 came to 31 and 27 GB/s, and converted again to 24; 1000 to 15 and 21.
 */
enum { KEPT_OF_F8_BYTES = 16384, KEPT_OF_F4_BYTES = 20480 };

/* On Zen 5 the most of a group of f8 in the file for two to be at home there. */
enum { GROUP_BYTES = 8192 };

/* A block of four rows, centred. */
INLINE void group_block(const struct sweep *sweep, const unsigned char *row, size_t p, const bool is_last,
        const enum element_type element, pair *x)
{
#pragma GCC unroll 4
	for (size_t i = 0; i < LANES; i++)
		x[i] = row_block(sweep, row + i * sweep->row_stride, p, is_last, element);
}

/* Each row's eight sums. */
struct predictions {
	pair of[LANES];
};

INLINE void add_predictions(const struct sweep *sweep, size_t p, const pair *x, struct predictions *sums)
{
	const pair w = pair_at(sweep->weights + PAIR * p);
#pragma GCC unroll 4
	for (size_t i = 0; i < LANES; i++)
		sums->of[i] = pair_fused(w, x[i], sums->of[i]);
}

/* Σ e·x over the group. */
INLINE pair products(const pair *x, const pair *e)
{
	return pair_fused(e[2], x[2], e[0] * x[0]) + pair_fused(e[3], x[3], e[1] * x[1]);
}

INLINE void add_products(const struct sweep *sweep, size_t p, const pair *x, const pair *e)
{
	double *sums = sweep->sums + PAIR * p;
	pair_store(sums, pair_at(sums) + products(x, e));
}

INLINE lanes four_targets(const unsigned char *target, size_t stride, const enum element_type element)
{
	return (lanes){element_at(target, element), element_at(target + stride, element),
	        element_at(target + 2 * stride, element), element_at(target + 3 * stride, element)};
}

/* What each row is multiplied with, in all eight numbers. */
INLINE void group_errors(const struct kernels *kernels, const struct sweep *sweep, const struct predictions *of_rows,
        const unsigned char *target, const enum element_type element, const size_t half, struct row_sums *sums, pair *e)
{
	const struct group full = {.counts = rows_counts(LANES)};
	const pair of_01 = pair_of_fours(of_rows->of[0], of_rows->of[1]),
	           of_23 = pair_of_fours(of_rows->of[2], of_rows->of[3]);
	const lanes prediction = lanes_add_each(pair_low(of_01), pair_high(of_01), pair_low(of_23), pair_high(of_23));
	const lanes y = four_targets(target, sweep->row_stride, element);
	const lanes of_row =
	        add_rows(kernels, prediction + kernels->intercept, y - kernels->target_centre, &full, true, half, sums);
	const __m512d twice = _mm512_broadcast_f64x4((__m256d)of_row);
	e[0] = (pair)_mm512_permutex_pd(twice, 0x00);
	e[1] = (pair)_mm512_permutex_pd(twice, 0x55);
	e[2] = (pair)_mm512_permutex_pd(twice, 0xaa);
	e[3] = (pair)_mm512_permutex_pd(twice, 0xff);
}

/* A group's numbers, in registers. */
struct few {
	pair x[FEW_PAIRS][LANES];
};

/* Sums a group's predictions while the products of the group before are summed; then e is this one's. */
INLINE void few_group(const struct kernels *kernels, const struct sweep *sweep, const unsigned char *row,
        const unsigned char *target, const size_t pairs, const size_t half, const struct few *before, struct few *now,
        pair *sums, pair *e, struct row_sums *row_sums)
{
	struct predictions predictions = {{{0}}};
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++) {
		group_block(sweep, row, p, p + 1 == pairs, ELEMENT_F8, now->x[p]);
		add_predictions(sweep, p, now->x[p], &predictions);
	}
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++)
		sums[p] += products(before->x[p], e);
	group_errors(kernels, sweep, &predictions, target, ELEMENT_F8, half, row_sums, e);
	ask_lines_straight(sweep->asks, row, LANES * sweep->row_stride);
}

INLINE void few_pairs(const struct kernels *kernels, const struct leaf_rows *tile, const size_t pairs,
        const bool is_centred, struct row_sums *row_sums)
{
	const struct sweep sweep = sweep_of(kernels, tile, asks_for(kernels, tile), is_centred);
	const size_t group = LANES * tile->row_stride;
	const unsigned char *row = tile->base + tile->offsets[0];
	const unsigned char *target = tile->base + tile->offsets[kernels->features];
	struct few one = {{{{0}}}}, other;
	pair sums[FEW_PAIRS], e[LANES] = {{0}}; /* before the first group comes one that adds nothing */
	memcpy(sums, sweep.sums, pairs * sizeof *sums);
	for (size_t eights = tile->rows / EIGHT; eights > 0; eights--) {
		few_group(kernels, &sweep, row, target, pairs, 0, &one, &other, sums, e, row_sums);
		row += group, target += group;
		few_group(kernels, &sweep, row, target, pairs, 1, &other, &one, sums, e, row_sums);
		row += group, target += group;
	}
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++)
		pair_store(sweep.sums + PAIR * p, sums[p] + products(one.x[p], e));
}

enum work { PREDICTIONS = 1, PRODUCTS = 2 };

/* One pair's part: of the products of the group that lies `back` bytes before, and of this one's predictions. */
INLINE void pair_work(const struct sweep *sweep, const unsigned char *row, size_t p, const bool is_last,
        const enum element_type element, const bool keeps, const int work, size_t back, const pair *e,
        struct predictions *predictions)
{
	double *kept = sweep->kept + LANES * PAIR * p;
	pair x[LANES];
	if (work & PRODUCTS) {
		if (keeps)
			memcpy(x, kept, sizeof x);
		else
			group_block(sweep, row - back, p, is_last, element, x);
		add_products(sweep, p, x, e);
	}
	if (work & PREDICTIONS) {
		const size_t bytes = LANES * PAIR * element_bytes(element), before = p * bytes;
		group_block(sweep, row, p, is_last, element, x);
		if (keeps)
			memcpy(kept, x, sizeof x);
		add_predictions(sweep, p, x, predictions);
		ask_group(sweep->asks, row, sweep->row_stride, before,
		        is_last ? LANES * sweep->row_stride - before : bytes, bytes / CACHE_LINE);
	}
}

INLINE void pairs_work(const struct sweep *sweep, const unsigned char *row, const enum element_type element,
        const bool keeps, const int work, size_t back, const pair *e, struct predictions *predictions)
{
	size_t p = 0;
	*predictions = (struct predictions){{{0}}};
	for (; p + 1 < sweep->blocks; p++)
		pair_work(sweep, row, p, false, element, keeps, work, back, e, predictions);
	pair_work(sweep, row, p, true, element, keeps, work, back, e, predictions);
}

/* There are at least two groups. */
INLINE void many_pairs_asking(const struct kernels *kernels, const struct leaf_rows *tile,
        const enum element_type element, const bool keeps, const enum asks asks, const bool is_centred,
        struct row_sums *row_sums)
{
	const struct sweep sweep = sweep_of(kernels, tile, asks, is_centred);
	const size_t group = LANES * tile->row_stride;
	const unsigned char *row = tile->base + tile->offsets[0];
	const unsigned char *target = tile->base + tile->offsets[kernels->features];
	struct predictions predictions;
	pair e[LANES];
	pairs_work(&sweep, row, element, keeps, PREDICTIONS, 0, NULL, &predictions);
	group_errors(kernels, &sweep, &predictions, target, element, 0, row_sums, e);
	for (size_t i = 1; i < tile->rows / EIGHT * 2; i++) {
		row += group;
		target += group;
		pairs_work(&sweep, row, element, keeps, PRODUCTS | PREDICTIONS, group, e, &predictions);
		group_errors(kernels, &sweep, &predictions, target, element, i % 2, row_sums, e);
	}
	pairs_work(&sweep, row, element, keeps, PRODUCTS, 0, e, &predictions);
}

/*
 * Where the compiler knew how the memory is asked, 127 to 1000 columns came to 0.02 to 0.04 more of what only reads, on
 * an Intel Xeon.
 */
INLINE void many_pairs(const struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element,
        const bool keeps, const bool is_centred, struct row_sums *row_sums)
{
	switch (asks_for(kernels, tile)) {
	case ASKS_NOTHING:
		many_pairs_asking(kernels, tile, element, keeps, ASKS_NOTHING, is_centred, row_sums);
		break;
	case ASKS_STRAIGHT:
		many_pairs_asking(kernels, tile, element, keeps, ASKS_STRAIGHT, is_centred, row_sums);
		break;
	case ASKS_BY_ONE:
		many_pairs_asking(kernels, tile, element, keeps, ASKS_BY_ONE, is_centred, row_sums);
		break;
	case ASKS_BY_FOUR:
		many_pairs_asking(kernels, tile, element, keeps, ASKS_BY_FOUR, is_centred, row_sums);
		break;
	}
}

/*
 * A row of f8 that lies askew to the lines of cache: each line is loaded once, and every eight numbers are put together
 * from two of them. Loads across lines that are on their way from memory made an epoch of 1000 columns 1.4 times as
 * long.
 */
struct askew {
	const double *line; /* the next */
	pair before;
	__m512i which;
};

/* Of a row that begins at no multiple of 8, it would have bytes from before; what is loaded is not used then. */
INLINE struct askew askew_begin(const unsigned char *row)
{
	const long long first = (long long)((uintptr_t)row % CACHE_LINE / sizeof(double));
	const double *line = (const double *)((uintptr_t)row & ~(uintptr_t)(CACHE_LINE - 1));
	return (struct askew){
	        .line = line + PAIR,
	        .before = (pair)_mm512_maskz_load_pd((__mmask8)(0xff << first), line), /* nothing before the row */
	        .which = _mm512_add_epi64(_mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7), _mm512_set1_epi64(first)),
	};
}

INLINE pair askew_next(struct askew *askew)
{
	const pair before = askew->before;
	askew->before = pair_at(askew->line);
	askew->line += PAIR;
	return (pair)_mm512_permutex2var_pd((__m512d)before, askew->which, (__m512d)askew->before);
}

/* How many pairs of a row can be put together so without a load from beyond its end. */
INLINE size_t askew_pairs(const struct sweep *sweep, const bool is_askew)
{
	return is_askew ? sweep->blocks - 2 : 0;
}

INLINE pair add_row(const struct sweep *sweep, size_t p, pair x, pair sum)
{
	return pair_fused(pair_at(sweep->weights + PAIR * p), x, sum);
}

/* Of f8: eight sums. */
INLINE pair row_prediction(const struct sweep *sweep, const unsigned char *row, const bool is_askew)
{
	const size_t bytes = PAIR * sizeof(double);
	struct askew askew = askew_begin(row);
	pair sum = {0};
	size_t p = 0;
	for (; p < askew_pairs(sweep, is_askew); p++) {
		sum = add_row(sweep, p, sweep_centred(sweep, p, askew_next(&askew)), sum);
		ask_lines_straight(sweep->asks, row + p * bytes, bytes);
	}
	for (; p + 1 < sweep->blocks; p++) {
		sum = add_row(sweep, p, row_block(sweep, row, p, false, ELEMENT_F8), sum);
		ask_lines_straight(sweep->asks, row + p * bytes, bytes);
	}
	sum = add_row(sweep, p, row_block(sweep, row, p, true, ELEMENT_F8), sum);
	ask_lines_straight(sweep->asks, row + p * bytes, bytes);
	return sum;
}

INLINE void add_two_rows(const struct sweep *sweep, const unsigned char *row, size_t p, const bool is_last, pair *sums)
{
	sums[0] = add_row(sweep, p, row_block(sweep, row, p, is_last, ELEMENT_F4), sums[0]);
	sums[1] = add_row(sweep, p, row_block(sweep, row + sweep->row_stride, p, is_last, ELEMENT_F4), sums[1]);
}

/* Of f4 two rows at a time, each of whose additions would have to wait for the one before. Two blocks lie in a line. */
INLINE void two_predictions(const struct sweep *sweep, const unsigned char *row, pair *sums)
{
	const size_t bytes = PAIR * sizeof(float), stride = sweep->row_stride;
	const size_t farther = 2 * stride > STRAIGHT_BYTES ? 2 * stride - STRAIGHT_BYTES : 0;
	size_t p = 0;
	sums[0] = sums[1] = (pair){0};
	for (; p + 1 < sweep->blocks; p++) {
		add_two_rows(sweep, row, p, false, sums);
		if (p % 2 == 1)
			continue;
		ask_lines_straight(sweep->asks, row + p * bytes + farther, bytes);
		ask_lines_straight(sweep->asks, row + stride + p * bytes + farther, bytes);
	}
	add_two_rows(sweep, row, p, true, sums);
}

INLINE void row_products(const struct sweep *sweep, const unsigned char *row, const enum element_type element,
        const bool is_askew, const pair *e)
{
	const size_t stride = sweep->row_stride;
	struct askew askew[LANES] = {askew_begin(row), askew_begin(row + stride), askew_begin(row + 2 * stride),
	        askew_begin(row + 3 * stride)};
	pair x[LANES];
	size_t p = 0;
	for (; p < askew_pairs(sweep, is_askew); p++) {
#pragma GCC unroll 4
		for (size_t i = 0; i < LANES; i++)
			x[i] = sweep_centred(sweep, p, askew_next(&askew[i]));
		add_products(sweep, p, x, e);
	}
	for (; p + 1 < sweep->blocks; p++) {
		group_block(sweep, row, p, false, element, x);
		add_products(sweep, p, x, e);
	}
	group_block(sweep, row, p, true, element, x);
	add_products(sweep, p, x, e);
}

INLINE void row_by_row(const struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element,
        const bool is_askew, const bool is_centred, struct row_sums *row_sums)
{
	const struct sweep sweep = sweep_of(kernels, tile, asks_for(kernels, tile), is_centred);
	const unsigned char *row = tile->base + tile->offsets[0];
	const unsigned char *target = tile->base + tile->offsets[kernels->features];
	for (size_t group = 0; group < tile->rows / EIGHT * 2; group++) {
		struct predictions predictions;
		pair e[LANES];
		for (size_t i = 0; i < LANES; i += element == ELEMENT_F4 ? 2 : 1) {
			if (element == ELEMENT_F4)
				two_predictions(&sweep, row + i * tile->row_stride, &predictions.of[i]);
			else
				predictions.of[i] = row_prediction(&sweep, row + i * tile->row_stride, is_askew);
		}
		group_errors(kernels, &sweep, &predictions, target, element, group % 2, row_sums, e);
		row_products(&sweep, row, element, is_askew, e);
		row += LANES * tile->row_stride;
		target += LANES * tile->row_stride;
	}
}

INLINE void many_of_f8(
        const struct kernels *kernels, const struct leaf_rows *tile, const bool is_centred, struct row_sums *sums)
{
	const uintptr_t first = (uintptr_t)(tile->base + tile->offsets[0]);
	const bool is_in_line = first % CACHE_LINE == 0 && tile->row_stride % CACHE_LINE == 0;
	const bool is_word = first % sizeof(double) == 0 && tile->row_stride % sizeof(double) == 0;
	const bool goes_row_by_row = kernel_habits[kernels->clone].goes_row_by_row;
	if (!goes_row_by_row && LANES * BLOCK * kernels->blocks * sizeof(double) <= KEPT_OF_F8_BYTES)
		many_pairs(kernels, tile, ELEMENT_F8, true, is_centred, sums);
	else if (!goes_row_by_row || LANES * tile->row_stride <= GROUP_BYTES)
		many_pairs(kernels, tile, ELEMENT_F8, false, is_centred, sums);
	else if (is_in_line || !is_word)
		row_by_row(kernels, tile, ELEMENT_F8, false, is_centred, sums);
	else
		row_by_row(kernels, tile, ELEMENT_F8, true, is_centred, sums);
}

INLINE void many_of_f4(
        const struct kernels *kernels, const struct leaf_rows *tile, const bool is_centred, struct row_sums *sums)
{
	if (LANES * kernels->features * sizeof(double) <= KEPT_OF_F4_BYTES)
		many_pairs(kernels, tile, ELEMENT_F4, true, is_centred, sums);
	else if (!kernel_habits[kernels->clone].goes_row_by_row)
		many_pairs(kernels, tile, ELEMENT_F4, false, is_centred, sums);
	else
		row_by_row(kernels, tile, ELEMENT_F4, false, is_centred, sums);
}

INLINE void sum_fours(
        const struct kernels *kernels, const struct leaf_rows *tile, const bool is_centred, struct row_sums *sums)
{
	if (tile->element == ELEMENT_F4)
		many_of_f4(kernels, tile, is_centred, sums);
	else if (kernels->blocks < FEW_PAIRS) /* so few columns that the compiler knows how many blocks */
		few_pairs(kernels, tile, FEW_PAIRS - 1, is_centred, sums);
	else if (kernels->blocks == FEW_PAIRS)
		few_pairs(kernels, tile, FEW_PAIRS, is_centred, sums);
	else
		many_of_f8(kernels, tile, is_centred, sums);
}

/*
 * Beyond so many columns of f8 eight rows are no faster from memory: on an Intel Xeon 51 to 71 came by fours to 0.03 to
 * 0.05 more of what only reads, and 47 by eights to 0.03 more.
 */
INLINE bool goes_by_eights(enum kernel_clone clone, uint32_t features, enum element_type element)
{
	const struct kernel_habits *habits = &kernel_habits[clone];
	if (element == ELEMENT_F4)
		return features <= KERNELS_EIGHTS_FEATURES;
	if (features <= KERNELS_REGISTER_FEATURES)
		return true;
	if (habits->keeps_in_registers && features <= FEW_PAIRS * PAIR)
		return false;
	return features <= habits->eights_of_f8 && features <= KERNELS_EIGHTS_FEATURES;
}

size_t kernels_sum_wide_avx512(struct kernels *kernels, const struct leaf_rows *tile)
{
	struct row_sums sums = row_sums_of(kernels);
	if (goes_by_eights(kernels->clone, kernels->features, tile->element))
		return kernels_sum_wide_eights_avx512(kernels, tile);
	if (tile->rows < EIGHT)
		return 0;
	if (kernels->is_centred)
		sum_fours(kernels, tile, true, &sums);
	else
		sum_fours(kernels, tile, false, &sums);
	row_sums_store(kernels, &sums);
	return tile->rows / EIGHT * EIGHT;
}

#endif
