/* The powers of five that turn a decimal exponent into binary, for common/decimal.c. */
#ifndef FORKFIT_COMMON_POWERS_OF_FIVE_H
#define FORKFIT_COMMON_POWERS_OF_FIVE_H

#include <stdint.h>

/* Any mantissa below 10^19 times 10^-343 is less than half the smallest subnormal; 10^309 is beyond DBL_MAX. */
enum { POWER_OF_FIVE_MIN = -342, POWER_OF_FIVE_MAX = 308 };

struct power_of_five {
	uint64_t high, low;
};

/*
 * Entry q - POWER_OF_FIVE_MIN is 5^q · 2^s as an integer of 128 bits, with s such that its top bit is set. What does
 * not fit is cut off for q >= 0 and for q < -27, and rounded up for -27 <= q < 0: there 5^-q fits in one word, so a
 * product can be exact, and a reciprocal from above makes the exact product show in the high word. (Lemire, "Number
 * Parsing at a Gigabyte per Second", Software: Practice and Experience 51(8), 2021.)
 */
extern const struct power_of_five powers_of_five[POWER_OF_FIVE_MAX - POWER_OF_FIVE_MIN + 1];

#endif
