/*
 * Which faults a run of a campaign is given, as a function of the configuration, the campaign's seed and the run's
 * number. Pure.
 *
 * A configuration that has faults or a rate of chaos says itself what happens; each run then only has another seed.
 * Else the campaign makes its own schedules: chance strikes workers with every kind that can be survived, and one run
 * in four gets one fault more, of a sort that chance alone does not bring: to the coordinator, or a worker's silence
 * for ever.
 */
#ifndef FORKFIT_COORDINATOR_CAMPAIGN_SCHEDULE_H
#define FORKFIT_COORDINATOR_CAMPAIGN_SCHEDULE_H

#include "common/fault.h"
#include "coordinator/config.h"

#include <stdint.h>

/*
 * The same configuration with no fault in it. A degraded result is other bytes by design: in a campaign it is an error.
 */
struct config campaign_without_faults(const struct config *config);

/* What a schedule has to know of the run without faults. */
struct campaign_scale {
	uint32_t workers;
	uint32_t epochs;
};

/*
 * Alters a copy of the configuration into that of run number `run`. *more is the storage of a fault that is added.
 */
void campaign_schedule(
        struct config *config, const struct campaign_scale *scale, uint64_t seed, uint64_t run, struct fault *more);

#endif
