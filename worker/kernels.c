#include "worker/kernels.h"

#include "worker/cache_line.h"
#include "worker/kernels_ahead.h"
#include "worker/kernels_avx512.h"
#include "worker/kernels_habits.h"
#include "worker/kernels_shared.h"

#include <stdlib.h>
#include <string.h>

/* Would rows in Fortran order be summed in runs? */
static bool goes_in_runs(const struct kernels *kernels)
{
	return kernel_habits[kernels->clone].goes_in_runs && kernels->features >= KERNELS_RUN_FEATURES_FEWEST &&
	       kernels->features <= KERNELS_RUN_FEATURES_MOST;
}

/*
 * The arrays lie one behind the other in whole lines of cache, so that no vector lies in two. Each long one
 * begins a quarter of a page farther into its page than the one before: a processor that compares addresses within a
 * page takes a load from one for a load of what was just stored into another, and waits. On an AMD EPYC (family 25)
 * epochs of 511 columns of f8 came to 0.94 of two processes that only read instead of 0.85, and 1000 of f4 to 0.66
 * instead of 0.57, or 0.46 where all four began at a page. False: out of memory.
 */
static bool make_arrays(struct kernels *kernels)
{
	enum { PAGE = 4096 };
	const size_t block = BLOCK * sizeof(double), least = kernels->blocks * block;
	const size_t apart = least < PAGE / 4 ? least : (least + PAGE - 1) / PAGE * PAGE + PAGE / 4;
	const size_t bytes = 3 * apart + EIGHT * least;
	const size_t kept = goes_in_runs(kernels) ? kernels->blocks * block * KERNELS_RUN_ROWS : 0;
	const size_t of_run = kept > 0 ? kept + PAGE / 2 + KERNELS_RUN_ROWS_BYTES : 0;
	unsigned char *arrays = aligned_alloc(CACHE_LINE, bytes + of_run);
	if (arrays == NULL)
		return false;
	memset(arrays, 0, bytes);
	kernels->weights = (double *)arrays;
	kernels->centre = (double *)(arrays + apart);
	kernels->sums = (double *)(arrays + 2 * apart);
	kernels->group = (double *)(arrays + 3 * apart);
	if (kept > 0) { /* is written before it is read, and takes no memory until then */
		kernels->run_kept = (double *)(arrays + bytes);
		kernels->run = (double *)(arrays + bytes + kept + PAGE / 2);
	}
	return true;
}

bool kernels_init(struct kernels *kernels, uint32_t features, bool skip_missing, enum kernel_clone clone)
{
	*kernels = (struct kernels){.features = features, .clone = clone, .asks_ahead = true};
	kernels->blocks = features < TILE_WIDE_FEATURES ? features : ((size_t)features + BLOCK - 1) / BLOCK;
	if (!tile_reader_init(&kernels->reader, features, skip_missing))
		return false;
	if (make_arrays(kernels))
		return true;
	kernels_release(kernels);
	return false;
}

void kernels_release(struct kernels *kernels)
{
	tile_reader_release(&kernels->reader);
	free(kernels->weights); /* and what lies behind it */
	kernels->weights = kernels->centre = kernels->sums = kernels->group = kernels->run_kept = kernels->run = NULL;
}

void kernels_expect(struct kernels *kernels, uint64_t bytes)
{
	kernels->asks_ahead = bytes > AHEAD_NOT_OF;
}

void kernels_choose(struct kernels *kernels, enum kernel kernel, const double *parameters, const double *centre)
{
	size_t d = kernels->features;
	if (kernel == KERNEL_MEANS || kernel == KERNEL_MOMENTS)
		centre = parameters;
	kernels->kernel = kernel;
	kernels->predicted_next = NULL;
	kernels->intercept = parameters[d];
	kernels->target_centre = centre[d];
	kernels->is_centred = false;
	for (size_t j = 0; j < d; j++)
		kernels->is_centred |= centre[j] != 0.0; /* as NaN is, too */
	if (d < TILE_WIDE_FEATURES) {
		memcpy(kernels->weights, parameters, d * sizeof *parameters);
		for (size_t j = 0; j < d; j++)
			kernels->centre[j] = -centre[j];
		return;
	}
	for (size_t i = 0; i < BLOCK * kernels->blocks; i++) {
		size_t column = block_column(i / BLOCK * BLOCK, d) + i % BLOCK;
		kernels->weights[i] = column < i / BLOCK * BLOCK ? 0.0 : parameters[column];
		kernels->centre[i] = -centre[column];
	}
}

