/*
 * The phases of a run: load, means, moments, step size, epochs, metrics, and residuals for a report. A run that is
 * resumed has from its checkpoint what means, moments and step size would tell. The trainer knows the order and the
 * formulas; how a question reaches the workers and an answer comes back is gather.h's.
 */
#ifndef FORKFIT_COORDINATOR_TRAINER_H
#define FORKFIT_COORDINATOR_TRAINER_H

#include "common/error.h"
#include "coordinator/checkpointer.h"
#include "coordinator/config.h"
#include "coordinator/events.h"
#include "coordinator/injection.h"
#include "coordinator/loader.h"

#include <stdbool.h>
#include <stdint.h>

enum stop_reason { STOP_TOLERANCE, STOP_EPOCHS, STOP_INTERRUPTED };

/* A reason's name, as in the model file. */
const char *stop_reason_name(enum stop_reason reason);

/*
 * How the rows lie around the fit, in the target's units: a residual is the actual value minus the fitted one. Counts
 * are of all rows; the sample is that of common/sums.h, without the rows that there are not.
 */
struct residuals {
	double bin_width;
	uint64_t counts[RESIDUAL_BINS];
	uint32_t points;
	double actual[SAMPLE_POINTS];
	double fitted[SAMPLE_POINTS];
};

struct training_result {
	uint32_t features;
	double *parameters; /* features + 1 in the user's units: w, then b; owned */
	uint64_t rows;      /* that counted */
	uint64_t skipped;   /* left out for missing values */
	bool degraded;      /* rows were lost with their workers, under the policy "drop" … */
	uint64_t rows_lost; /* … so many */
	double mse, rmse, mae;
	double r2; /* NaN where the target is constant */
	uint32_t epochs;
	enum stop_reason stop_reason;
	double learning_rate;
	double loss;                 /* of the last epoch, at the parameters it began with; NaN without an epoch */
	struct residuals *residuals; /* owned; NULL: nobody wants them, or the run was interrupted before */
};

/*
 * Trains. workers: how many processes. checkpointer: holds the state to go on from, if there is one, and gets the state
 * of every epoch. injection: NULL without faults. False: *error says why, with the exit code; the result then holds
 * nothing. In either case no process is left.
 */
bool trainer_run(const struct config *config, struct loader *loader, uint32_t workers,
        struct checkpointer *checkpointer, struct event_stream *events, struct injection *injection,
        struct training_result *result, struct error *error);

void training_result_release(struct training_result *result);

#endif
