/* Faults as the configuration has them. */
#ifndef FORKFIT_COORDINATOR_CONFIG_FAULTS_H
#define FORKFIT_COORDINATOR_CONFIG_FAULTS_H

#include "common/fault.h"

#include <stddef.h>

/* The text of { "faults": [ … ] } with these, for the caller to free. NULL: out of memory. */
char *config_faults_text(const struct fault *faults, size_t count);

#endif
