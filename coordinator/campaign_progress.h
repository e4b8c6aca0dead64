/* Tells a person how a campaign goes, on standard error. */
#ifndef FORKFIT_COORDINATOR_CAMPAIGN_PROGRESS_H
#define FORKFIT_COORDINATOR_CAMPAIGN_PROGRESS_H

#include "coordinator/campaign_report.h"
#include "coordinator/terminal_lines.h"

#include <stdbool.h>
#include <stdint.h>

struct campaign_progress {
	bool quiet;
	bool animated;
	bool colour;
	struct terminal_lines lines;
	uint64_t runs; /* to come, in all */
	uint64_t began_ns;
	uint64_t painted_ns;
};

void campaign_progress_init(struct campaign_progress *progress, bool quiet, uint64_t runs);

/* Not more often than is of use. */
void campaign_progress_show(struct campaign_progress *progress, const struct campaign_tally *tally);

/* A line for a run that has failed, in any case. */
void campaign_progress_failure(
        struct campaign_progress *progress, uint64_t run, const char *verdict, const char *reason);

/* One line, in place of the bar. */
void campaign_progress_end(struct campaign_progress *progress, const struct campaign_tally *tally);

#endif
