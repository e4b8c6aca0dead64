#include "worker/tile.h"

#include "tests/unit/random.h"
#include "tests/unit/row_layouts.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(tile, .timeout = 60);

/* Narrow, wide, and so wide that a tile has only eight rows. */
static const uint32_t feature_counts[] = {1, 2, 3, 4, 5, 7, 8, 16, 20, 100, 300, 3000};
enum { FEATURE_COUNTS = sizeof feature_counts / sizeof *feature_counts };

/* Less than a tile, tiles that are full to the last row, and many. */
static const size_t row_counts[] = {0, 1, 7, 8, 9, 16, 17, 64, 1000, 1024, 1025};
enum { ROW_COUNTS = sizeof row_counts / sizeof *row_counts };

/* Goes through a leaf's tiles; false where they do not show these rows, in order and in eights. */
static bool tiles_show(struct tile_reader *reader, const struct leaf_rows *leaf, const double *table, size_t rows)
{
	size_t columns = (size_t)reader->features + 1, shown = 0;
	const struct leaf_rows *tile;
	tile_reader_begin(reader, leaf);
	while ((tile = tile_reader_next(reader)) != NULL) {
		if (tile->rows == 0 || tile->rows > rows - shown ||
		        (shown + tile->rows < rows && tile->rows % TILE_ROWS != 0))
			return false;
		for (size_t r = 0; r < tile->rows; r++) {
			for (uint32_t j = 0; j < columns; j++) {
				double value = leaf_number(tile, r, j);
				if (memcmp(&value, &table[(shown + r) * columns + j], sizeof value) != 0)
					return false;
			}
		}
		shown += tile->rows;
	}
	return shown == rows && tile_reader_next(reader) == NULL;
}

Test(tile, shows_every_number_of_every_layout)
{
	uint64_t state = 1;
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct tile_reader reader;
		uint32_t d = feature_counts[i];
		cr_assert(tile_reader_init(&reader, d, false));
		/* Rows of thousands of features are long enough without being many. */
		for (int j = 0; j < ROW_COUNTS && row_counts[j] * d < 1000000; j++) {
			double *table = rows_random(&state, row_counts[j], d);
			for (size_t k = 0; k < row_layout_count; k++) {
				struct laid_rows laid = rows_lay(&row_layouts[k], table, row_counts[j], d);
				cr_assert(tiles_show(&reader, &laid.leaf, table, row_counts[j]),
				        "%u features, %zu rows, %s", d, row_counts[j], row_layouts[k].name);
				rows_release(&laid);
			}
			free(table);
		}
		tile_reader_release(&reader);
	}
}

Test(tile, shows_in_place_what_lies_in_shape)
{
	static const uint32_t narrow_and_wide[] = {3, 12};
	uint64_t state = 2;
	for (int wide = 0; wide < 2; wide++) {
		uint32_t d = narrow_and_wide[wide];
		double *table = rows_random(&state, 10, d);
		for (size_t k = 0; k < row_layout_count; k++) {
			struct laid_rows laid = rows_lay(&row_layouts[k], table, 10, d);
			struct tile_reader reader;
			cr_assert(tile_reader_init(&reader, d, false));
			tile_reader_begin(&reader, &laid.leaf);
			const struct leaf_rows *tile = tile_reader_next(&reader);
			cr_assert(tile != NULL);
			bool copied = wide && row_layouts[k].needs_copy;
			cr_expect_eq(tile->base == laid.leaf.base && tile->rows == 10, !copied, "%u features, %s", d,
			        row_layouts[k].name);
			tile_reader_release(&reader);
			rows_release(&laid);
		}
		free(table);
	}
}

Test(tile, leaves_out_rows_with_a_missing_value_if_told_to)
{
	uint64_t state = 3;
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct tile_reader reader;
		uint32_t d = feature_counts[i];
		cr_assert(tile_reader_init(&reader, d, true));
		for (int j = 0; j < ROW_COUNTS && row_counts[j] * d < 1000000; j++) {
			double *table = rows_random(&state, row_counts[j], d), *kept;
			size_t count = rows_spoil(&state, table, row_counts[j], d, &kept);
			for (size_t k = 0; k < row_layout_count; k++) {
				struct laid_rows laid = rows_lay(&row_layouts[k], table, row_counts[j], d);
				cr_assert(tiles_show(&reader, &laid.leaf, kept, count), "%u features, %zu rows, %s", d,
				        row_counts[j], row_layouts[k].name);
				rows_release(&laid);
			}
			free(kept);
			free(table);
		}
		tile_reader_release(&reader);
	}
}

Test(tile, shows_missing_values_like_others_unless_told_to_skip_them)
{
	double table[] = {1, NAN, NAN, 2};
	struct laid_rows laid = rows_lay(&row_layouts[0], table, 2, 1);
	struct tile_reader reader;
	cr_assert(tile_reader_init(&reader, 1, false));
	tile_reader_begin(&reader, &laid.leaf);
	const struct leaf_rows *tile = tile_reader_next(&reader);
	cr_assert(tile != NULL);
	cr_expect(tile->rows == 2 && isnan(leaf_number(tile, 0, 1)) && isnan(leaf_number(tile, 1, 0)));
	tile_reader_release(&reader);
	rows_release(&laid);
}

Test(tile, has_none_for_a_leaf_of_which_every_row_is_skipped)
{
	double table[2 * 1000];
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		table[i] = i % 2 == 0 ? (double)NAN : 1;
	struct laid_rows laid = rows_lay(&row_layouts[0], table, 1000, 1);
	struct tile_reader reader;
	cr_assert(tile_reader_init(&reader, 1, true));
	tile_reader_begin(&reader, &laid.leaf);
	cr_expect(tile_reader_next(&reader) == NULL);
	tile_reader_release(&reader);
	rows_release(&laid);
}

Test(tile, is_never_more_than_half_a_second_level_cache_unless_eight_rows_are)
{
	for (uint32_t d = 1; d < 50000; d += 7) {
		struct tile_reader reader;
		cr_assert(tile_reader_init(&reader, d, false));
		size_t bytes = reader.capacity * reader.stride * sizeof(double);
		cr_expect(reader.capacity % TILE_ROWS == 0 && reader.capacity > 0, "%u features", d);
		cr_expect(bytes <= 262144 || reader.capacity == TILE_ROWS, "%u features", d);
		tile_reader_release(&reader);
	}
}
