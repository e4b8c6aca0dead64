/* What trainer.c, which has the order of the phases, and the files of its phases know of each other. */
#ifndef FORKFIT_COORDINATOR_TRAINER_PARTS_H
#define FORKFIT_COORDINATOR_TRAINER_PARTS_H

#include "coordinator/coordinates.h"
#include "coordinator/divergence.h"
#include "coordinator/gather.h"
#include "coordinator/optimizer.h"
#include "coordinator/step_size.h"
#include "coordinator/trainer.h"

#include <stdbool.h>
#include <stdint.h>

struct trainer {
	const struct config *config;
	struct loader *loader;
	struct checkpointer *checkpointer;
	struct event_stream *events;
	struct injection *injection; /* NULL: no faults */
	uint32_t features;
	uint32_t workers; /* when the run began */
	struct gatherer gatherer;
	struct coordinates coordinates;
	struct optimizer optimizer;
	struct divergence divergence;
	struct step_bounds bounds; /* on L; 0 where there is no epoch */
	double least_gradient;     /* of the epochs so far, as tolerance is compared with */
	double *trained;           /* features + 1: the parameters, in trained coordinates */
	double *sent;              /* features + 1: what the workers are asked with */
	double *gradient;          /* features + 1, in trained coordinates */
	double *sums;              /* features + 3: what was gathered last */
	double *means;             /* features + 1: of the columns */
	double *moments;           /* features + 2: their variances */
	bool state_is_closed;      /* what is kept of the run stays as it is */
	struct training_result *result;
};

__attribute__((format(printf, 2, 3))) void trainer_note(const struct trainer *trainer, const char *format, ...);

/* gatherer_sums, into trainer->sums. */
bool trainer_gather(struct trainer *trainer, uint32_t epoch, enum kernel kernel, enum aggregation how,
        const double *parameters, struct error *error);

/* trainer_step.c: bounds on the largest eigenvalue of the loss's Hessian, and the step. */
bool trainer_choose_step(struct trainer *trainer, struct error *error);

/* Warns of a step that will diverge. */
void trainer_note_step(const struct trainer *trainer);

/* trainer_residuals.c: phase 7, into the result; with an interrupt the run is over, but well. */
bool trainer_gather_residuals(struct trainer *trainer, struct error *error);

/* trainer_resume.c: keeps what is known when an epoch has been gathered and before its step; answer: CRC of the sums.
 */
void trainer_keep_state(struct trainer *trainer, uint32_t epoch, uint32_t answer);

/* Takes over the checkpointer's state, in place of the phases between loading and the epochs. */
bool trainer_take_up(struct trainer *trainer, struct error *error);

/* If this is the epoch that the checkpoint has seen: does it come out as it did then? Else *error says so. */
bool trainer_repeats(const struct trainer *trainer, uint32_t epoch, uint32_t answer, struct error *error);

#endif
