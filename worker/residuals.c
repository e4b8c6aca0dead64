#include "worker/residuals.h"

#include <string.h>

_Static_assert(SAMPLE_OF_LEAF <= TILE_ROWS, "a leaf's first tile has the rows of the sample");

/* y - (w·x + b) */
static double residual(const struct residual_question *question, const struct leaf_rows *tile, size_t row)
{
	uint32_t d = question->reader->features;
	const double *p = question->params->values, *c = question->centre;
	double fitted = p[d];
	for (uint32_t j = 0; j < d; j++)
		fitted += p[j] * (leaf_number(tile, row, j) - c[j]);
	return (leaf_number(tile, row, d) - c[d]) - fitted;
}

static size_t bin_of(double residual, double width)
{
	double position = residual / width + RESIDUAL_SPAN;
	if (position >= 2 * RESIDUAL_SPAN)
		return RESIDUAL_BINS - 1;
	return position >= 0.0 ? 1 + (size_t)position : 0;
}

static bool count_by_bin(const struct residual_question *question, const struct leaf_rows *leaf, double *out)
{
	double width = question->params->values[question->params->count - 1];
	const struct leaf_rows *tile;
	memset(out, 0, (RESIDUAL_BINS + 1) * sizeof *out);
	tile_reader_begin(question->reader, leaf);
	while ((tile = tile_reader_next(question->reader)) != NULL) {
		for (size_t row = 0; row < tile->rows; row++)
			out[bin_of(residual(question, tile, row), width)] += 1.0;
		out[RESIDUAL_BINS] += (double)tile->rows;
	}
	return out[RESIDUAL_BINS] > 0.0;
}

/* Is the point of the sample in the slice that is asked for? */
static bool is_in_slice(const struct residual_question *question, uint64_t point)
{
	uint64_t slice = point / SAMPLE_SLICE;
	return (double)slice == question->params->values[question->params->count - 1];
}

static bool sample(
        const struct residual_question *question, uint32_t leaf_index, const struct leaf_rows *leaf, double *out)
{
	struct range points = sums_sample_of_leaf(leaf_index, question->leaf_count);
	tile_reader_begin(question->reader, leaf);
	const struct leaf_rows *tile = tile_reader_next(question->reader);
	if (tile == NULL)
		return false;
	memset(out, 0, (3 * SAMPLE_SLICE + 1) * sizeof *out);
	for (size_t row = 0; row < tile->rows && row < points.end - points.begin; row++) {
		uint64_t point = points.begin + row;
		if (!is_in_slice(question, point))
			continue;
		double *told = out + 3 * (point % SAMPLE_SLICE);
		told[0] = 1.0;
		told[1] = leaf_number(tile, row, question->reader->features);
		told[2] = residual(question, tile, row);
		out[3 * SAMPLE_SLICE] += 1.0;
	}
	return out[3 * SAMPLE_SLICE] > 0.0;
}

bool residuals_want_leaf(const struct residual_question *question, uint32_t leaf)
{
	if (question->params->kernel != KERNEL_SAMPLE)
		return true;
	struct range points = sums_sample_of_leaf(leaf, question->leaf_count);
	for (uint64_t point = points.begin; point < points.end; point++)
		if (is_in_slice(question, point))
			return true;
	return false;
}

bool residuals_sum_leaf(
        const struct residual_question *question, uint32_t leaf, const struct leaf_rows *rows, double *out)
{
	if (question->params->kernel == KERNEL_SAMPLE)
		return sample(question, leaf, rows, out);
	return count_by_bin(question, rows, out);
}