#if defined(__x86_64__)
/* AMD's have AVX-512 from family 25 on, and what is not known here is more like its successor. */
static enum kernel_clone best_avx512_clone(void)
{
	if (!__builtin_cpu_is("amd"))
		return CLONE_AVX512;
	return __builtin_cpu_is("amdfam19h") ? CLONE_AVX512_ZEN4 : CLONE_AVX512_ZEN5;
}
#endif

enum kernel_clone kernel_best_clone(void)
{
#if defined(__x86_64__)
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
		return CLONE_BASELINE;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	        __builtin_cpu_supports("avx512dq"))
		return best_avx512_clone();
	return CLONE_AVX2;
#else
	return CLONE_BASELINE;
#endif
}

/* Copies sums, but 0 for -0, which is what it becomes wherever a row of zeros stands in for one that is missing. */
static double *write_sums(const double *sums, size_t count, double *out)
{
	size_t i = 0;
	for (; i + LANES <= count; i += LANES)
		lanes_store(out + i, lanes_at(sums + i) + 0.0);
	for (; i < count; i++)
		out[i] = sums[i] + 0.0;
	return out + count;
}

/* Writes the columns' sums side by side; returns where the next number belongs. */
static double *write_columns(const struct kernels *kernels, double *out)
{
	size_t d = kernels->features, behind = d % BLOCK;
	if (d < TILE_WIDE_FEATURES) {
		for (size_t j = 0; j < d; j++)
			*out++ = lanes_add_eight(kernels->sums + EIGHT * j) + 0.0;
		return out;
	}
	out = write_sums(kernels->sums, d - behind, out);
	/* The last block's other sums are of columns that the block before has. */
	return write_sums(kernels->sums + BLOCK * kernels->blocks - behind, behind, out);
}

static void finish_leaf(const struct kernels *kernels, size_t rows, double *out)
{
	if (kernels->kernel == KERNEL_METRICS) {
		*out++ = lanes_add_eight(kernels->squares) + 0.0;
		*out++ = lanes_add_eight(kernels->totals) + 0.0;
	} else {
		out = write_columns(kernels, out);
		*out++ = lanes_add_eight(kernels->totals) + 0.0;
		if (!deviates(kernels))
			*out++ = lanes_add_eight(kernels->squares) + 0.0;
	}
	*out = (double)rows;
}

/* Returns how many of the tile's rows, of whole eights or all, an AVX-512 clone has summed. */
static size_t sum_by_eight(struct kernels *kernels, const struct leaf_rows *tile)
{
#if defined(__x86_64__)
	if (kernels->clone < CLONE_AVX512 || kernels->kernel == KERNEL_MOMENTS || kernels->kernel == KERNEL_METRICS)
		return 0;
	if (kernels->features < TILE_WIDE_FEATURES)
		return kernels_sum_narrow_avx512(kernels, tile);
	if (tile->row_stride == element_bytes(tile->element))
		return kernels_sum_columns_avx512(kernels, tile);
	return kernels_sum_wide_avx512(kernels, tile);
#else
	(void)kernels;
	(void)tile;
	return 0;
#endif
}

static void sum_tile(struct kernels *kernels, const struct leaf_rows *tile)
{
	const size_t rows = sum_by_eight(kernels, tile);
	if (rows == tile->rows)
		return;
	struct leaf_rows rest = *tile;
	rest.base += rows * rest.row_stride;
	rest.rows -= rows;
#if defined(__x86_64__)
	if (kernels->clone >= CLONE_AVX2) {
		kernels_sum_avx2(kernels, &rest);
		return;
	}
#endif
	kernels_sum_baseline(kernels, &rest);
}

bool kernels_sum_leaf(struct kernels *kernels, const struct leaf_rows *leaf, double *out)
{
	size_t rows = 0;
	kernels->predicted = kernels->predicted_next;
	kernels->predicted_next = NULL;
	memset(kernels->sums, 0, kernels->blocks * BLOCK * sizeof *kernels->sums);
	memset(kernels->squares, 0, sizeof kernels->squares);
	memset(kernels->totals, 0, sizeof kernels->totals);
	tile_reader_begin(&kernels->reader, leaf);
	for (const struct leaf_rows *tile; (tile = tile_reader_next(&kernels->reader)) != NULL; rows += tile->rows)
		sum_tile(kernels, tile);
	if (rows == 0)
		return false;
	finish_leaf(kernels, rows, out);
	return true;
}
