/*
 * What a dataset is, as both ends of a pipe must agree on it. The coordinator's loader finds these facts once,
 * ASSIGN carries them, and a worker needs nothing else to read its chunk.
 */
#ifndef FORKFIT_COMMON_DATASET_H
#define FORKFIT_COMMON_DATASET_H

#include <stdbool.h>
#include <stdint.h>

enum dataset_format { DATASET_CSV, DATASET_NPY };

enum missing_policy {
	MISSING_ERROR,    /* a missing value is a bad dataset */
	MISSING_SKIP_ROW, /* a row with a missing value among the used columns does not count */
	MISSING_KEEP_ROW, /* nor does it count in sums, but it stays a row: a missing value is a NaN */
};

enum element_type { ELEMENT_F8, ELEMENT_F4 }; /* little-endian IEEE 754 binary64 and binary32 */

/* A file as it was when the run started; a worker refuses any other. */
struct file_identity {
	uint64_t bytes;
	uint64_t inode;
	int64_t modified_ns; /* since the epoch */
};

struct dataset {
	char *path; /* as open(2) takes it */
	struct file_identity identity;
	enum dataset_format format;
	enum missing_policy missing;
	uint64_t data_offset;  /* the first byte behind the header */
	uint32_t file_columns; /* fields in a CSV record, columns of an npy array */
	uint32_t features;     /* d */
	uint32_t *columns; /* d + 1 places in the file, zero-based: the features in order, then the target, or, where
	                      there is none, the first feature once more */

	char delimiter; /* CSV only */

	uint64_t rows;             /* npy only; of a CSV they are counted by the workers */
	enum element_type element; /* npy only */
	bool fortran_order;        /* npy only: columns, not rows, lie together */
};

/* Only for predictions there may be no target; then nothing that is summed over one means anything. */
static inline bool dataset_has_target(const struct dataset *dataset)
{
	return dataset->columns[dataset->features] != dataset->columns[0];
}

#endif
