/* Phase 7 of a run that is to have a report: how the rows lie around the fit. */
#include "coordinator/trainer_parts.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The bins between the two open ones reach to four times the root mean squared error on both sides. */
static const double span_in_rmse = 4.0;

/* Room for the questions, whose last parameter differs, and for the answers. */
struct portrait {
	double *asked;
	double *sums;
};

static bool ask(struct trainer *trainer, const struct portrait *portrait, enum kernel kernel, double further,
        struct error *error)
{
	portrait->asked[trainer->features + 1] = further;
	return gatherer_sums(&trainer->gatherer, trainer->result->epochs, kernel, AGGREGATE_TOTAL, portrait->asked,
	        portrait->sums, error);
}

static bool count_residuals(
        struct trainer *trainer, const struct portrait *portrait, struct residuals *residuals, struct error *error)
{
	double rmse = trainer->result->rmse;
	residuals->bin_width = rmse > 0.0 ? rmse * span_in_rmse / RESIDUAL_SPAN : 1.0;
	if (!ask(trainer, portrait, KERNEL_RESIDUALS, residuals->bin_width, error))
		return false;
	for (size_t i = 0; i < RESIDUAL_BINS; i++)
		residuals->counts[i] = (uint64_t)portrait->sums[i];
	return true;
}

static bool sample_rows(
        struct trainer *trainer, const struct portrait *portrait, struct residuals *residuals, struct error *error)
{
	uint32_t points = sums_sample_points(trainer->loader->leaf_count);
	for (uint32_t slice = 0; slice * SAMPLE_SLICE < points; slice++) {
		if (!ask(trainer, portrait, KERNEL_SAMPLE, slice, error))
			return false;
		for (uint32_t place = 0; place < SAMPLE_SLICE; place++) {
			const double *told = portrait->sums + (size_t)3 * place;
			if (told[0] == 0.0)
				continue;
			residuals->actual[residuals->points] = told[1];
			residuals->fitted[residuals->points++] = told[1] - told[2];
		}
	}
	return true;
}

bool trainer_gather_residuals(struct trainer *trainer, struct error *error)
{
	struct training_result *result = trainer->result;
	size_t columns = (size_t)trainer->features + 1;
	if (result->stop_reason == STOP_INTERRUPTED || !isfinite(result->rmse))
		return true;
	struct portrait portrait = {
	        .asked = malloc((columns + 1) * sizeof(double)),
	        .sums = malloc(sums_max_width(trainer->features) * sizeof(double)),
	};
	result->residuals = calloc(1, sizeof *result->residuals);
	bool done = portrait.asked != NULL && portrait.sums != NULL && result->residuals != NULL;
	if (!done)
		error_set(error, EXIT_OS_ERROR, "out of memory");
	if (done) {
		memcpy(portrait.asked, trainer->sent, columns * sizeof(double));
		done = count_residuals(trainer, &portrait, result->residuals, error) &&
		       sample_rows(trainer, &portrait, result->residuals, error);
	}
	free(portrait.asked);
	free(portrait.sums);
	if (done)
		return true;
	free(result->residuals);
	result->residuals = NULL;
	if (error->code != EXIT_INTERRUPTED)
		return false;
	trainer_note(trainer, "interrupted while the residuals were gathered for the report, which lacks them");
	return true;
}
