/* The step from one epoch's parameters to the next. Pure: it needs only the gathered gradient. */
#ifndef FORKFIT_COORDINATOR_OPTIMIZER_H
#define FORKFIT_COORDINATOR_OPTIMIZER_H

#include "coordinator/config.h"

#include <stddef.h>

struct optimizer {
	enum optimizer_kind kind;
	double learning_rate;
};

/* gradient_descent: p -= learning_rate · g, for `count` parameters p and the loss's gradient g there. */
void optimizer_step(const struct optimizer *optimizer, double *parameters, const double *gradient, size_t count);

#endif
