/* The files about a run that failed: a configuration that makes it happen again, and a text that says what happened. */
#ifndef FORKFIT_COORDINATOR_CAMPAIGN_FAILURE_H
#define FORKFIT_COORDINATOR_CAMPAIGN_FAILURE_H

#include "common/error.h"
#include "coordinator/campaign_job.h"
#include "coordinator/campaign_verdict.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Writes run-000123-wrong.json and .txt into the directory, which is made if it is not there. The configuration is that
 * of the run with the faults that fired, one by one, in place of chance; its paths hold from everywhere.
 */
bool campaign_failure_write(const char *directory, const struct campaign_job *job, enum verdict verdict,
        const char *reason, uint64_t seed, struct error *error);

#endif
