/* Numbers that look random and are the same in every run: SplitMix64 (Steele, Lea and Flood, 2014). */
#ifndef FORKFIT_TESTS_RANDOM_H
#define FORKFIT_TESTS_RANDOM_H

#include <stdint.h>

static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* From 0 to bound - 1. */
static inline unsigned random_below(uint64_t *state, unsigned bound)
{
	return (unsigned)(random_next(state) % bound);
}

#endif
