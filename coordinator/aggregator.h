/*
 * From the workers' nodes to one vector for the whole dataset. Pure.
 *
 * For sums S over m rows the result is S/m, the mean over rows, with m itself in the last place. "average" and "sum"
 * take the mean per worker first: (1/K)·Σ_k S_k/m_k and Σ_k S_k/m_k, over the workers that have rows. "total" is S
 * itself, undivided, and zeros where nobody has anything to add.
 */
#ifndef FORKFIT_COORDINATOR_AGGREGATOR_H
#define FORKFIT_COORDINATOR_AGGREGATOR_H

#include "common/tree.h"
#include "coordinator/config.h"

#include <stdbool.h>
#include <stddef.h>

struct aggregator {
	enum aggregation how;
	size_t width;
	struct tree_stack tree; /* mean, total: of all workers; else: of the worker at hand */
	double *sum;            /* else: of the workers' means */
	double rows;
	uint32_t workers; /* with rows */
};

/* For vectors of up to max_width doubles. False: out of memory. */
bool aggregator_init(struct aggregator *aggregator, size_t max_width);
void aggregator_release(struct aggregator *aggregator);

/* Begins a round. */
void aggregator_begin(struct aggregator *aggregator, enum aggregation how, size_t width);

/* Adds a worker's nodes, with their vectors (count × width). Workers come in the order of their leaves. */
void aggregator_add(struct aggregator *aggregator, const struct tree_node *nodes, const double *vectors, size_t count);

/* The result, `width` doubles. False, and nothing is written: no worker had rows. */
bool aggregator_finish(struct aggregator *aggregator, double *result);

#endif
