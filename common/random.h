/*
 * Numbers that look random and are the same in every run and on every machine: SplitMix64 (Steele, Lea and Flood, "Fast
 * splittable pseudorandom number generators", OOPSLA 2014). Pure.
 */
#ifndef FORKFIT_COMMON_RANDOM_H
#define FORKFIT_COMMON_RANDOM_H

#include <stdint.h>

/* The next 64 bits. Any state does to begin with. */
static inline uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

/* Of such bits: from 0 to just below 1, in steps of 2⁻⁵³. */
static inline double random_fraction(uint64_t bits)
{
	return (double)(bits >> 11) * 0x1p-53;
}

#endif
