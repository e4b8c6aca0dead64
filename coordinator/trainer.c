#include "coordinator/trainer.h"

#include "common/crc32c.h"
#include "common/utf8.h"
#include "coordinator/phrase.h"
#include "coordinator/trainer_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *stop_reason_name(enum stop_reason reason)
{
	static const char *const names[] = {
	        [STOP_TOLERANCE] = "tolerance",
	        [STOP_EPOCHS] = "epochs",
	        [STOP_INTERRUPTED] = "interrupted",
	};
	return names[reason];
}

void training_result_release(struct training_result *result)
{
	free(result->parameters);
	free(result->residuals);
	result->parameters = NULL;
	result->residuals = NULL;
}

void trainer_note(const struct trainer *trainer, const char *format, ...)
{
	char text[2048], excerpt[1024]; /* a character that the longer one cuts in two does not show */
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct event event = {.type = EVENT_NOTE};
	event.note.text = utf8_excerpt(excerpt, sizeof excerpt, text, strlen(text));
	events_emit(trainer->events, event);
}

bool trainer_gather(struct trainer *trainer, uint32_t epoch, enum kernel kernel, enum aggregation how,
        const double *parameters, struct error *error)
{
	return gatherer_sums(&trainer->gatherer, epoch, kernel, how, parameters, trainer->sums, error);
}

/* Phase 1: every worker has its chunk. */
static bool load(struct trainer *trainer, struct error *error)
{
	struct gatherer *gatherer = &trainer->gatherer;
	if (!gatherer_load(gatherer, error))
		return false;
	if (gatherer->rows == 0)
		return error_set(error, EXIT_BAD_DATASET, "%s: %s", trainer->loader->name,
		        gatherer->skipped > 0 ? "every row has a missing value" : "there are no rows");
	if (gatherer->share_count > gatherer->rows)
		return error_set(error, EXIT_BAD_CONFIGURATION,
		        "%s: workers: %" PRIu32 " workers are more than the %" PRIu64 " rows of %s",
		        trainer->config->source, gatherer->share_count, gatherer->rows, trainer->loader->name);
	if (!gatherer->has_first_row)
		return error_set(error, EXIT_BAD_DATASET, "%s: every row has a missing value", trainer->loader->name);
	return true;
}

static bool sums_are_finite(const struct trainer *trainer, const char *what, struct error *error)
{
	for (uint32_t j = 0; j <= trainer->features; j++) {
		struct phrase name = {.length = 0};
		if (isfinite(trainer->sums[j]))
			continue;
		phrase_add_quoted(&name, loader_used_name(trainer->loader, j));
		return error_set(error, EXIT_BAD_DATASET,
		        "%s: the numbers of column %s are too large: %s is beyond the range of a double",
		        trainer->loader->name, name.text, what);
	}
	return true;
}

/*
 * Phases 2 and 3: the columns' means and variances. The first row is the origin of the means' sums, so that a
 * constant column has exactly its constant as mean, and exactly zero as variance.
 */
static bool gather_statistics(struct trainer *trainer, struct error *error)
{
	uint32_t d = trainer->features;
	const double *origin = trainer->gatherer.first_row;
	double *means = trainer->means;
	if (!trainer_gather(trainer, 0, KERNEL_MEANS, AGGREGATE_MEAN, origin, error) ||
	        !sums_are_finite(trainer, "their sum", error))
		return false;
	for (uint32_t j = 0; j <= d; j++)
		means[j] = origin[j] + trainer->sums[j];
	trainer->result->rows = (uint64_t)trainer->sums[d + 1];
	trainer->result->skipped = trainer->gatherer.skipped + trainer->gatherer.rows - trainer->result->rows;
	if (!trainer_gather(trainer, 0, KERNEL_MOMENTS, AGGREGATE_MEAN, means, error) ||
	        !sums_are_finite(trainer, "the sum of their squares", error))
		return false;
	memcpy(trainer->moments, trainer->sums, ((size_t)d + 2) * sizeof(double));
	divergence_init(&trainer->divergence, trainer->moments[d] + means[d] * means[d]);
	return true;
}

/* "columns that are constant, from which there is nothing to learn: a, b" */
static void note_constant_columns(const struct trainer *trainer)
{
	char names[1024] = ""; /* more than a note shows */
	size_t length = 0;
	for (uint32_t j = 0; j < trainer->features && length < sizeof names; j++)
		if (trainer->moments[j] == 0.0)
			length += (size_t)snprintf(names + length, sizeof names - length, "%s%s",
			        length > 0 ? ", " : "", loader_used_name(trainer->loader, j));
	if (length > 0)
		trainer_note(trainer, "constant columns, from which there is nothing to learn: %s", names);
}

