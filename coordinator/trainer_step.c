/* Phase 4 of a run: bounds on the largest eigenvalue of the loss's Hessian, and the step. */
#include "coordinator/trainer_parts.h"

#include <math.h>
#include <string.h>

/* The step's bounds are close enough when they are this near each other: 1/L is then missed by no more. */
static const double bounds_close = 1.02;

/* What the workers would answer for the trace; by moments about the means it is known, unless rows are gone since. */
static bool knows_moments(const struct trainer *trainer)
{
	return trainer->config->training.aggregation == AGGREGATE_MEAN && !trainer->gatherer.degraded &&
	       memcmp(trainer->coordinates.centre, trainer->means, ((size_t)trainer->features + 1) * sizeof(double)) ==
	               0;
}

/*
 * The trace of the Hessian in trained coordinates, 2·(Σ_j mean((x_j - c_j)²)/s_j² + 1), with means taken as the
 * aggregation takes them; the 1 is the intercept's, once for each worker that is summed.
 */
static bool gather_trace(struct trainer *trainer, double *trace, struct error *error)
{
	enum aggregation how = trainer->config->training.aggregation;
	const struct coordinates *coordinates = &trainer->coordinates;
	const double *moments = knows_moments(trainer) ? trainer->moments : trainer->sums;
	if (moments == trainer->sums && !trainer_gather(trainer, 0, KERNEL_MOMENTS, how, coordinates->centre, error))
		return false;
	*trace = how == AGGREGATE_SUM ? (double)trainer->gatherer.aggregator.workers : 1.0;
	for (uint32_t j = 0; j < trainer->features; j++)
		*trace += moments[j] / (coordinates->scale[j] * coordinates->scale[j]);
	*trace *= 2.0;
	return true;
}

/* One product of the Hessian with a direction, both in trained coordinates; in trainer->gradient. */
static bool gather_product(struct trainer *trainer, const double *direction, struct error *error)
{
	uint32_t d = trainer->features;
	coordinates_sent_from_trained(&trainer->coordinates, direction, trainer->sent);
	if (!trainer_gather(trainer, 0, KERNEL_CURVATURE, trainer->config->training.aggregation, trainer->sent, error))
		return false;
	for (uint32_t j = 0; j <= d; j++) {
		trainer->sums[j] *= 2.0;
		if (!isfinite(trainer->sums[j]))
			return error_set(error, EXIT_BAD_DATASET,
			        "%s: the numbers are too large to train on without standardizing",
			        trainer->loader->name);
	}
	coordinates_trained_gradient(&trainer->coordinates, trainer->sums, trainer->gradient);
	return true;
}

/* Are the bounds good enough for what they are needed for? */
static bool bounds_suffice(const struct trainer *trainer)
{
	double rate = trainer->config->training.learning_rate;
	if (trainer->bounds.upper <= bounds_close * trainer->bounds.lower)
		return true;
	return !trainer->config->training.automatic_rate &&
	       (rate > 2.0 / trainer->bounds.lower || rate <= 2.0 / trainer->bounds.upper);
}

/*
 * Takes products until the bounds suffice. Trace and products must be of the same Hessian: where rows were lost since
 * the trace was taken (the policy "drop"), *is_of_all is false, and the bounds mean nothing.
 */
static bool take_products(
        struct trainer *trainer, struct step_size *step, double trace, bool *is_of_all, struct error *error)
{
	uint64_t rows_lost = trainer->gatherer.rows_lost;
	const double *direction;
	*is_of_all = true;
	while (*is_of_all && (direction = step_size_direction(step)) != NULL) {
		if (!gather_product(trainer, direction, error))
			return false;
		step_size_take_product(step, trainer->gradient);
		trainer->bounds = step_size_bounds(step, trace);
		*is_of_all = trainer->gatherer.rows_lost == rows_lost;
		if (bounds_suffice(trainer))
			break;
	}
	return true;
}

/* Again from the start where rows were lost on the way: no more often than there are workers that can take some along.
 */
static bool gather_bounds(struct trainer *trainer, struct error *error)
{
	bool is_of_all = false;
	while (!is_of_all) {
		double trace;
		if (!gather_trace(trainer, &trace, error))
			return false;
		struct step_size *step = step_size_new((size_t)trainer->features + 1);
		if (step == NULL)
			return error_set(error, EXIT_OS_ERROR, "out of memory");
		bool taken = take_products(trainer, step, trace, &is_of_all, error);
		step_size_free(step);
		if (!taken)
			return false;
	}
	return true;
}

bool trainer_choose_step(struct trainer *trainer, struct error *error)
{
	const struct config *config = trainer->config;
	if (!gather_bounds(trainer, error))
		return false;
	trainer->optimizer.learning_rate =
	        config->training.automatic_rate ? 1.0 / trainer->bounds.upper : config->training.learning_rate;
	return true;
}

void trainer_note_step(const struct trainer *trainer)
{
	if (trainer->optimizer.learning_rate > 2.0 / trainer->bounds.lower)
		trainer_note(trainer,
		        "training.learning_rate %g is above %.4g, where training diverges; \"auto\" would take %.4g",
		        trainer->optimizer.learning_rate, 2.0 / trainer->bounds.lower, 1.0 / trainer->bounds.upper);
}
