/* What a campaign has seen, counted, and how it is told. Pure, but for the stream it is written to. */
#ifndef FORKFIT_COORDINATOR_CAMPAIGN_REPORT_H
#define FORKFIT_COORDINATOR_CAMPAIGN_REPORT_H

#include "common/fault.h"
#include "coordinator/campaign_verdict.h"

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Exit statuses are a byte. */
enum { CAMPAIGN_STATUSES = 256 };

struct campaign_tally {
	uint64_t seed;
	uint64_t runs; /* that have ended */
	uint64_t verdicts[VERDICT_COUNT];
	uint64_t calm;                        /* runs in which no fault fired */
	uint64_t statuses[CAMPAIGN_STATUSES]; /* of clean errors */
	uint64_t killed;                      /* clean errors, too: a fault killed the coordinator */
	uint64_t resumed;                     /* clean errors, too: the run was taken up again, to the same result */
	uint64_t fired;                       /* faults */
	struct campaign_cell {
		uint64_t fired;
		uint64_t verdicts[VERDICT_COUNT]; /* of the runs in which it fired */
	} cells[FAULT_KIND_COUNT][FAULT_SITE_COUNT];
};

/* Counts a run that has ended, with the faults that fired in it. */
void campaign_tally_add(struct campaign_tally *tally, enum verdict verdict, const struct evidence *evidence,
        const struct fault *fired, size_t count);

uint64_t campaign_tally_failures(const struct campaign_tally *tally);

/* A row for each kind of fault at each site, and the sums. */
void campaign_report_table(FILE *out, const struct campaign_tally *tally);

/* The same as one JSON object. */
void campaign_report_json(FILE *out, const struct campaign_tally *tally);

#endif