static void note_data(const struct trainer *trainer)
{
	if (trainer->loader->left_out != NULL)
		trainer_note(trainer, "%s", trainer->loader->left_out);
	if (trainer->result->skipped > 0)
		trainer_note(trainer, "%" PRIu64 " row%s with missing values left out", trainer->result->skipped,
		        trainer->result->skipped == 1 ? "" : "s");
	note_constant_columns(trainer);
}

/* From means and variances to the coordinates of training, which the workers are told. */
static bool set_coordinates(struct trainer *trainer, struct error *error)
{
	coordinates_set_statistics(&trainer->coordinates, trainer->means, trainer->moments);
	if (!trainer->config->training.standardize)
		return true;
	coordinates_standardize(&trainer->coordinates);
	return gatherer_set_centre(&trainer->gatherer, trainer->coordinates.centre, error);
}

/* Where training begins: the configuration's initial parameters, in trained coordinates. */
static bool set_initial(struct trainer *trainer, struct error *error)
{
	uint32_t d = trainer->features;
	size_t given = trainer->config->training.initial_count;
	if (given != 0 && given != d)
		return error_set(error, EXIT_BAD_CONFIGURATION,
		        "%s: training.initial.w: expected %" PRIu32 " numbers, one for each feature, found %zu",
		        trainer->config->source, d, given);
	for (uint32_t j = 0; j < d; j++)
		trainer->trained[j] = given != 0 ? trainer->config->training.initial_w[j] : 0.0;
	trainer->trained[d] = trainer->config->training.initial_b;
	return true;
}

static bool report_divergence(const struct trainer *trainer, uint32_t epoch, double loss, struct error *error)
{
	double rate = trainer->optimizer.learning_rate;
	double shown = isnan(loss) ? NAN : loss; /* without a sign */
	double stable = 2.0 / trainer->bounds.upper;
	char remedy[256];
	if (trainer->gatherer.degraded)
		snprintf(remedy, sizeof remedy,
		        "the learning rate %g is too large for the rows that were not lost with their workers", rate);
	else if (rate > stable)
		snprintf(remedy, sizeof remedy,
		        "the learning rate %g is above the stable limit %.4g: use \"auto\" or at most %.4g", rate,
		        stable, 1.0 / trainer->bounds.upper);
	else
		snprintf(remedy, sizeof remedy,
		        "the learning rate %g is stable for these data, so the numbers' range "
		        "must be what fails",
		        rate);
	return error_set(error, EXIT_DIVERGED, "training diverged in epoch %" PRIu32 " (loss %g): %s%s", epoch, shown,
	        remedy,
	        trainer->config->training.standardize
	                ? ""
	                : "; \"standardize\": true makes larger steps stable and converges in fewer");
}

enum epoch_outcome { EPOCH_STEPPED, EPOCH_CONVERGED, EPOCH_FAILED };

/* One epoch: send the parameters, gather loss and gradient there, step. */
static enum epoch_outcome run_epoch(struct trainer *trainer, uint32_t epoch, struct error *error)
{
	uint32_t d = trainer->features;
	struct training_result *result = trainer->result;
	fault_point(trainer->injection, SITE_COORDINATOR_EPOCH, epoch);
	coordinates_sent_from_trained(&trainer->coordinates, trainer->trained, trainer->sent);
	if (!trainer_gather(
	            trainer, epoch, KERNEL_GRADIENT, trainer->config->training.aggregation, trainer->sent, error))
		return EPOCH_FAILED;
	uint32_t answer = crc32c(0, trainer->sums, ((size_t)d + 2) * sizeof(double));
	result->loss = trainer->sums[d + 1];
	result->epochs = epoch;
	if (!trainer_repeats(trainer, epoch, answer, error))
		return EPOCH_FAILED;
	for (uint32_t j = 0; j <= d; j++)
		trainer->sums[j] *= 2.0;
	double largest = coordinates_largest_gradient(&trainer->coordinates, trainer->sums);
	struct event event = {.type = EVENT_EPOCH_DONE, .epoch = epoch};
	event.epoch_done.loss = result->loss;
	event.epoch_done.gradient = largest;
	events_emit(trainer->events, event);
	trainer_keep_state(trainer, epoch, answer);
	trainer->least_gradient = fmin(trainer->least_gradient, largest);
	if (divergence_seen(&trainer->divergence, result->loss) || !isfinite(largest)) {
		report_divergence(trainer, epoch, result->loss, error);
		return EPOCH_FAILED;
	}
	if (largest <= trainer->config->training.tolerance && trainer->config->training.tolerance > 0)
		return EPOCH_CONVERGED;
	coordinates_trained_gradient(&trainer->coordinates, trainer->sums, trainer->gradient);
	optimizer_step(&trainer->optimizer, trainer->trained, trainer->gradient, (size_t)d + 1);
	return EPOCH_STEPPED;
}

