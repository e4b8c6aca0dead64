#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/kernels_ahead.h"
#include "worker/kernels_pair.h"
#include "worker/kernels_shared.h"

/* How a narrow tile's numbers lie. */
enum layout {
	ROWS,    /* a row's are side by side, and nothing lies between rows */
	COLUMNS, /* a column's are */
};

/* A tile's sums, in registers. */
struct narrow_sums {
	struct pair_sums of_rows;
	pair of_columns[TILE_WIDE_FEATURES];
};

INLINE struct narrow_sums sums_begin(const struct kernels *kernels, const uint32_t d)
{
	struct narrow_sums sums = {0};
	if (kernels->reader.in_place) /* the leaf's only tile: to read the zeros again would only take time */
		return sums;
	sums.of_rows = pair_sums_of(kernels);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++)
		sums.of_columns[j] = pair_at(kernels->sums + EIGHT * j);
	return sums;
}

INLINE void sums_end(struct kernels *kernels, const uint32_t d, const struct narrow_sums *sums)
{
	pair_sums_store(kernels, &sums->of_rows);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++)
		pair_store(kernels->sums + EIGHT * j, sums->of_columns[j]);
}

/*
 * So few columns that each is picked out of the vectors in which the eight rows lie: out of the first two, and what is
 * behind these, out of the others one after the other.
 */
INLINE void few_columns(const unsigned char *row, const uint32_t columns, const enum element_type element, pair *x)
{
	const pair_places own = {0, 1, 2, 3, 4, 5, 6, 7};
	pair rows[LANES];
#pragma GCC unroll 4
	for (uint32_t i = 0; i < columns; i++)
		rows[i] = pair_of_elements(row + PAIR * i * element_bytes(element), element);
#pragma GCC unroll 4
	for (uint32_t j = 0; j < columns; j++) {
		const pair_places from = own * (int64_t)columns + (int64_t)j;
		x[j] = pair_of_places(rows[0], from, rows[1]);
#pragma GCC unroll 4
		for (uint32_t i = 2; i < columns; i++) {
			const pair_places before = from < (int64_t)(PAIR * i);
			x[j] = pair_of_places(
			        x[j], (before & own) | (~before & (from - (int64_t)(PAIR * (i - 1)))), rows[i]);
		}
	}
}

/* Four columns of f8, from j on. */
INLINE void four_columns(const double *row, const uint32_t columns, const uint32_t j, pair *x)
{
#pragma GCC unroll 4
	for (uint32_t i = 0; i < LANES; i++)
		x[j + i] = pair_of(lanes_at(row + i * columns + j), lanes_at(row + (LANES + i) * columns + j));
	pair_transpose(&x[j], &x[j + 1], &x[j + 2], &x[j + 3]);
}

/* Of four rows of f4 four columns, from j on, each in a quarter: out of the first 16 numbers and the last 16. */
INLINE __m512 four_floats(const float *row, const uint32_t columns, const uint32_t j)
{
	const places_of_16 in_row = {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3},
	                   rows = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};
	const int behind = LANES * (int)columns - 16;
	const places_of_16 at = rows * (int)columns + in_row + (int)j, is_behind = at >= 16;
	return _mm512_permutex2var_ps(
	        _mm512_loadu_ps(row), (__m512i)(at + (is_behind & (16 - behind))), _mm512_loadu_ps(row + behind));
}

/* Four columns of f4: converted only when they are columns, because that takes longer than to bring them there. */
INLINE void four_columns_f4(const float *row, const uint32_t columns, const uint32_t j, pair *x)
{
	const pair_places first = {0, 1, 8, 9, 2, 3, 10, 11}, second = {4, 5, 12, 13, 6, 7, 14, 15};
	const pair low = (pair)four_floats(row, columns, j),
	           high = (pair)four_floats(row + LANES * columns, columns, j);
	pair_of_16_floats((__m512)pair_of_places(low, first, high), &x[j], &x[j + 1]);
	pair_of_16_floats((__m512)pair_of_places(low, second, high), &x[j + 2], &x[j + 3]);
}

/* Eight rows' numbers in all columns. */
INLINE void eight_rows(const unsigned char *row, const uint32_t columns, const enum element_type element, pair *x)
{
	if (columns < LANES) {
		few_columns(row, columns, element, x);
		return;
	}
#pragma GCC unroll 2
	for (uint32_t block = 0; block < columns; block += LANES) {
		const uint32_t j = block + LANES <= columns ? block : columns - LANES;
		if (element == ELEMENT_F4)
			four_columns_f4((const float *)row, columns, j, x);
		else
			four_columns((const double *)row, columns, j, x);
	}
}

/* The same of fewer rows, behind which nothing is read; 0 for those that are missing. */
INLINE void last_rows(
        const unsigned char *row, const uint32_t columns, const size_t rows, const enum element_type element, pair *x)
{
	enum { OF_VECTOR = 16 };
	const size_t words = element_bytes(element) / sizeof(float) * columns;
	_Alignas(64) float copy[OF_VECTOR * TILE_WIDE_FEATURES];
#pragma GCC unroll 8
	for (size_t at = 0; at < PAIR * words; at += OF_VECTOR) {
		const size_t left = rows * words > at ? rows * words - at : 0;
		const __mmask16 there = (__mmask16)(left < OF_VECTOR ? (1U << left) - 1 : 0xffff);
		_mm512_store_ps(copy + at, _mm512_maskz_loadu_ps(there, (const float *)row + at));
	}
	eight_rows((const unsigned char *)copy, columns, element, x);
}

