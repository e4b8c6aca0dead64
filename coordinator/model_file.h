/* The fitted model as JSON: what output.model holds and --json prints. */
#ifndef FORKFIT_COORDINATOR_MODEL_FILE_H
#define FORKFIT_COORDINATOR_MODEL_FILE_H

#include "coordinator/config.h"
#include "coordinator/loader.h"
#include "coordinator/trainer.h"

/* Indented text that ends with a newline, for the caller to free. NULL: out of memory. */
char *model_file_text(const struct config *config, const struct loader *loader, const struct training_result *result);

#endif
