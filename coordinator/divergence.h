/* Does the loss of gradient descent run away? Pure. */
#ifndef FORKFIT_COORDINATOR_DIVERGENCE_H
#define FORKFIT_COORDINATOR_DIVERGENCE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * On a quadratic with a fixed step the loss is Σ c_i·r_i^t with all r_i ≥ 0, a convex function of the epoch t: once it
 * rises it never falls again. So a rise is divergence, unless it is rounding around the minimum: it must last, and it
 * must be more than rounding of the loss and of the target's own size.
 */
struct divergence {
	double floor;    /* changes below this are rounding of the target's values */
	double previous; /* the last epoch's loss */
	double start;    /* the loss before the present rise */
	uint32_t rising; /* epochs in a row */
};

/* target_square: the mean of y², whose rounding is the loss's. */
void divergence_init(struct divergence *divergence, double target_square);

/* Takes the loss of the next epoch. True: the training diverges. */
bool divergence_seen(struct divergence *divergence, double loss);

#endif