/* The numbers of eight rows or fewer, wherever they lie. */
INLINE void rows_at(const unsigned char *row, const size_t *offsets, const uint32_t columns, const size_t rows,
        const enum element_type element, const enum layout layout, pair *x)
{
	if (layout == ROWS && rows == PAIR)
		eight_rows(row, columns, element, x);
	else if (layout == ROWS)
		last_rows(row, columns, rows, element, x);
	else {
#pragma GCC unroll 8
		for (uint32_t j = 0; j < columns; j++)
			x[j] = rows == PAIR ? pair_of_elements(row + offsets[j], element)
			                    : pair_of_some(row + offsets[j], rows_there(rows), element);
	}
}

INLINE void narrow_eight(const struct kernels *kernels, const uint32_t d, const size_t rows, const bool is_centred,
        pair *x, struct narrow_sums *sums)
{
	const __mmask8 there = rows_there(rows);
	pair prediction = pair_of_all(kernels->intercept);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++) {
		if (is_centred)
			x[j] = pair_masked(x[j] + kernels->centre[j], there);
		prediction = pair_fused(pair_of_all(kernels->weights[j]), x[j], prediction);
	}
	const pair e = pair_errors(kernels, prediction, x[d] - kernels->target_centre, there, &sums->of_rows);
#pragma GCC unroll 8
	for (uint32_t j = 0; j < d; j++)
		sums->of_columns[j] = pair_fused(e, x[j], sums->of_columns[j]);
}

/*
 * Asks for as many lines as eight rows take; of each column, 256 to 384 bytes ahead, into the first-level cache. In a
 * cache it takes a fifth longer than not to ask.
 */
INLINE void ask_rows(const enum asks asks, const unsigned char *row, const size_t *offsets, const uint32_t columns,
        const enum element_type element, const enum layout layout)
{
	enum { COLUMN_AHEAD = 384, TWO = 2 * CACHE_LINE, FOUR = 4 * CACHE_LINE };
	const size_t bytes = PAIR * columns * element_bytes(element);
	if (layout == COLUMNS) {
#pragma GCC unroll 8
		for (uint32_t j = 0; j < columns; j++)
			__builtin_prefetch(row + offsets[j] + COLUMN_AHEAD);
	} else if (asks != ASKS_STRAIGHT) {
		ask_lines(asks, row, bytes, bytes % FOUR == 0 ? 4 : bytes % TWO == 0 ? 2 : 1);
	} else {
		/* unrolled, as it was when this was the better way on an AMD EPYC (family 26) */
#pragma GCC unroll 8
		for (size_t at = 0; at < bytes; at += CACHE_LINE)
			ask_straight(row + at);
	}
}

INLINE size_t narrow_rows(struct kernels *kernels, const struct leaf_rows *tile, const uint32_t d,
        const enum element_type element, const enum layout layout, const bool is_centred)
{
	const unsigned char *row = tile->base + (layout == ROWS ? tile->offsets[0] : 0);
	struct narrow_sums sums = sums_begin(kernels, d);
	const bool goes_ahead = kernels->asks_ahead && kernels->reader.in_place;
	const enum asks asks = goes_ahead ? kernel_habits[kernels->clone].asks : ASKS_NOTHING;
	pair x[TILE_WIDE_FEATURES];
	for (size_t eights = tile->rows / PAIR; eights > 0; eights--) {
		rows_at(row, tile->offsets, d + 1, PAIR, element, layout, x);
		if (asks != ASKS_NOTHING)
			ask_rows(asks, row, tile->offsets, d + 1, element, layout);
		narrow_eight(kernels, d, PAIR, is_centred, x, &sums);
		row += PAIR * tile->row_stride;
	}
	if (tile->rows % PAIR > 0) {
		rows_at(row, tile->offsets, d + 1, tile->rows % PAIR, element, layout, x);
		narrow_eight(kernels, d, tile->rows % PAIR, is_centred, x, &sums);
	}
	sums_end(kernels, d, &sums);
	return tile->rows;
}

INLINE size_t narrow_laid(struct kernels *kernels, const struct leaf_rows *tile, const uint32_t d,
        const enum element_type element, const bool is_centred)
{
	if (tile->row_stride == element_bytes(element))
		return narrow_rows(kernels, tile, d, element, COLUMNS, is_centred);
	if (tile->side_by_side == d + 1 && tile->row_stride == (d + 1) * element_bytes(element))
		return narrow_rows(kernels, tile, d, element, ROWS, is_centred);
	return 0;
}

INLINE size_t narrow_rows_for(
        struct kernels *kernels, const struct leaf_rows *tile, const uint32_t d, const enum element_type element)
{
	if (kernels->is_centred)
		return narrow_laid(kernels, tile, d, element, true);
	return narrow_laid(kernels, tile, d, element, false);
}

INLINE size_t sum_elements(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	switch (kernels->features) {
	case 1:
		return narrow_rows_for(kernels, tile, 1, element);
	case 2:
		return narrow_rows_for(kernels, tile, 2, element);
	case 3:
		return narrow_rows_for(kernels, tile, 3, element);
	case 4:
		return narrow_rows_for(kernels, tile, 4, element);
	case 5:
		return narrow_rows_for(kernels, tile, 5, element);
	case 6:
		return narrow_rows_for(kernels, tile, 6, element);
	case 7:
		return narrow_rows_for(kernels, tile, 7, element);
	default:
		return 0;
	}
}

size_t kernels_sum_narrow_avx512(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		return sum_elements(kernels, tile, ELEMENT_F4);
	return sum_elements(kernels, tile, ELEMENT_F8);
}

#endif
