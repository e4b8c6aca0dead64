/* How a narration looks: who makes which call, and what for, in columns; what comes again at once is counted. */
#ifndef FORKFIT_COORDINATOR_NARRATION_LINES_H
#define FORKFIT_COORDINATOR_NARRATION_LINES_H

#include "common/calls.h"
#include "coordinator/narration_words.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { NARRATION_SAID_MAX = 32 };

/* All zero but for the first two: nothing has been said. */
struct narration_lines {
	FILE *out;
	bool colour;
	struct {
		bool open;
		int32_t actor;
		uint32_t incarnation;
		uint64_t times;
		struct narrated_words words;
	} line; /* the last one, which may come again */
	char said[NARRATION_SAID_MAX][sizeof((struct narrated_words *)NULL)->reason]; /* that hold for every worker */
	size_t said_count;
};

/* actor: a worker, or NARRATED_COORDINATOR; incarnation: of that worker. */
void narration_lines_call(
        struct narration_lines *lines, int32_t actor, uint32_t incarnation, const struct narrated_words *words);

/* Prints the last call if it is not printed yet; so do those below. */
void narration_lines_end(struct narration_lines *lines);

void narration_lines_heading(struct narration_lines *lines, const char *text);
void narration_lines_remark(struct narration_lines *lines, const char *text);

/* How often each kind of call was made in the epochs that are left out. */
void narration_lines_counts(struct narration_lines *lines, const char *who, const uint64_t counts[CALL_KIND_COUNT]);

#endif
