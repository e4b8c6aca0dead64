#include "worker/residuals.h"

#include <string.h>

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
	struct leaf_rows tile;
	memset(out, 0, (RESIDUAL_BINS + 1) * sizeof *out);
	tile_reader_begin(question->reader, leaf);
	while (tile_reader_next(question->reader, &tile)) {
		for (size_t row = 0; row < tile.rows; row++)
			out[bin_of(residual(question, &tile, row), width)] += 1.0;
		out[RESIDUAL_BINS] += (double)tile.rows;
	}
	return out[RESIDUAL_BINS] > 0.0;
}

static bool sample(const struct residual_question *question, uint32_t place, const struct leaf_rows *leaf, double *out)
{
	struct leaf_rows tile;
	tile_reader_begin(question->reader, leaf);
	if (!tile_reader_next(question->reader, &tile) || tile.rows == 0)
		return false;
	memset(out, 0, (3 * SAMPLE_SLICE + 1) * sizeof *out);
	out[3 * place] = 1.0;
	out[3 * place + 1] = leaf_number(&tile, 0, question->reader->features);
	out[3 * place + 2] = residual(question, &tile, 0);
	out[3 * SAMPLE_SLICE] = 1.0;
	return true;
}

static bool find_place(const struct residual_question *question, uint32_t leaf, uint32_t *place)
{
	double slice = question->params->values[question->params->count - 1];
	return sums_sample_place(leaf, question->leaf_count, slice, place);
}

bool residuals_want_leaf(const struct residual_question *question, uint32_t leaf)
{
	uint32_t place;
	return question->params->kernel != KERNEL_SAMPLE || find_place(question, leaf, &place);
}

bool residuals_sum_leaf(
        const struct residual_question *question, uint32_t leaf, const struct leaf_rows *rows, double *out)
{
	uint32_t place;
	if (question->params->kernel != KERNEL_SAMPLE)
		return count_by_bin(question, rows, out);
	return find_place(question, leaf, &place) && sample(question, place, rows, out);
}
