/*
 * Tiles: the rows of a leaf in the shape that the kernels read. Rows that lie so already are one tile, shown in place;
 * others (wide rows with columns picked out, rows to be skipped) are brought, some at a time, into a buffer that the
 * second-level cache holds.
 */
#ifndef FORKFIT_WORKER_TILE_H
#define FORKFIT_WORKER_TILE_H

#include "worker/leaf_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* With so many features either a row's must lie side by side, or a column's numbers (row_stride is that of one). */
#define TILE_WIDE_FEATURES 8U

/* Every tile but a leaf's last has a multiple of this many rows. */
#define TILE_ROWS 8U

struct tile_reader {
	uint32_t features;
	bool skip_missing; /* rows with a NaN do not count */
	size_t capacity;   /* rows that fit in the buffer, */
	size_t stride;     /* from row to row, in numbers */
	double *buffer;    /* capacity × stride */
	size_t *offsets;   /* its columns' */
	const struct leaf_rows *leaf;
	bool in_place;
	size_t next;             /* the leaf's first row not shown yet */
	struct leaf_rows copied; /* the tile in the buffer */
};

/* False: out of memory. */
bool tile_reader_init(struct tile_reader *reader, uint32_t features, bool skip_missing);
void tile_reader_release(struct tile_reader *reader);

/* Begins a leaf, which is borrowed until its last tile. */
void tile_reader_begin(struct tile_reader *reader, const struct leaf_rows *leaf);

/*
 * The next tile of the leaf; NULL at its end. The tile stays until the next call. One that is shown in place is the
 * leaf itself: to copy what has just been written, in words of another width, a processor waits until it has done all
 * that was before, with which leaves of 64 rows in a cache took 3 to 18 % longer.
 */
const struct leaf_rows *tile_reader_next(struct tile_reader *reader);

#endif
