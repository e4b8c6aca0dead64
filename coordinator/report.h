/*
 * The report of a run (output.report): one HTML file that needs no network. It is a sink of the event stream, which
 * keeps what the page shows, and at the end the writer of the page.
 *
 *   report.c           from events to what is kept, in bounded memory
 *   activity.c         when each worker was busy
 *   report_json.c      from there, the result and the configuration to the page's data
 *   report_page.c      from the data to the file, with the page as it lies in coordinator/report/
 *
 * The same input gives the same bytes, but for pids, times and what follows from them.
 */
#ifndef FORKFIT_COORDINATOR_REPORT_H
#define FORKFIT_COORDINATOR_REPORT_H

#include "common/error.h"
#include "coordinator/config.h"
#include "coordinator/events.h"
#include "coordinator/loader.h"
#include "coordinator/trainer.h"

#include <stdbool.h>

struct report;

/* NULL: out of memory. */
struct report *report_new(void);
void report_free(struct report *report);

struct event_sink report_sink(struct report *report);

/*
 * Writes the page, whole or not at all, to config->output.report. result: NULL where training failed. failure: why the
 * run did not end well; NULL: it did. False: *error says why there is no report.
 */
bool report_write(struct report *report, const struct config *config, const struct loader *loader,
        const struct training_result *result, const struct error *failure, struct error *error);

#endif
