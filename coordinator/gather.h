/*
 * One question to all workers and one answer from the data: the mechanism by which everything is gathered. A worker
 * that is lost on the way is dealt with here.
 */
#ifndef FORKFIT_COORDINATOR_GATHER_H
#define FORKFIT_COORDINATOR_GATHER_H

#include "common/error.h"
#include "common/sums.h"
#include "coordinator/aggregator.h"
#include "coordinator/collect.h"
#include "coordinator/config.h"
#include "coordinator/events.h"
#include "coordinator/loader.h"
#include "coordinator/pool.h"

#include <stdbool.h>
#include <stdint.h>

struct gatherer {
	struct loader *loader;
	struct event_stream *events;
	struct pool pool;
	struct collector collector;
	struct aggregator aggregator;
	struct assignment assignment; /* what all workers' assignments share; borrows from the loader */
	uint64_t rows;                /* that count, as far as loading told */
	uint64_t skipped;
	const double *first_row; /* of the dataset, features + 1; NULL: no rows */
	unsigned interrupts;     /* SIGINT, SIGTERM and SIGHUP so far */
	bool finish_round;       /* after an interrupt, a round is finished if it can be soon */
};

/* No process is started yet. */
bool gatherer_init(struct gatherer *gatherer, const struct config *config, struct loader *loader, uint32_t workers,
        struct event_stream *events, struct error *error);

/* Ends the workers that are left, with a grace if `orderly`, and releases everything. */
void gatherer_release(struct gatherer *gatherer, bool orderly);

/* Starts the workers, hands out the chunks and waits until all are loaded. */
bool gatherer_load(struct gatherer *gatherer, struct error *error);

/* Makes `centre` (features + 1, copied) what starred kernels subtract from now on. */
bool gatherer_set_centre(struct gatherer *gatherer, const double *centre, struct error *error);

/*
 * Runs a kernel over the dataset with parameters of features + 1 doubles, as round of `epoch`. result: sums_width
 * doubles, combined as the aggregator's header says.
 */
bool gatherer_sums(struct gatherer *gatherer, uint32_t epoch, enum kernel kernel, enum aggregation how,
        const double *parameters, double *result, struct error *error);

#endif
