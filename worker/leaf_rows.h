/* A leaf's rows where they lie: in a mapped npy file, or in memory parsed from a CSV. */
#ifndef FORKFIT_WORKER_LEAF_ROWS_H
#define FORKFIT_WORKER_LEAF_ROWS_H

#include "common/dataset.h"

#include <stddef.h>

/* The number of row r in column j (the target is column d) is at base + offsets[j] + r × row_stride. */
struct leaf_rows {
	const unsigned char *base;
	const size_t *offsets; /* d + 1, in bytes */
	size_t row_stride;     /* in bytes */
	size_t rows;
	enum element_type element;
};

#endif
