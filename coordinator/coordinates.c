#include "coordinator/coordinates.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *filled(size_t count, double value)
{
	double *numbers = malloc(count * sizeof *numbers);
	for (size_t i = 0; numbers != NULL && i < count; i++)
		numbers[i] = value;
	return numbers;
}

bool coordinates_init(struct coordinates *coordinates, uint32_t features)
{
	size_t columns = (size_t)features + 1;
	*coordinates = (struct coordinates){
	        .features = features,
	        .centre = filled(columns, 0.0),
	        .scale = filled(columns, 1.0),
	        .mean = filled(columns, 0.0),
	        .deviation = filled(columns, 1.0),
	};
	if (coordinates->centre != NULL && coordinates->scale != NULL && coordinates->mean != NULL &&
	        coordinates->deviation != NULL)
		return true;
	coordinates_release(coordinates);
	return false;
}

void coordinates_release(struct coordinates *coordinates)
{
	free(coordinates->centre);
	free(coordinates->scale);
	free(coordinates->mean);
	free(coordinates->deviation);
	*coordinates = (struct coordinates){0};
}

void coordinates_set_statistics(struct coordinates *coordinates, const double *means, const double *variances)
{
	for (uint32_t j = 0; j <= coordinates->features; j++) {
		coordinates->mean[j] = means[j];
		coordinates->deviation[j] = variances[j] > 0.0 ? sqrt(variances[j]) : 1.0;
	}
}

void coordinates_standardize(struct coordinates *coordinates)
{
	memcpy(coordinates->centre, coordinates->mean, ((size_t)coordinates->features + 1) * sizeof(double));
	memcpy(coordinates->scale, coordinates->deviation, coordinates->features * sizeof(double));
}

void coordinates_trained_from_user(const struct coordinates *coordinates, const double *user, double *trained)
{
	uint32_t d = coordinates->features;
	double intercept = user[d] - coordinates->centre[d];
	for (uint32_t j = 0; j < d; j++) {
		intercept += user[j] * coordinates->centre[j];
		trained[j] = user[j] * coordinates->scale[j];
	}
	trained[d] = intercept;
}

void coordinates_user_from_trained(const struct coordinates *coordinates, const double *trained, double *user)
{
	uint32_t d = coordinates->features;
	double intercept = trained[d] + coordinates->centre[d];
	for (uint32_t j = 0; j < d; j++) {
		user[j] = trained[j] / coordinates->scale[j];
		intercept -= user[j] * coordinates->centre[j];
	}
	user[d] = intercept;
}

void coordinates_sent_from_trained(const struct coordinates *coordinates, const double *trained, double *sent)
{
	uint32_t d = coordinates->features;
	for (uint32_t j = 0; j < d; j++)
		sent[j] = trained[j] / coordinates->scale[j];
	sent[d] = trained[d];
}

void coordinates_trained_gradient(const struct coordinates *coordinates, const double *sent, double *trained)
{
	coordinates_sent_from_trained(coordinates, sent, trained);
}

double coordinates_largest_gradient(const struct coordinates *coordinates, const double *sent)
{
	uint32_t d = coordinates->features;
	double largest = fabs(sent[d]);
	for (uint32_t j = 0; j < d; j++) {
		/* Moving the centre to the mean moves part of the slope's gradient to the intercept's. */
		double offset = coordinates->mean[j] - coordinates->centre[j];
		double component = fabs((sent[j] - offset * sent[d]) / coordinates->deviation[j]);
		if (!(component <= largest))
			largest = component;
	}
	return largest / coordinates->deviation[d];
}
