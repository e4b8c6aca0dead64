/*
 * What the program ought to find, computed the plainest way from a whole table, in long double. Parameters are
 * features + 1 numbers: the weights, then the intercept.
 */
#ifndef FORKFIT_TESTS_END_TO_END_REFERENCE_H
#define FORKFIT_TESTS_END_TO_END_REFERENCE_H

#include "tests/end_to_end/datasets.h"

/* Few, since the normal equations are solved by elimination. */
enum { REFERENCE_FEATURES_MAX = 16 };

/* The least-squares fit; its columns must be linearly independent. */
void reference_fit(const struct table *table, long double *parameters);

/* Over rows [begin, end), at these parameters: the mean square error, and into *gradient its features + 1 derivatives.
 */
long double reference_gradient(
        const struct table *table, size_t begin, size_t end, const long double *parameters, long double *gradient);

/* Epochs of gradient descent from zero, in the table's own units. Returns the loss that the last epoch began with. */
long double reference_descend(const struct table *table, double rate, unsigned epochs, long double *parameters);

/* 1 - the residuals' sum of squares / the target's, about its mean. */
long double reference_r2(const struct table *table, const long double *parameters);

#endif
