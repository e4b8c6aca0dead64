/*
 * The state of training between two epochs, and its text: all that a run needs to go on to the same bits. Pure.
 *
 * The text is lines of a name and values, to be read by people too. Numbers are decimal and read back to the same bits.
 *
 *   forkfit-checkpoint 2         the version; also of the arithmetic: another one could not go on to the same bits
 *   origin dataset.bytes 3192560 a fact about the run, one a line (coordinator/checkpoint_origin.h)
 *   …
 *   features 6
 *   epoch 300                    and so on, as in struct checkpoint
 *   parameters 0.5 … -0.25       features + 1 numbers
 *   …
 *   crc32c 1a2b3c4d              of every byte above
 *
 * What is kept is the state with which an epoch began, and what was gathered in it. A resumed run repeats that epoch,
 * and must gather the same to the bit: so the values in the dataset are checked by the workers, all of them and at the
 * price of one round, where a checksum of the file would be one more pass over it.
 */
#ifndef FORKFIT_COORDINATOR_CHECKPOINT_H
#define FORKFIT_COORDINATOR_CHECKPOINT_H

#include "coordinator/divergence.h"
#include "coordinator/phrase.h"
#include "coordinator/step_size.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct checkpoint {
	char *origin; /* what it belongs to: lines of facts; owned */
	uint32_t features;

	uint64_t rows;    /* that counted */
	uint64_t skipped; /* left out for missing values */
	double learning_rate;
	struct step_bounds bounds;

	uint32_t epoch;               /* 0: none is done yet */
	struct divergence divergence; /* before that epoch */
	double least_gradient;        /* before that epoch: the smallest that tolerance was compared with */
	double loss;                  /* gathered in that epoch */
	uint32_t answer;              /* CRC-32C of all that was gathered in it */

	double *parameters; /* features + 1, in trained coordinates: with which that epoch began */
	double *means;      /* features + 1: of the columns */
	double *variances;  /* features + 1 */
};

/* No epoch, no origin, vectors of zeros. False: out of memory. */
bool checkpoint_init(struct checkpoint *checkpoint, uint32_t features);
void checkpoint_release(struct checkpoint *checkpoint);

/* The text, for the caller to free. NULL: out of memory. */
char *checkpoint_encode(const struct checkpoint *checkpoint);

enum checkpoint_status { CHECKPOINT_GOOD, CHECKPOINT_BAD, CHECKPOINT_NO_MEMORY };

/*
 * Reads a text of `length` bytes with a NUL behind. BAD: *problem gets what is wrong, as in "it is cut short". Only
 * when GOOD is there something to release.
 */
enum checkpoint_status checkpoint_decode(
        const char *text, size_t length, struct checkpoint *checkpoint, struct phrase *problem);

#endif
