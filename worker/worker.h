/*
 * A worker: one process, and all of its world is standard input, standard output and the dataset. It keeps nothing
 * that another worker could not compute again from the frames it was sent.
 */
#ifndef FORKFIT_WORKER_WORKER_H
#define FORKFIT_WORKER_WORKER_H

#include <sys/types.h>

/* How a worker's process exits. */
enum worker_exit {
	WORKER_LEFT = 0,       /* after STOP, or because the coordinator is gone */
	WORKER_GAVE_UP = 10,   /* after an ERROR frame that says why */
	WORKER_IO_FAILED = 11, /* a pipe failed, so there was no way to say why */
	WORKER_NO_MEMORY = 12, /* not enough to begin with */
};

/*
 * Reads frames from standard input and answers on standard output until STOP, end of file or an error; then returns
 * an exit status. Everything else that is open above standard error is closed first. `coordinator` is the parent's
 * pid, taken before the fork: the worker leaves when it is gone.
 */
enum worker_exit worker_main(pid_t coordinator);

#endif
