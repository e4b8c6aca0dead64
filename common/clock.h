/* The one clock of all processes: monotonic, the same in every process of a machine, never set back. */
#ifndef FORKFIT_COMMON_CLOCK_H
#define FORKFIT_COMMON_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_now_ns(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

#endif
