#include "worker/tile.h"

#include "worker/cache_line.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half of a second-level cache of 512 KiB. */
enum { TILE_BYTES = 262144 };

/*
 * How far rows are apart in the buffer. Wide ones: an odd number of whole lines, because rows that are apart by a power
 * of two share few places in a cache.
 */
static size_t buffer_stride(size_t columns)
{
	if (columns <= TILE_WIDE_FEATURES)
		return columns;
	const size_t of_line = CACHE_LINE / sizeof(double), lines = (columns + of_line - 1) / of_line;
	return (lines | 1) * of_line;
}

bool tile_reader_init(struct tile_reader *reader, uint32_t features, bool skip_missing)
{
	size_t columns = (size_t)features + 1;
	size_t stride = buffer_stride(columns);
	size_t capacity = TILE_BYTES / (stride * sizeof(double)) / TILE_ROWS * TILE_ROWS;
	if (capacity < TILE_ROWS)
		capacity = TILE_ROWS;
	*reader = (struct tile_reader){
	        .features = features, .skip_missing = skip_missing, .capacity = capacity, .stride = stride};
	reader->buffer = aligned_alloc(CACHE_LINE, capacity * stride * sizeof *reader->buffer);
	reader->offsets = malloc(columns * sizeof *reader->offsets);
	if (reader->buffer == NULL || reader->offsets == NULL) {
		tile_reader_release(reader);
		return false;
	}
	for (size_t j = 0; j < columns; j++)
		reader->offsets[j] = j * sizeof *reader->buffer;
	reader->copied = (struct leaf_rows){
	        .base = (const unsigned char *)reader->buffer,
	        .offsets = reader->offsets,
	        .row_stride = stride * sizeof *reader->buffer,
	        .element = ELEMENT_F8,
	        .side_by_side = columns,
	};
	return true;
}

void tile_reader_release(struct tile_reader *reader)
{
	free(reader->buffer);
	free(reader->offsets);
	reader->buffer = NULL;
	reader->offsets = NULL;
}

/* Do the leaf's numbers lie as the kernels read them? */
static bool lies_in_shape(const struct tile_reader *reader, const struct leaf_rows *leaf)
{
	if (reader->skip_missing)
		return false;
	return reader->features < TILE_WIDE_FEATURES || leaf->row_stride == element_bytes(leaf->element) ||
	       leaf->side_by_side >= reader->features;
}

void tile_reader_begin(struct tile_reader *reader, const struct leaf_rows *leaf)
{
	reader->leaf = leaf;
	reader->next = 0;
	reader->in_place = lies_in_shape(reader, leaf);
}

static void copy_row(struct tile_reader *reader, size_t from, size_t to)
{
	for (uint32_t j = 0; j <= reader->features; j++)
		reader->buffer[to * reader->stride + j] = leaf_number(reader->leaf, from, j);
}

static bool row_is_whole(const struct tile_reader *reader, size_t row)
{
	for (uint32_t j = 0; j <= reader->features; j++)
		if (isnan(leaf_number(reader->leaf, row, j)))
			return false;
	return true;
}

/* Fills the buffer with whole rows; returns how many. */
static size_t copy_whole_rows(struct tile_reader *reader)
{
	size_t rows = 0;
	for (; rows < reader->capacity && reader->next < reader->leaf->rows; reader->next++)
		if (row_is_whole(reader, reader->next))
			copy_row(reader, reader->next, rows++);
	return rows;
}

static size_t copy_rows(struct tile_reader *reader)
{
	size_t left = reader->leaf->rows - reader->next;
	size_t rows = left < reader->capacity ? left : reader->capacity;
	for (size_t r = 0; r < rows; r++)
		copy_row(reader, reader->next + r, r);
	reader->next += rows;
	return rows;
}

const struct leaf_rows *tile_reader_next(struct tile_reader *reader)
{
	if (reader->next == reader->leaf->rows)
		return NULL;
	if (reader->in_place) {
		reader->next = reader->leaf->rows;
		return reader->leaf;
	}
	reader->copied.rows = reader->skip_missing ? copy_whole_rows(reader) : copy_rows(reader);
	return reader->copied.rows > 0 ? &reader->copied : NULL;
}
