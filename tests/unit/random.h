/* More of common/random.h. */
#ifndef FORKFIT_TESTS_RANDOM_H
#define FORKFIT_TESTS_RANDOM_H

#include "common/random.h"

/* From 0 to bound - 1. */
static inline unsigned random_below(uint64_t *state, unsigned bound)
{
	return (unsigned)(random_next(state) % bound);
}

#endif
