/*
 * What the AVX-512 clones differ in: processors that have the same instructions like to be fed in ways of their own.
 * The operations and their order are the same. What was measured is told where each habit is made use of.
 */
#ifndef FORKFIT_WORKER_KERNELS_HABITS_H
#define FORKFIT_WORKER_KERNELS_HABITS_H

#include "worker/kernels.h"

/*
 * How the memory is asked for rows in C order: straight on, or in blocks, one line or up to four at a time. How large
 * the blocks are goes with it (worker/kernels_ahead.h).
 */
enum asks { ASKS_NOTHING, ASKS_STRAIGHT, ASKS_BY_ONE, ASKS_BY_FOUR };

struct kernel_habits {
	enum asks asks;
	uint32_t eights_of_f8; /* the most features of f8 in C order that are summed eight rows at a time, 16 to 128, */
	bool keeps_in_registers; /* but of up to 16 eight rows, and of 17 to 32 four, stay in registers */
	bool goes_row_by_row; /* through rows in C order that are too long for the first-level cache, for predictions */
	bool goes_in_runs;    /* through Fortran order (worker/kernels_column_runs_avx512.c), not in strips */
	bool asks_near;       /* in Fortran order, for 9 to 16 columns of f8: into the first-level cache */
};

/* Of each clone; the baseline and the AVX2 clone have none. */
extern const struct kernel_habits kernel_habits[CLONE_COUNT];

#endif
