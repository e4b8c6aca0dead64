/* A lost worker in words: worker, pid, rows, epoch, what happened. */
#ifndef FORKFIT_COORDINATOR_LOSS_H
#define FORKFIT_COORDINATOR_LOSS_H

#include "coordinator/pool.h"

#include <stddef.h>
#include <stdint.h>

/* The cause's name in the event log. */
const char *loss_cause_name(enum loss_cause cause);

/* What a worker said of the signal that was ending it, in brackets, as the detail of a death. */
void loss_describe_signal(const struct worker_error *error, char *text, size_t capacity);

/* "rows 5 to 9", or "bytes 120 to 260" of the file where the rows are not known; empty ranges are not known. */
void loss_describe_share(struct range bytes, struct range rows, char *text, size_t capacity);

/*
 * One sentence. bytes, rows: the worker's share; empty ranges where it has none, or they are not known. epoch: 0 before
 * the first, negative where nothing is trained. The loss must be buried.
 */
void loss_describe(
        const struct loss *loss, struct range bytes, struct range rows, int64_t epoch, char *text, size_t capacity);

#endif
