/*
 * The sink that writes a timeline of the run (output.trace): an array of trace events as Chrome's about:tracing and
 * https://ui.perfetto.dev open them. configs/trace.schema.json describes it. A line is an event.
 *
 *   coordinator        what it does: fork, write, poll, read, aggregate, checkpoint, bury
 *     epochs           one slice each, and the rounds before the first and after the last; the loss
 *   worker 0           a process of its own for each incarnation: start, wait, load, compute, write, leave
 *   worker 0, incarnation 1 …
 *
 * Arrows lead from where PARAMS is written to where it was received, and from where GRADIENT is written to where it is
 * read. Faults, losses, replacements, backups and notes are instants. Times are of one clock, in µs since the run
 * began; a worker's are those it tells in its answers.
 *
 * A long run's file stays one that can be looked at. Forks, losses, checkpoints and the like are always in it; so are
 * all epochs at first, and those in which something happened. After every TIMELINE_STEP_BYTES only every second of the
 * epochs that would have been kept is kept from then on, and at TIMELINE_STEPS of these none; what is left out is one
 * slice that says so. Memory holds two epochs.
 *
 * The file is closed however the run ends. Only if the coordinator is killed, the bracket at its end is missing, which
 * viewers do not mind; and its last line may be cut, for the kernel ends a write(2) wherever it is.
 */
#ifndef FORKFIT_COORDINATOR_TIMELINE_H
#define FORKFIT_COORDINATOR_TIMELINE_H

#include "common/error.h"
#include "coordinator/events.h"

#include <stdbool.h>

/* Together 64 MiB, which viewers open in some seconds; what is always kept may take as much again. */
#define TIMELINE_STEP_BYTES UINT64_C(4194304)
enum { TIMELINE_STEPS = 16 };

struct timeline;

/* Creates the file, or empties it. NULL: *error has code EXIT_OUTPUT_FAILED. */
struct timeline *timeline_open(const char *path, struct error *error);

/* It wants details, among them the coordinator's system calls. */
struct event_sink timeline_sink(struct timeline *timeline);

/* False: not all could be written, the file is removed, and *error says why. Frees the timeline in any case. */
bool timeline_close(struct timeline *timeline, struct error *error);

#endif
