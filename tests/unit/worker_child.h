/* A worker in a process of its own, as the coordinator has one; the test plays the coordinator, frame by frame. */
#ifndef FORKFIT_TESTS_WORKER_CHILD_H
#define FORKFIT_TESTS_WORKER_CHILD_H

#include "common/frame_io.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Datasets of the tests have so many features, at most. */
enum { CHILD_FEATURES_MAX = 20000, CHILD_WIDTH_MAX = CHILD_FEATURES_MAX + 3 };

struct worker_child {
	pid_t pid;
	int down; /* -1: closed */
	int up;
	uint32_t features; /* of the dataset that was assigned */
	struct frame_reader reader;
};

/* Forks the worker. coordinator: what it is told to be its parent; 0 for the truth. */
void worker_child_start(struct worker_child *child, pid_t coordinator);

/* The same by way of another process, whose pid is returned; the pipes are this process's all the same. */
pid_t worker_child_start_elsewhere(struct worker_child *child);

/* Ends the worker if it still runs, and closes what is open. */
void worker_child_end(struct worker_child *child);

/* Writes all of it; fails the test if the worker does not take it. */
void worker_child_write(struct worker_child *child, const void *bytes, size_t length);

void worker_child_assign(struct worker_child *child, const struct assignment *assignment, uint32_t round);
void worker_child_ask(struct worker_child *child, enum kernel kernel, const double *parameters, uint32_t round);

/* The sample of tests/unit/wire_samples.h. */
void worker_child_send_sample(struct worker_child *child, enum frame_type type);

/* A frame from the worker, decoded. What it points to stays until the next. */
struct answer {
	struct frame_header header;
	struct ready ready;
	struct gradient gradient;
	struct worker_error error;
};

/* Waits for an answer of this type; fails the test where another comes, or none. */
void worker_child_receive(struct worker_child *child, enum frame_type type, struct answer *answer);

/* Waits for end of file; false if anything comes before it. */
bool worker_child_says_no_more(struct worker_child *child);

/* Waits for the worker's end: its exit status, or -1 for any other end. */
int worker_child_wait(struct worker_child *child);

#endif
