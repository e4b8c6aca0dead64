/* Standard output is a result too: if it cannot be written, that is an error like any other. */
#ifndef FORKFIT_COORDINATOR_STANDARD_OUTPUT_H
#define FORKFIT_COORDINATOR_STANDARD_OUTPUT_H

#include "common/error.h"

#include <stdbool.h>

/* Writes what is still buffered. False: this or something before could not be written. */
bool standard_output_finish(struct error *error);

#endif
