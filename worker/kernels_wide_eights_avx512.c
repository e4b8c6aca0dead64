#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/kernels_sweep.h"

#include <string.h>

/*
 * Wide rows, eight at a time, a block of eight columns of a row in a register. The errors of eight rows take hardly
 * more instructions than those of four.
 *
 * Up to 16 columns of f8 may stay in registers from their predictions to their products. Otherwise numbers are kept,
 * centred, in the first-level cache (to convert f4 is what takes longest), and three eights are on their way at any
 * time: the predictions of one are summed together with the products of the last but one, while the errors of the one
 * between become known.
 *
 * Measured on an AMD EPYC (family 26) against rows four at a time, two processes but for the first. f8 of 8 to 16
 * columns, in a cache: three quarters of the time; from memory, as a share of what only reads, between 0.1 less and
 * 0.1 more. f8 of 33 to 72, from memory: 0.70 to 0.98 instead of 0.63 to 0.95, each time by 0.03 to 0.15 more; between
 * these, where four rows stay in registers but eight do not, and from 79 on it was as much or up to 0.2 less. f4, in a
 * cache: 52 to 70 GB/s instead of 45 to 54 with 63 columns, 56 to 73 instead of 50 to 64 with 127, a few hundredths
 * more with 15 and 31, and no more with 255, whose eights are a third of that cache each.
 *
 * On all others f8 of few columns is kept, too: products and predictions of different eights then fill each other's
 * waits. With 15 columns, in a cache, an AMD EPYC (family 25) came to 39 GB/s instead of 34. The first 72, or 48, go by
 * eights: on an Intel Xeon (family 6, model 207), in a cache, 33 GB/s instead of 29 with 15 columns, 36 to 43 instead
 * of 32 to 37 with 31, and from memory as much. 100 columns came to 41 GB/s in a cache instead of 38, but from memory
 * 100 and 127 were better by fours, 0.93 and 0.98 of what only reads instead of 0.90 and 0.92.
 */
enum { ROWS = PAIR, REGISTER_PAIRS = KERNELS_REGISTER_FEATURES / PAIR, PAIRS_MAX = KERNELS_EIGHTS_FEATURES / PAIR };

/* Of each block eight rows, centred. */
typedef pair eight_rows[PAIRS_MAX][ROWS];

/* Each row's eight sums. */
struct predictions {
	pair of[ROWS];
};

/*
 * The same place in each of eight rows. Of three of them a processor finds the address by itself; that the fifth is a
 * register of its own, and so is three times the stride, the compiler must not see through: it worked out seven
 * distances instead, and fetched them from vector registers. In a cache, on an Intel Xeon, f8 of 8 to 31 columns was
 * faster by up to 0.1 without.
 */
struct eight_at {
	const unsigned char *first, *fifth;
	size_t stride, three;
};

INLINE struct eight_at eight_at(const unsigned char *first, size_t stride, size_t three)
{
	struct eight_at at = {first, first + LANES * stride, stride, three};
	__asm__("" : "+r"(at.first), "+r"(at.fifth));
	return at;
}

INLINE const unsigned char *row_at(const struct eight_at *at, const size_t i)
{
	const unsigned char *from = i < LANES ? at->first : at->fifth;
	return i % LANES == 3 ? from + at->three : from + i % LANES * at->stride;
}

/* The block's numbers, centred. */
INLINE void add_predictions(const struct sweep *sweep, const unsigned char *row, size_t p, const bool is_last,
        const enum element_type element, pair *x, struct predictions *sums)
{
	const pair w = pair_at(sweep->weights + PAIR * p);
	const struct eight_at rows =
	        eight_at(row + block_offset(sweep, p, is_last, element), sweep->row_stride, sweep->three_rows);
#pragma GCC unroll 8
	for (size_t i = 0; i < ROWS; i++) {
		x[i] = sweep_centred(sweep, p, pair_of_elements(row_at(&rows, i), element));
		sums->of[i] = pair_fused(w, x[i], sums->of[i]);
	}
}

/* Adds Σ e·x over four rows, and over the other four. */
INLINE pair add_products(pair sum, const pair *x, const pair *e)
{
	sum += pair_fused(e[2], x[2], e[0] * x[0]) + pair_fused(e[3], x[3], e[1] * x[1]);
	return sum + (pair_fused(e[6], x[6], e[4] * x[4]) + pair_fused(e[7], x[7], e[5] * x[5]));
}

