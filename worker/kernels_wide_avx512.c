#include "worker/kernels_avx512.h"

#if defined(__AVX512F__)

#include "worker/kernels_ahead.h"
#include "worker/kernels_pair.h"
#include "worker/kernels_shared.h"

/* What a group's sweeps need, pair of blocks by pair. */
struct sweep {
	const double *weights, *centre;
	double *sums;
	size_t pairs;      /* the last may have one block */
	size_t row_stride; /* in bytes */
	size_t last;       /* where the last eight columns of a row are, in bytes from its first; */
	__m512i blocks;    /* which of them are in the last pair's blocks, */
	__mmask8 there;    /* and which numbers of that pair there are */
};

INLINE struct sweep sweep_of(const struct kernels *kernels, const struct leaf_rows *tile)
{
	const size_t d = kernels->features, blocks = kernels->blocks;
	const bool is_whole = blocks % 2 == 0;
	const long long low = is_whole ? (long long)(LANES * (blocks - 2) - (d - PAIR)) : LANES;
	return (struct sweep){
	        .weights = kernels->weights,
	        .centre = kernels->centre,
	        .sums = kernels->sums,
	        .pairs = (blocks + 1) / 2,
	        .row_stride = tile->row_stride,
	        .last = (d - PAIR) * element_bytes(tile->element),
	        .blocks = _mm512_setr_epi64(low, low + 1, low + 2, low + 3, 4, 5, 6, 7),
	        .there = is_whole ? 0xff : 0x0f,
	};
}

/* A pair of blocks in four rows, centred; what is not there is as the centre, 0. */
INLINE void rows_at(const struct sweep *sweep, const unsigned char *row, size_t p, const bool is_last,
        const enum element_type element, pair *x)
{
	const size_t at = is_last ? sweep->last : PAIR * p * element_bytes(element);
	const pair c = pair_at(sweep->centre + PAIR * p);
#pragma GCC unroll 4
	for (size_t i = 0; i < LANES; i++) {
		x[i] = pair_of_elements(row + i * sweep->row_stride + at, element);
		if (is_last)
			x[i] = (pair)_mm512_maskz_permutexvar_pd(sweep->there, sweep->blocks, (__m512d)x[i]);
		x[i] += c;
	}
}

/* A row's four sums in each half: rows 0 and 1, and rows 2 and 3. */
struct predictions {
	pair of_01, of_23;
};

INLINE void add_predictions(const struct sweep *sweep, size_t p, const pair *x, struct predictions *sums)
{
	const pair w = pair_at(sweep->weights + PAIR * p);
	const pair x0 = w * x[0], x1 = w * x[1], x2 = w * x[2], x3 = w * x[3];
	sums->of_01 += pair_lows(x0, x1);
	sums->of_23 += pair_lows(x2, x3);
	sums->of_01 += pair_highs(x0, x1);
	sums->of_23 += pair_highs(x2, x3);
}

/* Σ e·x over the group. */
INLINE pair products(const pair *x, const pair *e)
{
	return (e[0] * x[0] + e[2] * x[2]) + (e[1] * x[1] + e[3] * x[3]);
}

/* What each row is multiplied with, in all eight numbers. */
INLINE void group_errors(const struct kernels *kernels, const struct predictions *of_rows, const unsigned char *target,
        const struct sweep *sweep, const enum element_type element, struct row_sums *sums, pair *e)
{
	const size_t stride = sweep->row_stride;
	const lanes prediction = lanes_add_each(pair_low(of_rows->of_01), pair_high(of_rows->of_01),
	        pair_low(of_rows->of_23), pair_high(of_rows->of_23));
	const lanes y = (lanes){element_at(target, element), element_at(target + stride, element),
	                        element_at(target + 2 * stride, element), element_at(target + 3 * stride, element)} -
	                kernels->target_centre;
	const lanes of_row = add_rows(kernels, prediction + kernels->intercept, y, rows_counts(LANES), sums);
	const __m512d twice = _mm512_broadcast_f64x4((__m256d)of_row);
	e[0] = (pair)_mm512_permutex_pd(twice, 0x00);
	e[1] = (pair)_mm512_permutex_pd(twice, 0x55);
	e[2] = (pair)_mm512_permutex_pd(twice, 0xaa);
	e[3] = (pair)_mm512_permutex_pd(twice, 0xff);
}

