/*
 * Memory for the numbers that were parsed from a CSV, a leaf's after another's. It comes in few large blocks, of huge
 * pages where the system has them: touching memory page by page would cost as much as a third of the parsing.
 */
#ifndef FORKFIT_WORKER_NUMBER_STORE_H
#define FORKFIT_WORKER_NUMBER_STORE_H

#include <stddef.h>
#include <stdint.h>

struct number_store {
	uint64_t bytes_left;         /* of what all blocks may take */
	struct number_block *blocks; /* the newest first */
	double *next;                /* what is free in the newest */
	size_t free;                 /* numbers */
};

void number_store_init(struct number_store *store, uint64_t bytes_max);
void number_store_release(struct number_store *store);

/*
 * Room for `count` numbers, not initialized; it stays until the store is released. likely_more: so many more will
 * probably be asked for, in portions of any size. NULL: neither memory nor the maximum has room for them.
 */
double *number_store_take(struct number_store *store, size_t count, size_t likely_more);

#endif