/* What was calculated from a file that was written to meanwhile is worth nothing, to those who resume either. */
static bool keep_checkpoint(const struct trainer *trainer, struct error *error)
{
	if (!checkpointer_is_due(trainer->checkpointer))
		return true;
	if (!loader_is_unchanged(trainer->loader, error))
		return false;
	checkpointer_finish(trainer->checkpointer);
	return true;
}

/* Phase 5. */
static bool run_epochs(struct trainer *trainer, struct error *error)
{
	struct training_result *result = trainer->result;
	trainer->gatherer.finish_round = true;
	result->stop_reason = STOP_EPOCHS;
	uint32_t resumed_epoch = trainer->checkpointer->resumed_epoch;
	uint64_t first = resumed_epoch > 0 ? resumed_epoch : 1;
	for (uint64_t epoch = first; epoch <= trainer->config->training.epochs; epoch++) {
		switch (run_epoch(trainer, (uint32_t)epoch, error)) {
		case EPOCH_STEPPED:
			if (!keep_checkpoint(trainer, error))
				return false;
			break;
		case EPOCH_CONVERGED:
			result->stop_reason = STOP_TOLERANCE;
			return true;
		case EPOCH_FAILED:
			return false;
		}
		if (trainer->gatherer.interrupts > 0) {
			result->stop_reason = STOP_INTERRUPTED;
			return true;
		}
	}
	return true;
}

/* The last step may have been the one too far; without any, it is the initial parameters that are, or the data. */
static bool metrics_are_finite(const struct trainer *trainer, struct error *error)
{
	const double *metrics = trainer->sums;
	if (isfinite(metrics[0]) && isfinite(metrics[1]))
		return true;
	if (trainer->result->epochs > 0)
		return report_divergence(trainer, trainer->result->epochs, metrics[0], error);
	if (trainer->config->training.initial_count == 0 && trainer->config->training.initial_b == 0.0)
		return error_set(error, EXIT_BAD_DATASET,
		        "%s: the numbers are too large: the sum of the squared errors is beyond the range of a double",
		        trainer->gatherer.loader->name);
	return error_set(error, EXIT_BAD_CONFIGURATION,
	        "%s: training.initial: the sum of the squared errors is beyond the range of a double",
	        trainer->config->source);
}

/* Phase 6: how good the fit is, in the target's units. */
static bool gather_metrics(struct trainer *trainer, struct error *error)
{
	struct training_result *result = trainer->result;
	double variance = trainer->moments[trainer->features];
	coordinates_sent_from_trained(&trainer->coordinates, trainer->trained, trainer->sent);
	if (!trainer_gather(trainer, result->epochs, KERNEL_METRICS, AGGREGATE_MEAN, trainer->sent, error) ||
	        !metrics_are_finite(trainer, error))
		return false;
	result->mse = trainer->sums[0];
	result->mae = trainer->sums[1];
	result->rmse = sqrt(result->mse);
	result->rows = (uint64_t)trainer->sums[2];
	result->degraded = trainer->gatherer.degraded;
	result->rows_lost = trainer->gatherer.rows_lost;
	result->r2 = variance > 0.0 ? 1.0 - result->mse / variance : NAN;
	coordinates_user_from_trained(&trainer->coordinates, trainer->trained, result->parameters);
	return true;
}

/* So many that one of them meets no disturbance. */
enum { BANDWIDTH_ROUNDS = 5 };

/*
 * Phase 7, where it is asked for: rounds in which the workers only read, for whoever compares their times with the
 * epochs'. The result is there, and does not depend on them.
 */
static void measure_bandwidth(struct trainer *trainer)
{
	struct error error;
	if (!trainer->config->bandwidth || trainer->result->stop_reason == STOP_INTERRUPTED)
		return;
	for (int round = 0; round < BANDWIDTH_ROUNDS; round++) {
		if (!trainer_gather(
		            trainer, trainer->result->epochs, KERNEL_STREAM, AGGREGATE_MEAN, trainer->sent, &error)) {
			trainer_note(trainer, "the bandwidth was not measured: %s", error.message);
			return;
		}
	}
}

