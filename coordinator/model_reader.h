/* A model, as output.model and --json have it, read back to the same bits. */
#ifndef FORKFIT_COORDINATOR_MODEL_READER_H
#define FORKFIT_COORDINATOR_MODEL_READER_H

#include "common/error.h"

#include <stdbool.h>
#include <stdint.h>

struct model {
	const char *source; /* how errors name it; the path, borrowed */
	uint32_t features;
	char **names;       /* features + 1, the target's last; owned */
	double *parameters; /* features + 1: w, then b; owned */
};

/* path: "-" is standard input. False: *error says why, with EXIT_INPUT_MISSING or EXIT_BAD_CONFIGURATION. */
bool model_read(const char *path, struct model *model, struct error *error);
void model_release(struct model *model);

#endif
