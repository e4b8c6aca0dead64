/*
 * The sink that tells a student what a run does (--explain), system call by system call, on standard error: who makes
 * it, what it returns, and what it is for.
 *
 *   coordinator  pipe() = {5, 6}                    the way down: worker 0 will read from 5 what the coordinator …
 *   coordinator  fork() = 4711                      worker 0 begins: a copy of the coordinator, with copies of …
 *   worker 0     dup2(5, 0) = 0                     what the coordinator sends becomes its standard input
 *
 * Every line is a call that was made. Told are all calls that have to do with processes, pipes and the dataset's pages,
 * from the first pipe to the last wait; not told are those for memory, files besides the dataset, time and signals'
 * handlers. Each process's lines are in its order; those of different processes are in the order in which their calls
 * began, or, where a call waits for another process, ended: so causes come before effects. Lines are held back until
 * nobody can have earlier ones: for a round.
 *
 * A long run is told like this: all before the first epoch, the first two epochs, those in which something happened,
 * and the end. What lies between is counted.
 */
#ifndef FORKFIT_COORDINATOR_NARRATION_H
#define FORKFIT_COORDINATOR_NARRATION_H

#include "common/calls.h"
#include "common/error.h"
#include "coordinator/events.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct narration;

/*
 * stream: whose sink it will be. workers: places in the log that is made for their calls. NULL: *error has code
 * EXIT_OS_ERROR.
 */
struct narration *narration_new(
        const struct event_stream *stream, FILE *out, bool colour, uint32_t workers, struct error *error);

/* Where workers tell their calls. */
struct call_log *narration_log(const struct narration *narration);

/* It wants details. */
struct event_sink narration_sink(struct narration *narration);

/* Tells what is left, and frees. */
void narration_free(struct narration *narration);

#endif