/* The sum of each row's eight, in the order of the rows. */
INLINE pair add_each(const struct predictions *sums)
{
	const pair *of = sums->of;
	const pair of_02 = pair_of_fours(of[0], of[2]), of_46 = pair_of_fours(of[4], of[6]),
	           of_13 = pair_of_fours(of[1], of[3]), of_57 = pair_of_fours(of[5], of[7]);
	const pair low = (pair)_mm512_shuffle_f64x2((__m512d)of_02, (__m512d)of_46, 0x88) +
	                 (pair)_mm512_shuffle_f64x2((__m512d)of_02, (__m512d)of_46, 0xdd);
	const pair high = (pair)_mm512_shuffle_f64x2((__m512d)of_13, (__m512d)of_57, 0x88) +
	                  (pair)_mm512_shuffle_f64x2((__m512d)of_13, (__m512d)of_57, 0xdd);
	return (pair)_mm512_unpacklo_pd((__m512d)low, (__m512d)high) +
	       (pair)_mm512_unpackhi_pd((__m512d)low, (__m512d)high);
}

INLINE float float_at(const unsigned char *at)
{
	return *(const float_anywhere *)at;
}

/* Floats come out of eight registers: eight that had just been stored would be waited for when loaded as one. */
INLINE pair targets(const struct sweep *sweep, const unsigned char *target, const enum element_type element)
{
	const struct eight_at rows = eight_at(target, sweep->row_stride, sweep->three_rows);
	const unsigned char *at[ROWS];
#pragma GCC unroll 8
	for (size_t i = 0; i < ROWS; i++)
		at[i] = row_at(&rows, i);
	if (element == ELEMENT_F8)
		return pair_of((lanes){element_at(at[0], element), element_at(at[1], element),
		                       element_at(at[2], element), element_at(at[3], element)},
		        (lanes){element_at(at[4], element), element_at(at[5], element), element_at(at[6], element),
		                element_at(at[7], element)});
	return (pair)_mm512_cvtps_pd((__m256){float_at(at[0]), float_at(at[1]), float_at(at[2]), float_at(at[3]),
	        float_at(at[4]), float_at(at[5]), float_at(at[6]), float_at(at[7])});
}

enum work { PREDICTIONS = 1, PRODUCTS = 2 };

INLINE void pair_work(const struct sweep *sweep, const unsigned char *row, size_t p, const bool is_last,
        const enum element_type element, const int work, pair *kept, const pair *e, struct predictions *predictions)
{
	const size_t bytes = ROWS * PAIR * element_bytes(element), before = p * bytes;
	double *sums = sweep->sums + PAIR * p;
	if (work & PRODUCTS)
		pair_store(sums, add_products(pair_at(sums), kept, e));
	if (work & PREDICTIONS) {
		add_predictions(sweep, row, p, is_last, element, kept, predictions);
		ask_lines(sweep->asks, row + before, is_last ? ROWS * sweep->row_stride - before : bytes, 4);
	}
}

/*
 * Once through the columns: adds the products of the eight rows that are kept, each with its error, and sums up the
 * predictions of others, which are kept instead.
 *
 * A load spreads a number over a register by itself; out of one, where the compiler would have the errors, each takes
 * two instructions: on an Intel Xeon 15 and 31 columns were slower by a twentieth in a cache.
 */
INLINE struct predictions pairs_work(const struct sweep *sweep, const size_t pairs, const unsigned char *row,
        const enum element_type element, const int work, eight_rows kept, double *errors)
{
	struct predictions predictions = {{{0}}};
	pair e[ROWS];
	size_t p = 0;
	__asm__("" : "+m"(*(double(*)[ROWS])errors));
#pragma GCC unroll 8
	for (size_t i = 0; i < ROWS; i++)
		e[i] = pair_of_all(errors[i]);
	for (; p + 1 < pairs; p++)
		pair_work(sweep, row, p, false, element, work, kept[p], e, &predictions);
	pair_work(sweep, row, p, true, element, work, kept[p], e, &predictions);
	return predictions;
}

INLINE pair errors_of(const struct kernels *kernels, const struct sweep *sweep, const struct predictions *predictions,
        const unsigned char *target, const enum element_type element, struct pair_sums *of_rows)
{
	return pair_errors(kernels, add_each(predictions) + kernels->intercept,
	        targets(sweep, target, element) - kernels->target_centre, ALL_ROWS, of_rows);
}

