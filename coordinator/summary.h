/*
 * The sink that adds up what a run came to, and ends what a person reads of it with one line: how fast the epochs were,
 * and what the workers did with their time.
 *
 *   3.41 GB/s, 71 % of the 4.8 GB/s of reading alone, 2629 epochs/s; the workers computed 84 %, waited 15 %, loaded 1 %
 *
 * GB/s are the numbers that an epoch is calculated from, rows × (d + 1) of the dataset's element size (a CSV's are
 * parsed to doubles), over the time from the first epoch's first question to the last epoch's end: losses of workers,
 * checkpoints and all. Reading alone is what rounds with KERNEL_STREAM do, if there are any; the fastest counts. The
 * shares are of the time that the workers' answers tell: loading and computing last from the
 * question's arrival until the work was done, waiting until the next arrives.
 */
#ifndef FORKFIT_COORDINATOR_SUMMARY_H
#define FORKFIT_COORDINATOR_SUMMARY_H

#include "coordinator/events.h"
#include "coordinator/phrase.h"

#include <stdint.h>
#include <stdio.h>

struct summary {
	FILE *out;
	uint64_t row_bytes;
	uint64_t epochs; /* done in this run */
	uint64_t epochs_began_ns;
	uint64_t epochs_ended_ns;
	/* Rounds with KERNEL_STREAM: */
	uint32_t stream_round; /* the last one, … */
	uint64_t stream_began_ns;
	uint64_t stream_took_ns; /* … as far as answers are in */
	uint64_t stream_best_ns; /* of those before it; 0: none */
	/* Of all workers together: */
	uint64_t computed_ns;
	uint64_t waited_ns;
	uint64_t loaded_ns;
};

void summary_init(struct summary *summary, FILE *out);
struct event_sink summary_sink(struct summary *summary);

/* Adds the line, without its end, of a run over so many rows; nothing where there is nothing to tell. */
void summary_put(const struct summary *summary, uint64_t rows, struct phrase *text);

#endif
