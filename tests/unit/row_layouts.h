/* A table of numbers written into memory in each of the ways in which a dataset can hold it. */
#ifndef FORKFIT_TESTS_ROW_LAYOUTS_H
#define FORKFIT_TESTS_ROW_LAYOUTS_H

#include "worker/leaf_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct row_layout {
	char name[40];
	enum element_type element;
	bool by_columns; /* Fortran order */
	bool picked;     /* used columns are every other one, from the last to the first */
	bool target_first;
	size_t gap;      /* unused elements behind each row's second */
	size_t spare;    /* unused elements behind each row, or each column */
	size_t shift;    /* bytes from an address aligned to 16 to the first element */
	bool needs_copy; /* cannot be shown in place when rows are wide */
};

extern const struct row_layout row_layouts[];
extern const size_t row_layout_count;

struct laid_rows {
	struct leaf_rows leaf;
	unsigned char *memory;
	size_t size;
	size_t *offsets;
};

/*
 * table: rows × (features + 1), row-major, the target last. Elements not used are NaN, and the memory ends with the
 * last element. For f4 the numbers must be floats.
 */
struct laid_rows rows_lay(const struct row_layout *layout, const double *table, size_t rows, uint32_t features);
void rows_release(struct laid_rows *laid);

/* A table of random numbers, all of them floats, some zero of either sign; free it. */
double *rows_random(uint64_t *state, size_t rows, uint32_t features);

/* The same of whole numbers from -bound to bound. */
double *rows_random_whole(uint64_t *state, size_t rows, uint32_t features, unsigned bound);

/* Puts a NaN into some rows; *kept becomes the table without these, to be freed. Returns how many rows it has. */
size_t rows_spoil(uint64_t *state, double *table, size_t rows, uint32_t features, double **kept);

#endif
