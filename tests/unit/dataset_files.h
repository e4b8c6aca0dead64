/*
 * Small datasets as files, with all that is needed to check what a worker makes of them. Rows are numbered by the file;
 * the columns that are used stand there in another order than asked for, with one between them that is not used.
 */
#ifndef FORKFIT_TESTS_DATASET_FILES_H
#define FORKFIT_TESTS_DATASET_FILES_H

#include "common/wire.h"
#include "worker/chunk.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What stands in the column that is not used. */
enum csv_filling {
	CSV_PLAIN,  /* a word */
	CSV_QUOTED, /* a quoted field with delimiters, quotes and newlines in it */
	CSV_LONG,   /* in every hundredth record, 100000 characters */
};

struct dataset_file {
	struct dataset dataset; /* its path and columns are owned */
	uint32_t leaf_count;
	size_t rows;
	double *table;    /* rows × (features + 1), row-major, in the order in which columns are asked for */
	bool *kept;       /* does the row count? (a CSV with missing values has rows that do not) */
	uint64_t *starts; /* CSV: where each row's record starts, and the file's end */
	double *centre;   /* features + 1 zeros */
};

/* Row r, column j holds a number that no other place has. Floats, where the element is f4. */
void dataset_file_init_npy(struct dataset_file *file, const char *path, size_t rows, uint32_t features,
        enum element_type element, bool fortran_order);

/* missing_every: each such row has a missing value, and is not kept; 0: none. */
void dataset_file_init_csv(struct dataset_file *file, const char *path, size_t rows, uint32_t features,
        enum csv_filling filling, size_t missing_every);

void dataset_file_release(struct dataset_file *file);

/* Takes length, inode and time of modification from the file as it is now. */
void dataset_identify(struct dataset *dataset);

/* The assignment of one of so many workers; it borrows from the file. All numbers may be cached. */
struct assignment dataset_file_assign(const struct dataset_file *file, uint32_t workers, uint32_t worker);

/* Does the chunk hand out the file's rows, leaf by leaf? Asserts nothing, so that a forked child can ask. */
bool dataset_file_is_shown(const struct dataset_file *file, const struct assignment *assignment, struct chunk *chunk);

/* Loads every worker's chunk in turn and looks twice through it. Asserts nothing. */
bool dataset_file_is_read(const struct dataset_file *file, uint32_t workers, uint64_t cache_bytes);

#endif
