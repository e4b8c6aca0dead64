#include "tests/unit/row_layouts.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const struct row_layout row_layouts[] = {
        {.name = "rows", .element = ELEMENT_F8},
        {.name = "rows from an odd multiple of 8", .element = ELEMENT_F8, .shift = 8},
        {.name = "rows with unused columns behind", .element = ELEMENT_F8, .spare = 3, .shift = 8},
        {.name = "rows, target in front", .element = ELEMENT_F8, .target_first = true},
        {.name = "rows with a gap in them", .element = ELEMENT_F8, .gap = 2, .needs_copy = true},
        {.name = "rows, columns picked", .element = ELEMENT_F8, .picked = true, .needs_copy = true},
        {.name = "rows, misaligned", .element = ELEMENT_F8, .shift = 3},
        {.name = "rows, picked and misaligned", .element = ELEMENT_F8, .picked = true, .shift = 4, .needs_copy = true},
        {.name = "columns", .element = ELEMENT_F8, .by_columns = true},
        {.name = "columns apart", .element = ELEMENT_F8, .by_columns = true, .spare = 5, .shift = 8},
        {.name = "columns, picked", .element = ELEMENT_F8, .by_columns = true, .picked = true},
        {.name = "columns, misaligned", .element = ELEMENT_F8, .by_columns = true, .shift = 5},
        {.name = "rows of f4", .element = ELEMENT_F4},
        {.name = "rows of f4, picked and misaligned",
                .element = ELEMENT_F4,
                .picked = true,
                .shift = 1,
                .needs_copy = true},
        {.name = "columns of f4", .element = ELEMENT_F4, .by_columns = true, .shift = 4},
};
const size_t row_layout_count = sizeof row_layouts / sizeof *row_layouts;

/* Where the first row of a column is, in elements, and how far apart rows are. */
static size_t column_start(const struct row_layout *layout, size_t column, size_t columns, size_t rows)
{
	size_t place = layout->picked ? 2 * (columns - 1 - column) + 1 : column + (column < 2 ? 0 : layout->gap);
	if (layout->target_first)
		place = (column + 1) % columns;
	return layout->by_columns ? place * (rows + layout->spare) : place;
}

static size_t row_step(const struct row_layout *layout, size_t columns)
{
	if (layout->by_columns)
		return 1;
	return (layout->picked ? 2 * columns : columns) + layout->gap + layout->spare;
}

static size_t elements(const struct row_layout *layout, size_t columns, size_t rows)
{
	if (!layout->by_columns)
		return rows * row_step(layout, columns);
	size_t last = column_start(layout, layout->picked ? 0 : columns - 1, columns, rows);
	return last + rows;
}

static void store(unsigned char *at, enum element_type element, double value)
{
	float narrow = (float)value;
	if (element == ELEMENT_F8)
		memcpy(at, &value, sizeof value);
	else
		memcpy(at, &narrow, sizeof narrow);
}

struct laid_rows rows_lay(const struct row_layout *layout, const double *table, size_t rows, uint32_t features)
{
	size_t columns = (size_t)features + 1;
	size_t bytes = layout->element == ELEMENT_F8 ? sizeof(double) : sizeof(float);
	struct laid_rows laid = {.size = layout->shift + elements(layout, columns, rows) * bytes};
	laid.memory = malloc(laid.size + 1); /* not malloc(0) */
	laid.offsets = calloc(columns, sizeof *laid.offsets);
	cr_assert(laid.memory != NULL && laid.offsets != NULL);
	memset(laid.memory, 0xFF, laid.size); /* NaN, in either type */
	laid.leaf = (struct leaf_rows){
	        .base = laid.memory + layout->shift,
	        .offsets = laid.offsets,
	        .row_stride = row_step(layout, columns) * bytes,
	        .rows = rows,
	        .element = layout->element,
	        .side_by_side = layout->by_columns || layout->picked ? 1
	                        : layout->gap > 0                    ? 2
	                        : layout->target_first               ? features
	                                                             : columns,
	};
	for (size_t j = 0; j < columns; j++) {
		laid.offsets[j] = column_start(layout, j, columns, rows) * bytes;
		for (size_t r = 0; r < rows; r++)
			store(laid.memory + layout->shift + laid.offsets[j] + r * laid.leaf.row_stride, layout->element,
			        table[r * columns + j]);
	}
	return laid;
}

void rows_release(struct laid_rows *laid)
{
	free(laid->memory);
	free(laid->offsets);
}

static double *new_table(size_t rows, uint32_t features)
{
	double *table = calloc(rows * ((size_t)features + 1) + 1, sizeof *table);
	cr_assert(table != NULL);
	return table;
}

double *rows_random(uint64_t *state, size_t rows, uint32_t features)
{
	double *table = new_table(rows, features);
	for (size_t i = 0; i < rows * ((size_t)features + 1); i++) {
		uint64_t bits = random_next(state);
		switch (bits & 31) {
		case 0:
			table[i] = 0.0;
			break;
		case 1:
			table[i] = -0.0;
			break;
		default: /* 24 bits, and magnitudes from 2^-12 to 2^11 */
			table[i] = ((double)(bits >> 40) - 0x1p23) / (double)(UINT64_C(1) << (12 + (bits >> 8) % 24));
			break;
		}
	}
	return table;
}

double *rows_random_whole(uint64_t *state, size_t rows, uint32_t features, unsigned bound)
{
	double *table = new_table(rows, features);
	for (size_t i = 0; i < rows * ((size_t)features + 1); i++)
		table[i] = (double)random_below(state, 2 * bound + 1) - bound;
	return table;
}

size_t rows_spoil(uint64_t *state, double *table, size_t rows, uint32_t features, double **kept)
{
	size_t columns = (size_t)features + 1, count = 0;
	*kept = new_table(rows, features);
	for (size_t r = 0; r < rows; r++) {
		double *row = table + r * columns;
		if (random_below(state, 4) == 0)
			row[random_below(state, (unsigned)columns)] =
			        random_below(state, 2) == 0 ? (double)NAN : -(double)NAN;
		else
			memcpy(*kept + count++ * columns, row, columns * sizeof *row);
	}
	return count;
}
