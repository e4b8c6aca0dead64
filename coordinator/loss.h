/* A lost worker in words: worker, pid, rows, epoch, what happened. */
#ifndef FORKFIT_COORDINATOR_LOSS_H
#define FORKFIT_COORDINATOR_LOSS_H

#include "coordinator/pool.h"

#include <stddef.h>
#include <stdint.h>

/* The cause's name in the event log. */
const char *loss_cause_name(enum loss_cause cause);

/*
 * One sentence. rows: those of the worker, rows.begin == rows.end where they are not known (then its bytes or leaves
 * are named). The loss must be buried.
 */
void loss_describe(const struct loss *loss, const struct slot *slot, struct range rows, uint32_t epoch, char *text,
        size_t capacity);

#endif
