/* Between the trainer and its checkpoints: what is kept of an epoch, and how a run is taken up again. */
#include "coordinator/trainer_parts.h"

#include <inttypes.h>
#include <string.h>

/*
 * A run that has lost rows, or in which their sharing out counts and has changed, is not what a resumed one would be:
 * its last state is the one before.
 */
static bool can_be_taken_up(const struct trainer *trainer)
{
	bool sharing_counts = trainer->config->training.aggregation != AGGREGATE_MEAN;
	return !trainer->gatherer.degraded && !(sharing_counts && trainer->gatherer.share_count != trainer->workers);
}

void trainer_keep_state(struct trainer *trainer, uint32_t epoch, uint32_t answer)
{
	struct checkpoint *state = &trainer->checkpointer->state;
	size_t bytes = ((size_t)trainer->features + 1) * sizeof(double);
	if (!can_be_taken_up(trainer)) {
		if (!trainer->state_is_closed && trainer->checkpointer->path != NULL)
			trainer_note(trainer, "with workers lost for good, there is no checkpoint from here on");
		trainer->state_is_closed = true;
		return;
	}
	state->rows = trainer->result->rows;
	state->skipped = trainer->result->skipped;
	state->learning_rate = trainer->optimizer.learning_rate;
	state->bounds = trainer->bounds;
	state->epoch = epoch;
	state->divergence = trainer->divergence;
	state->least_gradient = trainer->least_gradient;
	state->loss = trainer->result->loss;
	state->answer = answer;
	memcpy(state->parameters, trainer->trained, bytes);
	memcpy(state->means, trainer->means, bytes);
	memcpy(state->variances, trainer->moments, bytes);
}

bool trainer_repeats(const struct trainer *trainer, uint32_t epoch, uint32_t answer, struct error *error)
{
	const struct checkpoint *state = &trainer->checkpointer->state;
	if (epoch != trainer->checkpointer->resumed_epoch || answer == state->answer || !can_be_taken_up(trainer))
		return true;
	return error_set(error, EXIT_BAD_CONFIGURATION,
	        "the checkpoint %s does not belong to this run: epoch %" PRIu32
	        " had the loss %.17g, and has %.17g now, so other values are in %s",
	        trainer->checkpointer->path, epoch, state->loss, trainer->result->loss, trainer->loader->name);
}

bool trainer_take_up(struct trainer *trainer, struct error *error)
{
	const struct checkpoint *state = &trainer->checkpointer->state;
	const struct gatherer *gatherer = &trainer->gatherer;
	size_t bytes = ((size_t)trainer->features + 1) * sizeof(double);
	if (gatherer->rows + gatherer->skipped != state->rows + state->skipped && !gatherer->degraded)
		return error_set(error, EXIT_BAD_CONFIGURATION,
		        "the checkpoint %s does not belong to this run: %s has %" PRIu64 " rows, and had %" PRIu64,
		        trainer->checkpointer->path, trainer->loader->name, gatherer->rows + gatherer->skipped,
		        state->rows + state->skipped);
	trainer->result->rows = state->rows;
	trainer->result->skipped = state->skipped;
	trainer->optimizer.learning_rate = state->learning_rate;
	trainer->bounds = state->bounds;
	trainer->divergence = state->divergence;
	trainer->least_gradient = state->least_gradient;
	memcpy(trainer->trained, state->parameters, bytes);
	memcpy(trainer->means, state->means, bytes);
	memcpy(trainer->moments, state->variances, bytes);
	return true;
}
