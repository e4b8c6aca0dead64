/* A leaf's rows where they lie: in a mapped npy file, in memory parsed from a CSV, or in a tile's buffer. */
#ifndef FORKFIT_WORKER_LEAF_ROWS_H
#define FORKFIT_WORKER_LEAF_ROWS_H

#include "common/dataset.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The number of row r in column j (the target is column d) is at base + offsets[j] + r × row_stride, aligned or not. */
struct leaf_rows {
	const unsigned char *base;
	const size_t *offsets; /* d + 1, in bytes */
	size_t row_stride;     /* in bytes */
	size_t rows;
	size_t following; /* rows of the leaves to come that lie behind these and may be read, too; or 0 */
	enum element_type element;
	size_t side_by_side; /* of each row: so many numbers, those of the first columns, have nothing between them */
};

static inline size_t element_bytes(enum element_type element)
{
	return element == ELEMENT_F8 ? sizeof(double) : sizeof(float);
}

static inline double element_at(const unsigned char *at, enum element_type element)
{
	if (element == ELEMENT_F8) {
		double value;
		memcpy(&value, at, sizeof value);
		return value;
	}
	float value;
	memcpy(&value, at, sizeof value);
	return (double)value;
}

static inline double leaf_number(const struct leaf_rows *leaf, size_t row, uint32_t column)
{
	return element_at(leaf->base + leaf->offsets[column] + row * leaf->row_stride, leaf->element);
}

#endif
