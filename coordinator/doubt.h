/*
 * Whether to believe sums that are no numbers. They can be right: a training that diverges overflows. But a first such
 * answer is doubted, and counts only if another worker gives the same. Pure.
 */
#ifndef FORKFIT_COORDINATOR_DOUBT_H
#define FORKFIT_COORDINATOR_DOUBT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* About the answers to one question from one share's workers; zero at first. */
struct doubt {
	bool raised;
	uint32_t checksum; /* of the answer that raised it */
};

enum doubt_outcome {
	DOUBT_NONE,      /* numbers */
	DOUBT_RAISED,    /* no numbers, and nobody has said the same: ask another */
	DOUBT_CONFIRMED, /* no numbers, as another has said */
	DOUBT_REFUTED,   /* numbers, where another had none; told once, which settles the doubt */
};

/* Takes the next answer. */
enum doubt_outcome doubt_take(struct doubt *doubt, const double *sums, size_t count);

#endif
