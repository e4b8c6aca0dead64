/*
 * A worker: one process, and all of its world is standard input, standard output and the dataset. It keeps nothing
 * that another worker could not compute again from the frames it was sent.
 */
#ifndef FORKFIT_WORKER_WORKER_H
#define FORKFIT_WORKER_WORKER_H

#include "common/fault.h"

#include <sys/types.h>

/* What a worker is given besides its two pipes. */
struct worker_options {
	pid_t coordinator; /* the parent's pid, taken before the fork: the worker leaves when it is gone */
	const struct fault_plan *faults; /* NULL: none */
};

/* How a worker's process exits. */
enum worker_exit {
	WORKER_LEFT = 0,       /* after STOP, or because the coordinator is gone */
	WORKER_GAVE_UP = 10,   /* after an ERROR frame that says why */
	WORKER_IO_FAILED = 11, /* a pipe failed, so there was no way to say why */
	WORKER_NO_MEMORY = 12, /* not enough to begin with */
};

/*
 * Reads frames from standard input and answers on standard output until STOP, end of file or an error; then returns
 * an exit status. Everything else that is open above standard error is closed first. The options are borrowed.
 */
enum worker_exit worker_main(const struct worker_options *options);

#endif
