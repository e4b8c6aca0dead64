/* What allocation_shim.c, inside the program, tells the test outside: it lies in a file that both map or read. */
#ifndef FORKFIT_TESTS_END_TO_END_ALLOCATION_REPORT_H
#define FORKFIT_TESTS_END_TO_END_ALLOCATION_REPORT_H

#include <stdint.h>

struct allocation_report {
	uint64_t seen;   /* allocations of the process that is meant */
	uint64_t failed; /* of them, those that were made to fail */
};

#endif