/* So few columns that all of a group's numbers, and the columns' sums, are in registers. */
INLINE void few_pairs(const struct kernels *kernels, const struct leaf_rows *tile, const size_t pairs,
        const enum element_type element, struct row_sums *row_sums)
{
	enum { MOST = 4 };
	const struct sweep sweep = sweep_of(kernels, tile);
	const unsigned char *row = tile->base + tile->offsets[0];
	const unsigned char *target = tile->base + tile->offsets[kernels->features];
	pair sums[MOST];
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++)
		sums[p] = pair_at(sweep.sums + PAIR * p);
	for (size_t groups = tile->rows / LANES; groups > 0; groups--) {
		struct predictions predictions = {{0}, {0}};
		pair x[MOST][LANES], e[LANES];
#pragma GCC unroll 4
		for (size_t p = 0; p < pairs; p++) {
			rows_at(&sweep, row, p, p + 1 == pairs, element, x[p]);
			add_predictions(&sweep, p, x[p], &predictions);
		}
		group_errors(kernels, &predictions, target, &sweep, element, row_sums, e);
#pragma GCC unroll 4
		for (size_t p = 0; p < pairs; p++)
			sums[p] += products(x[p], e);
		row += LANES * tile->row_stride;
		target += LANES * tile->row_stride;
	}
#pragma GCC unroll 4
	for (size_t p = 0; p < pairs; p++)
		pair_store(sweep.sums + PAIR * p, sums[p]);
}

INLINE void many_pairs(const struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element,
        struct row_sums *row_sums)
{
	const struct sweep sweep = sweep_of(kernels, tile);
	const unsigned char *row = tile->base + tile->offsets[0];
	const unsigned char *target = tile->base + tile->offsets[kernels->features];
	for (size_t groups = tile->rows / LANES; groups > 0; groups--) {
		struct predictions predictions = {{0}, {0}};
		pair x[LANES], e[LANES];
		size_t p = 0;
		for (; p + 1 < sweep.pairs; p++) {
			rows_at(&sweep, row, p, false, element, x);
			add_predictions(&sweep, p, x, &predictions);
		}
		rows_at(&sweep, row, p, true, element, x);
		add_predictions(&sweep, p, x, &predictions);
		group_errors(kernels, &predictions, target, &sweep, element, row_sums, e);
		pair_store(sweep.sums + PAIR * p, pair_at(sweep.sums + PAIR * p) + products(x, e));
		for (p = 0; p + 1 < sweep.pairs; p++) {
			rows_at(&sweep, row, p, false, element, x);
			pair_store(sweep.sums + PAIR * p, pair_at(sweep.sums + PAIR * p) + products(x, e));
		}
		row += LANES * tile->row_stride;
		target += LANES * tile->row_stride;
	}
}

INLINE size_t wide_groups(struct kernels *kernels, const struct leaf_rows *tile, const enum element_type element)
{
	struct row_sums sums = {lanes_at(kernels->totals), lanes_at(kernels->squares)};
	switch ((kernels->blocks + 1) / 2) {
	case 1:
		few_pairs(kernels, tile, 1, element, &sums);
		break;
	case 2:
		few_pairs(kernels, tile, 2, element, &sums);
		break;
	case 3:
		few_pairs(kernels, tile, 3, element, &sums);
		break;
	case 4:
		few_pairs(kernels, tile, 4, element, &sums);
		break;
	default:
		many_pairs(kernels, tile, element, &sums);
	}
	lanes_store(kernels->totals, sums.total);
	lanes_store(kernels->squares, sums.square);
	return tile->rows / LANES * LANES;
}

size_t kernels_sum_wide_avx512(struct kernels *kernels, const struct leaf_rows *tile)
{
	if (tile->element == ELEMENT_F4)
		return wide_groups(kernels, tile, ELEMENT_F4);
	return wide_groups(kernels, tile, ELEMENT_F8);
}

#endif
