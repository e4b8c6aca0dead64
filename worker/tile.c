#include "worker/tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { CACHE_LINE = 64 };

/*
 * Half of a second-level cache of 512 KiB. Of a column in Fortran order a tile takes one piece, and the longer a piece
 * is the better: with 1001 columns a quarter of this took half as long again.
 */
enum { TILE_BYTES = 262144 };

/* Fortran order: columns that are copied together, so that lines of the buffer are written whole. */
enum { COLUMNS_AT_ONCE = CACHE_LINE / sizeof(double) };

/*
 * How far rows are apart in the buffer. Wide ones: an odd number of whole lines, because rows that are apart by a power
 * of two share few places in a cache.
 */
static size_t buffer_stride(size_t columns)
{
	if (columns <= TILE_WIDE_FEATURES)
		return columns;
	size_t lines = (columns + COLUMNS_AT_ONCE - 1) / COLUMNS_AT_ONCE;
	return (lines | 1) * COLUMNS_AT_ONCE;
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
	if (reader->features < TILE_WIDE_FEATURES)
		return true;
	for (uint32_t j = 1; j < reader->features; j++)
		if (leaf->offsets[j] != leaf->offsets[j - 1] + element_bytes(leaf->element))
			return false;
	return true;
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

typedef double pair __attribute__((vector_size(16), aligned(1), may_alias));
typedef float float_pair __attribute__((vector_size(8), aligned(1), may_alias));

/* Two of a column's numbers. */
static inline pair pair_at(const unsigned char *at, const enum element_type element)
{
	if (element == ELEMENT_F8)
		return *(const pair *)at;
	return __builtin_convertvector(*(const float_pair *)at, pair);
}

/* Two rows of eight columns, a line of cache in each row. */
static inline void copy_two_rows(
        const unsigned char *const *columns, size_t at, const enum element_type element, double *row, double *next_row)
{
#pragma GCC unroll 4
	for (size_t j = 0; j < COLUMNS_AT_ONCE; j += 2) {
		pair one = pair_at(columns[j] + at, element), other = pair_at(columns[j + 1] + at, element);
		*(pair *)(row + j) = __builtin_shufflevector(one, other, 0, 2);
		*(pair *)(next_row + j) = __builtin_shufflevector(one, other, 1, 3);
	}
}

/* Copies rows of eight columns, and asks for the same rows of the next eight; behind the last are the next rows' first.
 */
static inline void copy_eight_columns(
        const struct tile_reader *reader, uint32_t first, size_t rows, const enum element_type element)
{
	const struct leaf_rows *leaf = reader->leaf;
	const size_t bytes = element_bytes(element), count = (size_t)reader->features + 1;
	const unsigned char *columns[COLUMNS_AT_ONCE], *ahead[COLUMNS_AT_ONCE];
	for (size_t j = 0; j < COLUMNS_AT_ONCE; j++) {
		size_t next = first + COLUMNS_AT_ONCE + j;
		columns[j] = leaf->base + leaf->offsets[first + j] + reader->next * bytes;
		ahead[j] = leaf->base + leaf->offsets[next % count] + (reader->next + next / count * rows) * bytes;
	}
	double *row = reader->buffer + first;
	size_t r = 0;
	for (; r + 2 <= rows; r += 2, row += 2 * reader->stride) {
		copy_two_rows(columns, r * bytes, element, row, row + reader->stride);
		if (r * bytes % CACHE_LINE == 0)
			for (size_t j = 0; j < COLUMNS_AT_ONCE; j++)
				__builtin_prefetch(ahead[j] + r * bytes);
	}
	if (r < rows)
		for (size_t j = 0; j < COLUMNS_AT_ONCE; j++)
			row[j] = element_at(columns[j] + r * bytes, element);
}

/* The last eight columns may begin amid the eight before. */
static inline void copy_columns_of(const struct tile_reader *reader, size_t rows, const enum element_type element)
{
	uint32_t columns = reader->features + 1, column = 0;
	for (; column + COLUMNS_AT_ONCE <= columns; column += COLUMNS_AT_ONCE)
		copy_eight_columns(reader, column, rows, element);
	if (column < columns)
		copy_eight_columns(reader, columns - COLUMNS_AT_ONCE, rows, element);
}

/* The same for all of the next rows where a column's numbers lie side by side. */
static void copy_columns(struct tile_reader *reader, size_t rows)
{
	if (reader->leaf->element == ELEMENT_F4)
		copy_columns_of(reader, rows, ELEMENT_F4);
	else
		copy_columns_of(reader, rows, ELEMENT_F8);
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
	if (reader->features >= TILE_WIDE_FEATURES && reader->leaf->row_stride == element_bytes(reader->leaf->element))
		copy_columns(reader, rows);
	else
		for (size_t r = 0; r < rows; r++)
			copy_row(reader, reader->next + r, r);
	reader->next += rows;
	return rows;
}

bool tile_reader_next(struct tile_reader *reader, struct leaf_rows *tile)
{
	if (reader->next == reader->leaf->rows)
		return false;
	if (reader->in_place) {
		*tile = *reader->leaf;
		reader->next = tile->rows;
		return true;
	}
	size_t rows = reader->skip_missing ? copy_whole_rows(reader) : copy_rows(reader);
	*tile = (struct leaf_rows){
	        .base = (const unsigned char *)reader->buffer,
	        .offsets = reader->offsets,
	        .row_stride = reader->stride * sizeof *reader->buffer,
	        .rows = rows,
	        .element = ELEMENT_F8,
	};
	return rows > 0;
}
