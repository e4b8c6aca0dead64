/*
 * Tiles: the rows of a leaf, a few at a time, in the shape that the kernels read. Doubles that lie so already are
 * shown in place; others (f4, wide rows in Fortran order or with columns picked out, rows to be skipped) are brought
 * through a buffer that fits the first-level cache.
 *
 * With fewer than TILE_WIDE_FEATURES features a tile is read by columns, several rows at once, else row by row.
 */
#ifndef FORKFIT_WORKER_TILE_H
#define FORKFIT_WORKER_TILE_H

#include "worker/leaf_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From here on a row fills the eight lanes of a kernel by itself. */
#define TILE_WIDE_FEATURES 8U

/* Every tile but a leaf's last has a multiple of this many rows, so that row r of a leaf is in lane r mod 8. */
#define TILE_LANES 8U

struct tile {
	size_t rows;
	size_t row_stride;                        /* from row to row, in doubles */
	const double *column[TILE_WIDE_FEATURES]; /* narrow: row r of feature j is column[j][r * row_stride] */
	const double *x;                          /* wide: row r of feature j is x[r * row_stride + j] */
	const double *y;                          /* the target of row r is y[r * row_stride] */
};

/* The number of a row in a column, of which the target is number d. */
static inline double tile_value(const struct tile *tile, size_t row, uint32_t column, uint32_t features)
{
	if (column == features)
		return tile->y[row * tile->row_stride];
	if (features < TILE_WIDE_FEATURES)
		return tile->column[column][row * tile->row_stride];
	return tile->x[row * tile->row_stride + column];
}

struct tile_reader {
	uint32_t features;
	bool skip_missing; /* rows with a NaN do not count */
	size_t capacity;   /* rows in a tile */
	double *buffer;    /* capacity × (features + 1) */
	const struct leaf_rows *leaf;
	bool in_place;
	size_t next; /* the leaf's first row not shown yet */
};

/* False: out of memory. */
bool tile_reader_init(struct tile_reader *reader, uint32_t features, bool skip_missing);
void tile_reader_release(struct tile_reader *reader);

/* Begins a leaf, which is borrowed until its last tile. */
void tile_reader_begin(struct tile_reader *reader, const struct leaf_rows *leaf);

/* The next tile of the leaf; false at its end. The tile stays until the next call. */
bool tile_reader_next(struct tile_reader *reader, struct tile *tile);

#endif
