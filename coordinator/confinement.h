/* The isolation of a run's workers, as the configuration wants it and this machine can. */
#ifndef FORKFIT_COORDINATOR_CONFINEMENT_H
#define FORKFIT_COORDINATOR_CONFINEMENT_H

#include "common/error.h"
#include "coordinator/config.h"
#include "coordinator/events.h"
#include "worker/worker.h"

#include <stdbool.h>
#include <stdint.h>

struct confinement {
	struct isolation isolation; /* for process_start */
	struct system_call_filter *filter;
};

/* A kernel without system call filters is noted, and the workers go without. False: *error says why. */
bool confinement_init(struct confinement *confinement, const struct config *config, const struct event_stream *events,
        struct error *error);
void confinement_release(struct confinement *confinement);

/* Of each of so many workers' memory, how many bytes may hold parsed numbers. */
uint64_t confinement_cache_bytes(const struct config *config, uint32_t workers);

#endif
