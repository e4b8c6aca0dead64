/*
 * When each worker was busy, and when it was lost, over the whole of a run of any length in bounded memory: time is cut
 * into bins, and when a run outgrows them two become one. Pure.
 */
#ifndef FORKFIT_COORDINATOR_ACTIVITY_H
#define FORKFIT_COORDINATOR_ACTIVITY_H

#include "common/leaves.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ACTIVITY_BINS = 256,    /* more than half of them in use, once a run is longer than the shortest */
	ACTIVITY_WORKERS = 128, /* those with the lowest index; of others it is known that there are some */
};

/* Levels of a bin as text, from nothing to all of the time. */
enum { ACTIVITY_LEVELS = 10 };

struct activity_worker {
	uint64_t busy_ns;
	float busy[ACTIVITY_BINS]; /* ns in each bin */
	float lost[ACTIVITY_BINS];
};

struct activity {
	uint64_t bin_ns;
	uint32_t count;     /* of workers, as far as they were named: the highest index and one */
	uint32_t allocated; /* of them have a place, ACTIVITY_WORKERS at most */
	struct activity_worker *workers;
};

void activity_init(struct activity *activity);
void activity_release(struct activity *activity);

/* The worker was busy, or lost, meanwhile; times are in ns since the run began. False: out of memory. */
bool activity_add(struct activity *activity, uint32_t worker, struct range time, bool lost);

/* The bins in use until a moment, at least one. */
uint32_t activity_bins(const struct activity *activity, uint64_t end_ns);

/* A digit for each of the bins: how much of it the worker was busy, or lost. text: bins + 1 bytes. */
void activity_digits(const struct activity *activity, uint32_t worker, bool lost, uint32_t bins, char *text);

#endif
