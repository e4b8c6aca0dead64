/* A worker that waits for its first frame, and the rows that it is going to be assigned. */
#ifndef FORKFIT_TESTS_WORKER_ROWS_H
#define FORKFIT_TESTS_WORKER_ROWS_H

#include "tests/unit/dataset_files.h"
#include "tests/unit/worker_child.h"

#include <stddef.h>

enum { ROWS = 100, COLUMNS = 3 };

extern struct worker_child child;
extern struct answer answer; /* the last one that was received */

/* 100 rows of two features, whose numbers are small enough for all sums to be exact. */
extern struct dataset_file file;
extern struct assignment assignment;
extern const double parameters[COLUMNS];

/* A suite's .init and .fini: in a directory of its own. */
void worker_rows_begin(void);
void worker_rows_end(void);

/* Has the child load the assignment, and brings it to the phase in which it sums. */
void load(void);

/* The answer must be an ERROR of this stage, and the end. */
void expect_error(enum error_stage stage, const char *text);

/* It leaves, and says nothing more. */
void expect_end(void);

/* Σ e·x_1, Σ e·x_2, Σ e, Σ e², m over the assigned rows, without any rounding error. */
void sum_rows(const double *asked, double *sums);

/* Is the answer, added up, this vector? */
void expect_sums(const double *expected, size_t width);

#endif
