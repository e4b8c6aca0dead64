/*
 * A child of the test in a worker's place, which does what its script says, right or wrong. It dies with the test.
 */
#ifndef FORKFIT_TESTS_FAKE_WORKER_H
#define FORKFIT_TESTS_FAKE_WORKER_H

#include "coordinator/pool.h"

#include <stddef.h>

enum fake_ending {
	FAKE_OBEYS,        /* stays until STOP, then exits with 0 */
	FAKE_LEAVES,       /* stays until end of file, whatever it is sent, then exits with 0 */
	FAKE_EXITS,        /* with `number` as status */
	FAKE_IS_KILLED,    /* by the signal `number` */
	FAKE_IS_STOPPED,   /* by SIGSTOP */
	FAKE_HANGS,        /* for ever, but for signals */
	FAKE_IGNORES_TERM, /* and hangs for ever */
	FAKE_CLOSES,       /* its pipes, and hangs for ever */
};

struct fake_script {
	bool waits;                 /* for one whole frame before it does anything */
	int go;                     /* … and then for a byte on this descriptor, if it is above 0 */
	const unsigned char *bytes; /* what it writes, whatever that is */
	size_t length;
	size_t piece; /* so many bytes in a write, with a pause behind each; 0: all in one */
	enum fake_ending ending;
	int number;
};

/* Forks it and puts it into the slot, whose state becomes idle. */
void fake_worker_start(struct pool *pool, struct slot *slot, const struct fake_script *script);

#endif
