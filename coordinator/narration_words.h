/*
 * The words of the narration (--explain): a system call as one would write it, and what it is for. What is said follows
 * from the calls themselves: which descriptor is whose is known since its pipe was made.
 */
#ifndef FORKFIT_COORDINATOR_NARRATION_WORDS_H
#define FORKFIT_COORDINATOR_NARRATION_WORDS_H

#include "common/calls.h"
#include "common/leaves.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NARRATED_COORDINATOR = -1 };

/* A worker's slot, as far as the story has come. */
struct narrated_worker {
	long pid;
	bool ended; /* and waited for */
	uint32_t incarnation;
	int down[2]; /* read end, write end; -1: not made, or no longer open in the coordinator */
	int up[2];
	bool confined;            /* its filter is installed */
	char inherited[96];       /* the pipes' ends of which it got a copy */
	struct range rows, bytes; /* of its chunk, one of them; empty: not told yet */
};

struct narrated_world {
	long coordinator;
	struct narrated_worker *workers;
	uint32_t count;
	uint32_t starting; /* whose pipes are being made */
};

struct narrated_words {
	char call[128];
	char reason[400];
	bool general; /* the reason is the same for every worker */
};

/*
 * Puts a call by an actor (a worker's index, or NARRATED_COORDINATOR) into words, and takes note of what it changes.
 */
void narrated_words_find(
        struct narrated_world *world, int32_t actor, const struct call *call, struct narrated_words *words);

#endif
