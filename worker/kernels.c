#include "worker/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/*
 * Eight lanes are two of these. They may be loaded from any multiple of eight bytes. (A vector of eight would be kept
 * in memory by compilers whose target has no such register.)
 */
typedef double lanes4 __attribute__((vector_size(32), aligned(8), may_alias));

#define INLINE static inline __attribute__((always_inline))

bool kernels_init(struct kernels *kernels, uint32_t features, bool skip_missing, enum kernel_clone clone)
{
	*kernels = (struct kernels){.features = features, .clone = clone};
	if (!tile_reader_init(&kernels->reader, features, skip_missing))
		return false;
	kernels->errors = malloc(kernels->reader.capacity * sizeof(double));
	kernels->lanes = malloc(TILE_LANES * ((size_t)features + 1) * sizeof(double));
	kernels->sums = malloc(features * sizeof(double));
	if (kernels->errors != NULL && kernels->lanes != NULL && kernels->sums != NULL)
		return true;
	kernels_release(kernels);
	return false;
}

void kernels_release(struct kernels *kernels)
{
	tile_reader_release(&kernels->reader);
	free(kernels->errors);
	free(kernels->lanes);
	free(kernels->sums);
	kernels->errors = kernels->lanes = kernels->sums = NULL;
}

void kernels_choose(struct kernels *kernels, enum kernel kernel, const double *parameters, const double *centre)
{
	kernels->kernel = kernel;
	kernels->parameters = parameters;
	kernels->centre = centre;
}

