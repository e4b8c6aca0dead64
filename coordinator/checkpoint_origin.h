/*
 * What a checkpoint belongs to: every fact about a run on which its numbers depend, but for the values in the dataset,
 * as text. Pure.
 *
 * One fact a line: a name, as the configuration's key is called where there is one, a space, and a value. Facts are as
 * the loader found them and not as the configuration asks for them: whether the target is given by name or by place
 * makes no difference. Not among them: where the dataset lies and when it was written, since only what is in it counts;
 * epochs and tolerance, which say how far to go; and the number of workers, unless the aggregation depends on it.
 */
#ifndef FORKFIT_COORDINATOR_CHECKPOINT_ORIGIN_H
#define FORKFIT_COORDINATOR_CHECKPOINT_ORIGIN_H

#include "coordinator/config.h"
#include "coordinator/loader.h"
#include "coordinator/phrase.h"

#include <stdbool.h>
#include <stdint.h>

/* The facts, for the caller to free. NULL: out of memory. */
char *checkpoint_origin_text(const struct config *config, const struct loader *loader, uint32_t workers);

/* Are they the same? If not, the first that differs is told, as in "dataset.bytes is 3, and was 4". */
bool checkpoint_origin_same(const char *now, const char *then, struct phrase *difference);

#endif
