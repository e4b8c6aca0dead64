/* The result as a table for a person. */
#ifndef FORKFIT_COORDINATOR_RESULT_TABLE_H
#define FORKFIT_COORDINATOR_RESULT_TABLE_H

#include "coordinator/loader.h"
#include "coordinator/trainer.h"

#include <stdio.h>

/* What it prints depends on nothing but the result: not on pids, the clock or the number of workers. */
void result_table_print(FILE *out, const struct loader *loader, const struct training_result *result);

#endif
