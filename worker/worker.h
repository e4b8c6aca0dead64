/*
 * A worker: one process, and all of its world is standard input, standard output and the dataset. It keeps nothing
 * that another worker could not compute again from the frames it was sent.
 */
#ifndef FORKFIT_WORKER_WORKER_H
#define FORKFIT_WORKER_WORKER_H

#include "common/fault.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* How a worker's process exits. */
enum worker_exit {
	WORKER_LEFT = 0,       /* after STOP, or because the coordinator is gone */
	WORKER_GAVE_UP = 10,   /* after an ERROR frame that says why */
	WORKER_IO_FAILED = 11, /* a pipe failed, so there was no way to say why */
	WORKER_NO_MEMORY = 12, /* not enough to begin with */
};

/* What a worker gives up before it reads its first frame; worker/isolation.h says what that keeps it from. */
struct isolation {
	bool enabled;           /* no new privileges, no core file, one file open at a time */
	uint64_t max_memory_mb; /* MiB that it may add to the address space it is born with; 0: no limit */
	uint64_t max_cpu_s;     /* seconds of processor time; 0: no limit */
	const struct system_call_filter *filter; /* NULL: it may make any system call */
};

/* What a worker is given besides its two pipes. */
struct worker_options {
	pid_t coordinator; /* the parent's pid, taken before the fork: the worker leaves when it is gone */
	const struct isolation *isolation;
	const struct fault_plan *faults; /* NULL: none */
	bool waits_awake;                /* may it, for its next question: common/busy_wait.h */
	uint32_t call_place;             /* where it tells its system calls, if they are watched: common/calls.h */
};

/*
 * Compiles the list of the system calls that a worker needs, once for all workers: that takes longer than a fork.
 * Returns 0, or an errno: ENOSYS where this kernel has no filters, ENOTSUP where the program is built with a sanitizer,
 * which makes calls of its own. with_faults: also of those with which a worker does faults to itself.
 */
int system_call_filter_new(struct system_call_filter **filter, bool with_faults);
void system_call_filter_free(struct system_call_filter *filter);

/*
 * Reads frames from standard input and answers on standard output until STOP, end of file or an error; then returns
 * an exit status. Everything else that is open above standard error is closed first. The options are borrowed.
 */
enum worker_exit worker_main(const struct worker_options *options);

#endif
