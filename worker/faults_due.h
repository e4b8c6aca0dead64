/* What faults.c and faults_frames.c know of each other. */
#ifndef FORKFIT_WORKER_FAULTS_DUE_H
#define FORKFIT_WORKER_FAULTS_DUE_H

#include "worker/faults.h"

/* More faults than this at one occasion are not looked at. */
enum { FAULTS_DUE_MAX = 8 };

struct faults {
	const struct fault_plan *plan;
	uint32_t *occurrences;                /* for each fault of the plan: occasions that matched so far */
	uint32_t visits[SITE_WORKER_END];     /* of each site, in the epoch of the last visit, */
	uint32_t last_epoch[SITE_WORKER_END]; /* which is this */

	/* The present occasion: */
	struct fault due[FAULTS_DUE_MAX];
	size_t due_count;

	struct wire_buffer last_read; /* the last frame in each direction, as it was meant */
	struct wire_buffer last_written;
};

/* Finds what is due at this occasion. frame_bytes: how long the frame is that passes, or 0. */
void faults_find_due(struct faults *faults, enum fault_site site, uint32_t epoch, size_t frame_bytes);

/* Says that the fault is about to happen. */
void faults_announce(const struct faults *faults, const struct fault *fault);

/* Does it end or halt the process, wherever it is? */
bool fault_is_of_process(enum fault_kind kind);

/* Announces and does such a fault. It may not return. */
void faults_do_to_process(const struct faults *faults, const struct fault *fault);

/* Does nothing, for ms or for ever. */
void faults_keep_silent(uint32_t ms);

/* Ends the process at once. */
_Noreturn void faults_exit(uint32_t code);

#endif
