/*
 * The coordinates that training works in, and the way to and from the user's units. Pure.
 *
 *   trained  w_t, b_t   what the optimizer changes:  y - c_y ≈ Σ w_t,j · (x_j - c_j)/s_j + b_t
 *   sent     w_t/s, b_t what the workers get: they subtract the centre c themselves, and know no scale
 *   user's   w, b       y ≈ Σ w_j · x_j + b
 *
 * Standardising, c is the means and s the standard deviations; otherwise c = 0, s = 1, and all three are the same.
 * A change of scale is a diagonal change of variable: the gradient in trained coordinates is the sent one's over s.
 */
#ifndef FORKFIT_COORDINATOR_COORDINATES_H
#define FORKFIT_COORDINATOR_COORDINATES_H

#include <stdbool.h>
#include <stdint.h>

struct coordinates {
	uint32_t features;
	double *centre;    /* features + 1: c, then c_y */
	double *scale;     /* features: s */
	double *mean;      /* features + 1: of the columns, whether used as centre or not */
	double *deviation; /* features + 1: standard deviations, 1 for a constant column */
};

/* Not standardised, and with no statistics. False: out of memory. */
bool coordinates_init(struct coordinates *coordinates, uint32_t features);
void coordinates_release(struct coordinates *coordinates);

/* Takes the columns' means and variances (features + 1 each). */
void coordinates_set_statistics(struct coordinates *coordinates, const double *means, const double *variances);

/* From then on training is in standardised coordinates. */
void coordinates_standardize(struct coordinates *coordinates);

/* Vectors of parameters: features + 1, the intercept last. In place if both are the same. */
void coordinates_trained_from_user(const struct coordinates *coordinates, const double *user, double *trained);
void coordinates_user_from_trained(const struct coordinates *coordinates, const double *trained, double *user);
void coordinates_sent_from_trained(const struct coordinates *coordinates, const double *trained, double *sent);
void coordinates_trained_gradient(const struct coordinates *coordinates, const double *sent, double *trained);

/*
 * The largest component, in magnitude, that a gradient taken in sent coordinates has in standardised ones, divided by
 * the standard deviation of y: what `tolerance` is compared with, whether training is standardised or not.
 */
double coordinates_largest_gradient(const struct coordinates *coordinates, const double *sent);

#endif
