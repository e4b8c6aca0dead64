/*
 * The checkpoints of a run: when one is written, what becomes of a run whose checkpoints cannot be written, and whether
 * a run may go on from one that is there.
 *
 * A checkpoint that cannot be written does not end the training: that is told once, it is tried again whenever one is
 * due, and the last one written stays. Whoever started the run learns from checkpointer_is_up_to_date whether something
 * is missing in the end.
 */
#ifndef FORKFIT_COORDINATOR_CHECKPOINTER_H
#define FORKFIT_COORDINATOR_CHECKPOINTER_H

#include "common/error.h"
#include "coordinator/checkpoint.h"
#include "coordinator/config.h"
#include "coordinator/events.h"
#include "coordinator/injection.h"
#include "coordinator/loader.h"

#include <stdbool.h>
#include <stdint.h>

struct checkpointer {
	const char *path; /* borrowed from the configuration; NULL: nothing is written */
	uint32_t every_epochs;
	const struct event_stream *events;
	struct injection *injection; /* NULL: no faults */
	struct checkpoint state;     /* as the trainer keeps it: of the last epoch that is done */
	uint32_t resumed_epoch;      /* `state` is from a file, and of this epoch; 0: the run starts at the beginning */
	uint32_t written_epoch;      /* of the newest checkpoint at the path; 0: there is none of this run */
	bool newest_is_damaged;      /* what is at the path must not replace the one before it */
	bool failing;                /* the last attempt to write */
	struct error failure;        /* … and why */
};

/* workers: how many processes. injection: NULL without faults. False: *error is "out of memory", and there is nothing
 * to release. */
bool checkpointer_init(struct checkpointer *checkpointer, const struct config *config, const struct loader *loader,
        uint32_t workers, const struct event_stream *events, struct injection *injection, struct error *error);
void checkpointer_release(struct checkpointer *checkpointer);

/*
 * Takes over the state from the checkpoint, if there is one. False: *error says why it cannot be gone on from: with
 * EXIT_BAD_CONFIGURATION it does not belong to this run; else as checkpoint_file_find says.
 */
bool checkpointer_resume(struct checkpointer *checkpointer, const struct config *config, struct error *error);

/* Another epoch is in `state`: is it one to be written? */
bool checkpointer_is_due(const struct checkpointer *checkpointer);

/* Writes the last epoch, unless that is done. */
void checkpointer_finish(struct checkpointer *checkpointer);

/* Is the last epoch in the file? True also where none is to be written, or no epoch is done. */
bool checkpointer_is_up_to_date(const struct checkpointer *checkpointer);

#endif