/* What comes before the epochs; a run that is resumed has from its checkpoint what the data and the start would tell.
 */
static bool prepare(struct trainer *trainer, struct error *error)
{
	bool resumed = trainer->checkpointer->resumed_epoch > 0;
	if ((!resumed && !set_initial(trainer, error)) || !load(trainer, error) ||
	        !(resumed ? trainer_take_up(trainer, error) : gather_statistics(trainer, error)))
		return false;
	note_data(trainer);
	if (!set_coordinates(trainer, error))
		return false;
	if (!resumed) {
		coordinates_trained_from_user(&trainer->coordinates, trainer->trained, trainer->trained);
		if (trainer->config->training.epochs > 0 && !trainer_choose_step(trainer, error))
			return false;
	}
	trainer_note_step(trainer);
	return true;
}

static bool run_phases(struct trainer *trainer, struct error *error)
{
	if (!prepare(trainer, error) || !run_epochs(trainer, error) || !gather_metrics(trainer, error))
		return false;
	measure_bandwidth(trainer);
	return (trainer->config->output.report == NULL || trainer_gather_residuals(trainer, error)) &&
	       loader_is_unchanged(trainer->loader, error);
}

/* Is it worth while to go on from the last epoch that is done, perhaps with more of them? */
static bool can_go_on(const struct trainer *trainer, bool trained, const struct error *error)
{
	struct error change;
	return trained || ((error->code == EXIT_INTERRUPTED || error->code == EXIT_WORKERS_LOST ||
	                           error->code == EXIT_OS_ERROR || error->code == EXIT_INPUT_MISSING) &&
	                          loader_is_unchanged(trainer->loader, &change));
}

static bool allocate(struct trainer *trainer, struct error *error)
{
	size_t d = trainer->features;
	trainer->trained = calloc(d + 1, sizeof(double));
	trainer->sent = calloc(d + 1, sizeof(double));
	trainer->gradient = calloc(d + 1, sizeof(double));
	trainer->sums = calloc(d + 3, sizeof(double));
	trainer->means = calloc(d + 1, sizeof(double));
	trainer->moments = calloc(d + 2, sizeof(double));
	trainer->result->parameters = calloc(d + 1, sizeof(double));
	if (trainer->trained != NULL && trainer->sent != NULL && trainer->gradient != NULL && trainer->sums != NULL &&
	        trainer->means != NULL && trainer->moments != NULL && trainer->result->parameters != NULL &&
	        coordinates_init(&trainer->coordinates, trainer->features))
		return true;
	return error_set(error, EXIT_OS_ERROR, "out of memory");
}

static void release(struct trainer *trainer)
{
	free(trainer->trained);
	free(trainer->sent);
	free(trainer->gradient);
	free(trainer->sums);
	free(trainer->means);
	free(trainer->moments);
	coordinates_release(&trainer->coordinates);
}

bool trainer_run(const struct config *config, struct loader *loader, uint32_t workers,
        struct checkpointer *checkpointer, struct event_stream *events, struct injection *injection,
        struct training_result *result, struct error *error)
{
	struct trainer trainer = {
	        .config = config,
	        .loader = loader,
	        .checkpointer = checkpointer,
	        .events = events,
	        .injection = injection,
	        .features = loader->dataset.features,
	        .workers = workers,
	        .optimizer = {.kind = config->training.optimizer},
	        .least_gradient = INFINITY,
	        .result = result,
	};
	*result = (struct training_result){.features = trainer.features, .loss = NAN};
	bool trained = false;
	if (allocate(&trainer, error) &&
	        gatherer_init(&trainer.gatherer, config, loader, workers, events, injection, error)) {
		trained = run_phases(&trainer, error);
		if (can_go_on(&trainer, trained, error))
			checkpointer_finish(checkpointer);
		result->learning_rate = trainer.optimizer.learning_rate;
		/* Workers that may be busy or worse are not waited for. */
		bool orderly = trained || error->code == EXIT_BAD_DATASET || error->code == EXIT_DIVERGED ||
		               error->code == EXIT_BAD_CONFIGURATION;
		gatherer_release(&trainer.gatherer, orderly);
	}
	release(&trainer);
	if (!trained)
		training_result_release(result);
	return trained;
}
