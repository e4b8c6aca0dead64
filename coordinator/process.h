/*
 * The life of a worker's process, and the only owner of fork(2), waitpid(2) and kill(2).
 *
 *   process_start   two pipes and a fork; the child becomes a worker
 *   process_close   the coordinator's ends of the pipes; the worker sees end of file
 *   process_signal  only while it is not reaped: its pid cannot be anybody else's before that
 *   process_reap    waits for it, by pid
 */
#ifndef FORKFIT_COORDINATOR_PROCESS_H
#define FORKFIT_COORDINATOR_PROCESS_H

#include "common/error.h"
#include "worker/worker.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct isolation; /* worker.h */

struct process {
	pid_t pid; /* 0: not running, or reaped */
	int down;  /* the coordinator writes here; -1: closed */
	int up;    /* … and reads here */
};

/* System calls that fail, with this errno, before they are made; 0: not. For faults that are asked for. */
struct process_failures {
	int pipe; /* the second one */
	int fork;
};

/* False: nothing was started, and nothing is left open. failures may be NULL. */
bool process_start(struct process *process, const struct worker_options *options,
        const struct process_failures *failures, struct error *error);

void process_close(struct process *process);
void process_signal(const struct process *process, int number);

/* True: the process has ended, was reaped and *status says how. It never waits. */
bool process_try_reap(struct process *process, int *status);

/* Waits until the process ends or the deadline (clock_now_ns) has passed. */
bool process_reap_until(struct process *process, uint64_t deadline_ns, int *status);

/* How a status reads: "was killed by SIGKILL", "exited with status 11 (…)". */
void process_status_text(int status, char *text, size_t capacity);

#endif