/* There are at least eight. */
INLINE void rows_of(struct kernels *kernels, const struct leaf_rows *tile, const size_t pairs,
        const enum element_type element, const enum asks asks, const bool is_centred)
{
	const struct sweep sweep = sweep_of(kernels, tile, asks, is_centred);
	const unsigned char *row = tile->base + tile->offsets[0];
	const unsigned char *target = tile->base + tile->offsets[kernels->features];
	const size_t stride = tile->row_stride, eights = tile->rows / ROWS;
	_Alignas(64) eight_rows kept[2];
	_Alignas(64) double errors[2][ROWS] = {{0}}; /* of the eight rows that are kept */
	struct pair_sums of_rows = pair_sums_of(kernels);
	for (size_t i = 0; i < eights; i++) {
		double *of = errors[i % 2];
		const struct predictions sums =
		        i < 2 ? pairs_work(&sweep, pairs, row, element, PREDICTIONS, kept[i % 2], of)
		              : pairs_work(&sweep, pairs, row, element, PREDICTIONS | PRODUCTS, kept[i % 2], of);
		pair_store(of, errors_of(kernels, &sweep, &sums, target, element, &of_rows));
		row += ROWS * stride;
		target += ROWS * stride;
	}
	if (eights > 1)
		pairs_work(&sweep, pairs, row, element, PRODUCTS, kept[eights % 2], errors[eights % 2]);
	pairs_work(&sweep, pairs, row, element, PRODUCTS, kept[(eights + 1) % 2], errors[(eights + 1) % 2]);
	pair_sums_store(kernels, &of_rows);
}

/* Up to 16 columns of f8, whose eights stay in registers from their predictions to their products. */
INLINE void few_of_f8(struct kernels *kernels, const struct leaf_rows *tile, const size_t pairs, const bool is_centred)
{
	const struct sweep sweep = sweep_of(kernels, tile, asks_for(kernels, tile), is_centred);
	const unsigned char *row = tile->base + tile->offsets[0];
	const unsigned char *target = tile->base + tile->offsets[kernels->features];
	const size_t stride = tile->row_stride;
	struct pair_sums of_rows = pair_sums_of(kernels);
	pair sums[REGISTER_PAIRS];
	memcpy(sums, sweep.sums, pairs * sizeof *sums);
	for (size_t eights = tile->rows / ROWS; eights > 0; eights--) {
		struct predictions predictions = {{{0}}};
		pair x[REGISTER_PAIRS][ROWS], e[ROWS];
		_Alignas(64) double errors[ROWS];
#pragma GCC unroll 2
		for (size_t p = 0; p < pairs; p++) {
			add_predictions(&sweep, row, p, p + 1 == pairs, ELEMENT_F8, x[p], &predictions);
			ask_lines_straight(sweep.asks, row + p * sizeof x[p], sizeof x[p]);
		}
		pair_store(errors, errors_of(kernels, &sweep, &predictions, target, ELEMENT_F8, &of_rows));
		__asm__("" : "+m"(errors)); /* as for pairs_work */
#pragma GCC unroll 8
		for (size_t i = 0; i < ROWS; i++)
			e[i] = pair_of_all(errors[i]);
#pragma GCC unroll 2
		for (size_t p = 0; p < pairs; p++)
			sums[p] = add_products(sums[p], x[p], e);
		row += ROWS * stride;
		target += ROWS * stride;
	}
	memcpy(sweep.sums, sums, pairs * sizeof *sums);
	pair_sums_store(kernels, &of_rows);
}

/* With few blocks it is worth it that the compiler knows how many. */
INLINE void rows_asking(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element,
        const enum asks asks, const bool is_centred)
{
	if (kernels->blocks == 1)
		rows_of(kernels, tile, 1, element, asks, is_centred);
	else if (kernels->blocks == 2)
		rows_of(kernels, tile, 2, element, asks, is_centred);
	else
		rows_of(kernels, tile, kernels->blocks, element, asks, is_centred);
}

/*
 * Where nothing is asked for, in a cache, the compiler knows it: 8 to 63 columns were faster by up to 0.05 than where
 * each block had to find out.
 */
INLINE void rows_of_element(
        struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element, const bool is_centred)
{
	const enum asks asks = asks_for(kernels, tile);
	if (asks == ASKS_NOTHING)
		rows_asking(kernels, tile, element, ASKS_NOTHING, is_centred);
	else
		rows_asking(kernels, tile, element, asks, is_centred);
}

INLINE void sum_eights(struct kernels *kernels, const struct leaf_rows *tile, const bool is_centred)
{
	const bool in_registers = kernel_habits[kernels->clone].keeps_in_registers;
	if (tile->element == ELEMENT_F4)
		rows_of_element(kernels, tile, ELEMENT_F4, is_centred);
	else if (in_registers && kernels->blocks == 1)
		few_of_f8(kernels, tile, 1, is_centred);
	else if (in_registers && kernels->blocks == 2)
		few_of_f8(kernels, tile, 2, is_centred);
	else
		rows_of_element(kernels, tile, ELEMENT_F8, is_centred);
}

size_t kernels_sum_wide_eights_avx512(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->rows < ROWS)
		return 0;
	if (kernels->is_centred)
		sum_eights(kernels, tile, true);
	else
		sum_eights(kernels, tile, false);
	return tile->rows / ROWS * ROWS;
}

#endif
