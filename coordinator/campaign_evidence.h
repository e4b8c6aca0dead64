/* What a run of a campaign that has ended has left: its result, its messages, its files. */
#ifndef FORKFIT_COORDINATOR_CAMPAIGN_EVIDENCE_H
#define FORKFIT_COORDINATOR_CAMPAIGN_EVIDENCE_H

#include "common/error.h"
#include "coordinator/campaign_job.h"
#include "coordinator/campaign_verdict.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the run without faults gave, with which all others are compared. */
struct campaign_reference {
	char *output; /* standard output */
	size_t output_length;
	char *model; /* the model file; NULL: none was asked for */
	size_t model_length;
	int descriptors; /* open at its end */
	uint32_t epochs;
	uint64_t took_ns;
};

/* False: the run has failed, and *error has its message and its exit status; or what it gave could not be read. */
bool campaign_reference_take(const struct campaign_job *job, struct campaign_reference *reference, struct error *error);
void campaign_reference_release(struct campaign_reference *reference);

/* False: what the run left could not be read. */
bool campaign_evidence_take(const struct campaign_job *job, const struct campaign_reference *reference,
        struct evidence *evidence, struct error *error);

/* The run's standard error, for the caller to free. NULL: it cannot be read. */
char *campaign_evidence_messages(const struct campaign_job *job, size_t *length);

#endif
