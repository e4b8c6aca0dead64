/*
 * One round of questions to fake workers, for tests of the collector: gradient sums of two features over leaves 4 to 8,
 * as round 7 of epoch 3.
 */
#ifndef FORKFIT_TESTS_COLLECT_ROUND_H
#define FORKFIT_TESTS_COLLECT_ROUND_H

#include "coordinator/collect.h"
#include "tests/unit/fake_worker.h"
#include "tests/unit/recorded_events.h"

#include <stddef.h>

enum {
	ROUND_FEATURES = 2,
	ROUND_WIDTH = ROUND_FEATURES + 3,
	ROUND_NUMBER = 7,
	ROUND_EPOCH = 3,
	ROUND_FIRST_LEAF = 4,
	ROUND_LAST_LEAF = 8,
};

/* Timeouts: no test waits as long for what must come, however busy the machine is; each can wait for what must not. */
#define ROUND_LONG_S 20.0
#define ROUND_SHORT_S 0.15

struct round {
	struct pool pool;
	struct collector collector;
	struct recorded_events events;
	size_t descriptors_before;
};

/* For a suite's .init: signals are taken from here on. */
void round_set_up(void);

void round_begin(struct round *current, uint32_t workers, double timeout_s);

/* Ends what is left, and expects that nothing is. Rounds may follow one another. */
void round_finish(struct round *current);

/* A fake worker that waits for a question, writes `says` (NULL: nothing) and ends so. */
void round_start(
        struct round *current, uint32_t worker, const struct wire_buffer *says, enum fake_ending ending, int number);

void round_ask(struct round *current, uint32_t worker);

struct happening round_next(struct round *current);

/* All of it with one worker: begin, start, ask, and what comes next. */
struct happening round_play(
        struct round *current, const struct wire_buffer *says, enum fake_ending ending, int number, double timeout_s);

/* The right answer of worker 0, for a test to spoil. */
struct answer {
	struct frame_header header;
	struct gradient gradient;
	struct tree_node nodes[2];
	double vectors[2 * ROUND_WIDTH];
};

struct answer answer_right(void);
void answer_encode(struct answer *answer, struct wire_buffer *buffer);

/* The happening is that worker's right answer. */
void round_expect_answer(const struct happening *happening, uint32_t worker);

void round_expect_loss(
        const struct round *current, const struct happening *happening, enum loss_cause cause, const char *detail);

#endif
