/*
 * Which columns of new data a model means. Pure.
 *
 * By name, where the data has names. Columns without names (an .npy, a CSV without a header) are c0, c1, …: a model
 * that was trained on such data means those places. A model with true names means, of d columns, the features in their
 * order, and of d + 1 columns the features and then the target.
 */
#ifndef FORKFIT_COORDINATOR_PREDICT_COLUMNS_H
#define FORKFIT_COORDINATOR_PREDICT_COLUMNS_H

#include "common/error.h"
#include "coordinator/csv_header.h"
#include "coordinator/model_reader.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * As struct column_chooser (loader.h) wants it; model: a struct model. A target that is not there, or not numeric, is
 * the first feature once more, as struct dataset has it. False: *error names the features that are missing.
 */
bool predict_columns_choose(void *model, const char *file, const struct csv_column *columns, uint32_t count, bool named,
        uint32_t *features, uint32_t **used, char **left_out, struct error *error);

#endif