/* The one order in which eight lanes are added. */
static double add_lanes(const double *lane)
{
	return ((lane[0] + lane[4]) + (lane[2] + lane[6])) + ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

/* The target of curvature is nothing: e is the prediction itself. */
INLINE double target_of(const struct kernels *kernels, const struct tile *tile, size_t row)
{
	if (kernels->kernel == KERNEL_CURVATURE)
		return 0.0;
	return tile->y[row * tile->row_stride] - kernels->centre[kernels->features];
}

/* One row of a narrow tile. */
INLINE double narrow_error(const struct kernels *kernels, const struct tile *tile, size_t row, uint32_t d)
{
	double prediction = kernels->parameters[d];
	for (uint32_t j = 0; j < d; j++)
		prediction += kernels->parameters[j] * (tile->column[j][row * tile->row_stride] - kernels->centre[j]);
	return prediction - target_of(kernels, tile, row);
}

/* The numbers of four rows from `row` on in a column. A stride known to be 1 makes it one load. */
#define FOUR_ROWS(column, row, stride)                                                          \
	((stride) == 1 ? *(const lanes4 *)((column) + (row))                                    \
	               : (lanes4){(column)[(row) * (stride)], (column)[((row) + 1) * (stride)], \
	                         (column)[((row) + 2) * (stride)], (column)[((row) + 3) * (stride)]})

/*
 * Gradient sums over a narrow tile, eight rows at a time. d is known to the compiler, so that the sums stay in
 * registers, and so is a stride of 1.
 */
INLINE void narrow_gradient_for(struct kernels *kernels, const struct tile *tile, const uint32_t d, const size_t stride)
{
	const double *p = kernels->parameters;
	const double *c = kernels->centre;
	const double target_weight = kernels->kernel == KERNEL_CURVATURE ? 0.0 : 1.0;
	lanes4 sums[2 * TILE_WIDE_FEATURES];
	lanes4 total[2], square[2];
	memcpy(sums, kernels->lanes, 8 * d * sizeof(double));
	memcpy(total, kernels->totals, sizeof total);
	memcpy(square, kernels->squares, sizeof square);
	size_t row = 0;
	for (; row + 8 <= tile->rows; row += 8) {
		for (uint32_t half = 0; half < 2; half++) {
			size_t first = row + 4 * half;
			lanes4 e = {p[d], p[d], p[d], p[d]};
			for (uint32_t j = 0; j < d; j++)
				e += p[j] * (FOUR_ROWS(tile->column[j], first, stride) - c[j]);
			if (target_weight != 0.0)
				e -= FOUR_ROWS(tile->y, first, stride) - c[d];
			for (uint32_t j = 0; j < d; j++)
				sums[2 * j + half] += e * (FOUR_ROWS(tile->column[j], first, stride) - c[j]);
			total[half] += e;
			square[half] += e * e;
		}
	}
	memcpy(kernels->lanes, sums, 8 * d * sizeof(double));
	memcpy(kernels->totals, total, sizeof total);
	memcpy(kernels->squares, square, sizeof square);
	for (; row < tile->rows; row++) {
		double e = narrow_error(kernels, tile, row, d);
		for (uint32_t j = 0; j < d; j++)
			kernels->lanes[8 * j + row % 8] += e * (tile->column[j][row * tile->row_stride] - c[j]);
		kernels->totals[row % 8] += e;
		kernels->squares[row % 8] += e * e;
	}
}

INLINE void narrow_gradient(struct kernels *kernels, const struct tile *tile, const uint32_t d)
{
	if (tile->row_stride == 1)
		narrow_gradient_for(kernels, tile, d, 1);
	else
		narrow_gradient_for(kernels, tile, d, tile->row_stride);
}

/* The errors of `rows` (a constant to the compiler, at most four) consecutive rows of a wide tile. */
INLINE void wide_errors(
        const struct kernels *kernels, const struct tile *tile, size_t row, const size_t rows, double *errors)
{
	const double *p = kernels->parameters;
	const double *c = kernels->centre;
	uint32_t d = kernels->features;
	const double *x = tile->x + row * tile->row_stride;
	lanes4 low[4] = {{0}}, high[4] = {{0}};
	uint32_t j = 0;
	for (; j + 8 <= d; j += 8) {
		lanes4 p_low = *(const lanes4 *)(p + j), p_high = *(const lanes4 *)(p + j + 4);
		lanes4 c_low = *(const lanes4 *)(c + j), c_high = *(const lanes4 *)(c + j + 4);
		for (size_t r = 0; r < rows; r++) {
			const double *at = x + r * tile->row_stride + j;
			low[r] += p_low * (*(const lanes4 *)at - c_low);
			high[r] += p_high * (*(const lanes4 *)(at + 4) - c_high);
		}
	}
	for (size_t r = 0; r < rows; r++) {
		double lane[8];
		memcpy(lane, &low[r], sizeof low[r]);
		memcpy(lane + 4, &high[r], sizeof high[r]);
		for (uint32_t t = j; t < d; t++)
			lane[t - j] += p[t] * (x[r * tile->row_stride + t] - c[t]);
		errors[r] = (add_lanes(lane) + p[d]) - target_of(kernels, tile, row + r);
	}
}

/* sums += Σ e·(x - c) over four rows of a wide tile. */
INLINE void wide_accumulate_four(struct kernels *kernels, const struct tile *tile, size_t row, const double *errors)
{
	const double *c = kernels->centre;
	double *sums = kernels->sums;
	size_t s = tile->row_stride;
	const double *x = tile->x + row * s;
	double e0 = errors[0], e1 = errors[1], e2 = errors[2], e3 = errors[3];
	uint32_t j = 0;
	for (; j + 4 <= kernels->features; j += 4) {
		lanes4 centre = *(const lanes4 *)(c + j);
		lanes4 x0 = *(const lanes4 *)(x + j) - centre, x1 = *(const lanes4 *)(x + s + j) - centre;
		lanes4 x2 = *(const lanes4 *)(x + 2 * s + j) - centre, x3 = *(const lanes4 *)(x + 3 * s + j) - centre;
		*(lanes4 *)(sums + j) += (e0 * x0 + e1 * x1) + (e2 * x2 + e3 * x3);
	}
	for (; j < kernels->features; j++)
		sums[j] += (e0 * (x[j] - c[j]) + e1 * (x[s + j] - c[j])) +
		           (e2 * (x[2 * s + j] - c[j]) + e3 * (x[3 * s + j] - c[j]));
}

INLINE void wide_accumulate_one(struct kernels *kernels, const struct tile *tile, size_t row, double error)
{
	const double *x = tile->x + row * tile->row_stride;
	for (uint32_t j = 0; j < kernels->features; j++)
		kernels->sums[j] += error * (x[j] - kernels->centre[j]);
}

INLINE void wide_gradient(struct kernels *kernels, const struct tile *tile)
{
	double *errors = kernels->errors;
	size_t row = 0;
	for (; row + 4 <= tile->rows; row += 4) {
		wide_errors(kernels, tile, row, 4, errors + row);
		wide_accumulate_four(kernels, tile, row, errors + row);
	}
	for (; row < tile->rows; row++) {
		wide_errors(kernels, tile, row, 1, errors + row);
		wide_accumulate_one(kernels, tile, row, errors[row]);
	}
	for (row = 0; row < tile->rows; row++) {
		kernels->totals[row % 8] += errors[row];
		kernels->squares[row % 8] += errors[row] * errors[row];
	}
}

INLINE void gradient(struct kernels *kernels, const struct tile *tile)
{
	switch (kernels->features) {
	case 1:
		narrow_gradient(kernels, tile, 1);
		break;
	case 2:
		narrow_gradient(kernels, tile, 2);
		break;
	case 3:
		narrow_gradient(kernels, tile, 3);
		break;
	case 4:
		narrow_gradient(kernels, tile, 4);
		break;
	case 5:
		narrow_gradient(kernels, tile, 5);
		break;
	case 6:
		narrow_gradient(kernels, tile, 6);
		break;
	case 7:
		narrow_gradient(kernels, tile, 7);
		break;
	default:
		wide_gradient(kernels, tile);
		break;
	}
}

INLINE void metrics(struct kernels *kernels, const struct tile *tile)
{
	for (size_t row = 0; row < tile->rows; row++) {
		double e;
		if (kernels->features < TILE_WIDE_FEATURES)
			e = narrow_error(kernels, tile, row, kernels->features);
		else
			wide_errors(kernels, tile, row, 1, &e);
		kernels->totals[row % 8] += fabs(e);
		kernels->squares[row % 8] += e * e;
	}
}

/* Sums of x - p, or of its square, by lane and column; the target is the last column. */
INLINE void deviations(struct kernels *kernels, const struct tile *tile)
{
	const double *p = kernels->parameters;
	uint32_t d = kernels->features;
	bool squared = kernels->kernel == KERNEL_MOMENTS;
	for (size_t row = 0; row < tile->rows; row++) {
		for (uint32_t j = 0; j <= d; j++) {
			double deviation = tile_value(tile, row, j, d) - p[j];
			kernels->lanes[8 * (size_t)j + row % 8] += squared ? deviation * deviation : deviation;
		}
	}
}

INLINE void sum_tile(struct kernels *kernels, const struct tile *tile)
{
	switch (kernels->kernel) {
	case KERNEL_MEANS:
	case KERNEL_MOMENTS:
		deviations(kernels, tile);
		break;
	case KERNEL_METRICS:
		metrics(kernels, tile);
		break;
	case KERNEL_GRADIENT:
	case KERNEL_CURVATURE:
	case KERNEL_COUNT:
		gradient(kernels, tile);
		break;
	}
}

static void sum_tile_baseline(struct kernels *kernels, const struct tile *tile)
{
	sum_tile(kernels, tile);
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void sum_tile_avx2(struct kernels *kernels, const struct tile *tile)
{
	sum_tile(kernels, tile);
}
#else
#define sum_tile_avx2 sum_tile_baseline
#endif

static void (*const clones[CLONE_COUNT])(struct kernels *, const struct tile *) = {
        [CLONE_BASELINE] = sum_tile_baseline,
        [CLONE_AVX2] = sum_tile_avx2,
};

enum kernel_clone kernel_best_clone(void)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return CLONE_AVX2;
#endif
	return CLONE_BASELINE;
}

static void finish_leaf(const struct kernels *kernels, double *out)
{
	uint32_t d = kernels->features;
	bool by_column = kernels->kernel == KERNEL_MEANS || kernels->kernel == KERNEL_MOMENTS;
	bool narrow = d < TILE_WIDE_FEATURES;
	if (by_column) {
		for (uint32_t j = 0; j <= d; j++)
			*out++ = add_lanes(kernels->lanes + 8 * (size_t)j);
	} else if (kernels->kernel == KERNEL_METRICS) {
		*out++ = add_lanes(kernels->squares);
		*out++ = add_lanes(kernels->totals);
	} else {
		for (uint32_t j = 0; j < d; j++)
			*out++ = narrow ? add_lanes(kernels->lanes + 8 * (size_t)j) : kernels->sums[j];
		*out++ = add_lanes(kernels->totals);
		*out++ = add_lanes(kernels->squares);
	}
	*out = (double)kernels->rows;
}

bool kernels_sum_leaf(struct kernels *kernels, const struct leaf_rows *leaf, double *out)
{
	struct tile tile;
	kernels->rows = 0;
	memset(kernels->lanes, 0, TILE_LANES * ((size_t)kernels->features + 1) * sizeof(double));
	memset(kernels->sums, 0, kernels->features * sizeof(double));
	memset(kernels->squares, 0, sizeof kernels->squares);
	memset(kernels->totals, 0, sizeof kernels->totals);
	tile_reader_begin(&kernels->reader, leaf);
	while (tile_reader_next(&kernels->reader, &tile)) {
		clones[kernels->clone](kernels, &tile);
		kernels->rows += tile.rows;
	}
	if (kernels->rows == 0)
		return false;
	finish_leaf(kernels, out);
	return true;
}
