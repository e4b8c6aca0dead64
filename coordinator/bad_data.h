/* What a worker found wrong with the dataset, in the terms of the user's file. */
#ifndef FORKFIT_COORDINATOR_BAD_DATA_H
#define FORKFIT_COORDINATOR_BAD_DATA_H

#include "common/error.h"
#include "common/wire.h"
#include "coordinator/loader.h"

#include <stdbool.h>

/*
 * Fills *error with file, line and column (npy: row and column), and returns false. found->offset must be known.
 * remedy: what to do where a missing value is an error, as the message's last part.
 */
bool bad_data_describe(
        struct loader *loader, const struct worker_error *found, const char *remedy, struct error *error);

#endif
