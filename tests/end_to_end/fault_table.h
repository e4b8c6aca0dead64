/* Which faults a worker may be asked for, at which of its sites, and what comes of each: the list that tests go
 * through. */
#ifndef FORKFIT_TESTS_END_TO_END_FAULT_TABLE_H
#define FORKFIT_TESTS_END_TO_END_FAULT_TABLE_H

#include <stddef.h>

/* A worker's sites, in the order it comes to them, and the letters that stand for them in the table. */
enum { WORKER_SITES = 8 };
extern const struct worker_site {
	char letter;
	char name[16];
} worker_sites[WORKER_SITES];

struct fault_row {
	char kind[16];
	char sites[9];    /* letters */
	char clean[9];    /* at these the run ends with the error, at the others its result is identical */
	int exit_code;    /* of that error, … */
	char message[32]; /* … and a part of its message */
	char parameter[24];
	double timeout_s;
};

/* Only those miss it who are meant to: the others answer in less than a millisecond. */
#define DEADLINE_S 0.25

extern const struct fault_row fault_rows[];
extern const size_t fault_row_count;

/* What is not in the table, because a test of its own goes with it. */
extern const struct fault_elsewhere {
	char kind[16];
	char site[32];
	char test[80]; /* suite/name */
} faults_elsewhere[];
extern const size_t faults_elsewhere_count;

#endif
