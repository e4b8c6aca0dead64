/* Which columns are features and which is the target: references resolved against the columns there are. Pure. */
#ifndef FORKFIT_COORDINATOR_COLUMNS_H
#define FORKFIT_COORDINATOR_COLUMNS_H

#include "common/error.h"
#include "coordinator/config.h"
#include "coordinator/csv_header.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * columns: the file's, count of them. Fills *features and *used (features + 1 places, the target last; the caller
 * frees it), and *left_out with a note on columns that are not numeric, or NULL (the caller frees it). file: the
 * dataset, for messages. On failure *error has code EXIT_BAD_CONFIGURATION or EXIT_BAD_DATASET.
 */
bool columns_choose(const struct config *config, const char *file, const struct csv_column *columns, uint32_t count,
        uint32_t *features, uint32_t **used, char **left_out, struct error *error);

#endif
