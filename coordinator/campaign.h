/*
 * A campaign: one configuration run once without faults, and then with one seeded schedule of faults after the other.
 * Each run's end is judged: the same result, a clean error, or a defect of the program.
 */
#ifndef FORKFIT_COORDINATOR_CAMPAIGN_H
#define FORKFIT_COORDINATOR_CAMPAIGN_H

#include "common/error.h"
#include "coordinator/campaign_job.h"
#include "coordinator/campaign_report.h"
#include "coordinator/config.h"

#include <stdbool.h>
#include <stdint.h>

struct campaign_options {
	uint64_t runs;
	uint64_t seed;
	uint32_t jobs;        /* so many runs at the same time; no run's result depends on it */
	const char *failures; /* the directory for files about runs that failed; made when the first does */
	bool quiet;           /* no progress on standard error */
};

/*
 * Runs it. The tally says what was seen, as far as it came. False: *error says why; EXIT_CAMPAIGN_FAILED if a run was
 * wrong, hung or leaked, EXIT_INTERRUPTED after a signal. In either case no process and no temporary file is left.
 */
bool campaign_run(const struct config *config, const struct campaign_options *options,
        const struct campaign_program *program, struct campaign_tally *tally, struct error *error);

#endif
