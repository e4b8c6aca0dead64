#include "worker/tile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half of a first-level data cache of 32 KiB; the other half is for sums and parameters. */
enum { TILE_BYTES = 16384 };

bool tile_reader_init(struct tile_reader *reader, uint32_t features, bool skip_missing)
{
	size_t row_bytes = ((size_t)features + 1) * sizeof(double);
	size_t capacity = TILE_BYTES / row_bytes / TILE_LANES * TILE_LANES;
	if (capacity < TILE_LANES)
		capacity = TILE_LANES;
	*reader = (struct tile_reader){.features = features, .skip_missing = skip_missing, .capacity = capacity};
	reader->buffer = malloc(capacity * row_bytes);
	return reader->buffer != NULL;
}

void tile_reader_release(struct tile_reader *reader)
{
	free(reader->buffer);
	reader->buffer = NULL;
}

static bool is_wide(const struct tile_reader *reader)
{
	return reader->features >= TILE_WIDE_FEATURES;
}

/* Do the leaf's numbers lie as the kernels read them: aligned doubles, features side by side (wide) or rows (narrow)?
 */
static bool lies_in_shape(const struct tile_reader *reader, const struct leaf_rows *leaf)
{
	if (leaf->element != ELEMENT_F8 || reader->skip_missing || leaf->row_stride % sizeof(double) != 0)
		return false;
	for (uint32_t j = 0; j <= reader->features; j++) {
		if (((uintptr_t)leaf->base + leaf->offsets[j]) % sizeof(double) != 0)
			return false;
		if (is_wide(reader) && j < reader->features &&
		        leaf->offsets[j] != leaf->offsets[0] + j * sizeof(double))
			return false;
	}
	return true;
}

void tile_reader_begin(struct tile_reader *reader, const struct leaf_rows *leaf)
{
	reader->leaf = leaf;
	reader->next = 0;
	reader->in_place = lies_in_shape(reader, leaf);
}

/* The address is a multiple of eight: lies_in_shape has seen to that. */
static const double *doubles_at(const unsigned char *address)
{
	return (const double *)(const void *)address;
}

static void show_in_place(const struct tile_reader *reader, size_t rows, struct tile *tile)
{
	const struct leaf_rows *leaf = reader->leaf;
	const unsigned char *first = leaf->base + reader->next * leaf->row_stride;
	tile->rows = rows;
	if (is_wide(reader))
		tile->x = doubles_at(first + leaf->offsets[0]);
	else
		for (uint32_t j = 0; j < reader->features; j++)
			tile->column[j] = doubles_at(first + leaf->offsets[j]);
	tile->row_stride = leaf->row_stride / sizeof(double);
	tile->y = doubles_at(first + leaf->offsets[reader->features]);
}

static double load(const unsigned char *address, enum element_type element)
{
	if (element == ELEMENT_F8) {
		double value;
		memcpy(&value, address, sizeof value);
		return value;
	}
	float value;
	memcpy(&value, address, sizeof value);
	return (double)value;
}

/* Where column j starts in the buffer, and how far apart its rows are. The target is last, in either shape. */
struct place {
	size_t start;
	size_t row_stride;
};

static struct place place_of_column(const struct tile_reader *reader, uint32_t column)
{
	if (!is_wide(reader))
		return (struct place){column * reader->capacity, 1};
	return (struct place){column, (size_t)reader->features + 1};
}

static void copy_row(struct tile_reader *reader, size_t from, size_t to)
{
	const struct leaf_rows *leaf = reader->leaf;
	const unsigned char *row = leaf->base + from * leaf->row_stride;
	for (uint32_t j = 0; j <= reader->features; j++) {
		struct place place = place_of_column(reader, j);
		reader->buffer[place.start + to * place.row_stride] = load(row + leaf->offsets[j], leaf->element);
	}
}

static void copy_column(struct tile_reader *reader, uint32_t column, size_t rows)
{
	const struct leaf_rows *leaf = reader->leaf;
	const unsigned char *at = leaf->base + leaf->offsets[column] + reader->next * leaf->row_stride;
	struct place place = place_of_column(reader, column);
	double *to = reader->buffer + place.start;
	if (leaf->element == ELEMENT_F8)
		for (size_t r = 0; r < rows; r++)
			to[r * place.row_stride] = load(at + r * leaf->row_stride, ELEMENT_F8);
	else
		for (size_t r = 0; r < rows; r++)
			to[r * place.row_stride] = load(at + r * leaf->row_stride, ELEMENT_F4);
}

static bool row_is_whole(const struct tile_reader *reader, size_t row)
{
	const struct leaf_rows *leaf = reader->leaf;
	for (uint32_t j = 0; j <= reader->features; j++)
		if (isnan(load(leaf->base + row * leaf->row_stride + leaf->offsets[j], leaf->element)))
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

static void copy_rows(struct tile_reader *reader, size_t rows)
{
	if (is_wide(reader) && reader->leaf->row_stride > 2 * sizeof(double)) {
		for (size_t r = 0; r < rows; r++)
			copy_row(reader, reader->next + r, r);
		return;
	}
	for (uint32_t j = 0; j <= reader->features; j++)
		copy_column(reader, j, rows);
}

static void show_buffer(const struct tile_reader *reader, size_t rows, struct tile *tile)
{
	struct place target = place_of_column(reader, reader->features);
	tile->rows = rows;
	tile->x = reader->buffer;
	if (!is_wide(reader))
		for (uint32_t j = 0; j < reader->features; j++)
			tile->column[j] = reader->buffer + place_of_column(reader, j).start;
	tile->row_stride = target.row_stride;
	tile->y = reader->buffer + target.start;
}

bool tile_reader_next(struct tile_reader *reader, struct tile *tile)
{
	size_t left = reader->leaf->rows - reader->next;
	size_t rows = left < reader->capacity ? left : reader->capacity;
	if (rows == 0)
		return false;
	if (reader->in_place) {
		show_in_place(reader, rows, tile);
		reader->next += rows;
		return true;
	}
	if (reader->skip_missing) {
		rows = copy_whole_rows(reader);
		if (rows == 0)
			return false;
	} else {
		copy_rows(reader, rows);
		reader->next += rows;
	}
	show_buffer(reader, rows, tile);
	return true;
}
