/*
 * A model applied to rows: y = b + w_1 x_1 + … + w_d x_d, added up in this order. Pure.
 *
 * NaN if a feature is missing. What is beyond the range of a double is infinite, also where infinities cancel out.
 */
#ifndef FORKFIT_WORKER_PREDICT_H
#define FORKFIT_WORKER_PREDICT_H

#include "worker/leaf_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The leaf's rows from `first` on, `count` of them. parameters: features + 1, w and then b. Writes each prediction to
 * `out`, and with the target its value behind it; returns where the next goes.
 */
double *predict_rows(const struct leaf_rows *leaf, size_t first, size_t count, uint32_t features,
        const double *parameters, bool with_target, double *out);

#endif
