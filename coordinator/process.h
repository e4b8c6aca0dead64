/*
 * The life of a worker's process, and the only owner of fork(2), waitpid(2) and kill(2).
 *
 *   process_start   two pipes and a fork; the child becomes a worker
 *   process_close   the coordinator's ends of the pipes; the worker sees end of file
 *   process_signal  only while it is not reaped: its pid cannot be anybody else's before that
 *   process_reap    waits for it, by pid
 *
 * And of a whole coordinator's process, of which a campaign starts many:
 *
 *   process_start_run   a fork; the child leads a group of its own, to which its workers belong
 *   process_kill_group  all of them, if it does not end by itself
 *   process_try_reap    as of a worker
 *   process_end_group   whoever it has left behind
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

/*
 * What a process that lives on has come to, if it was not told yet: it was stopped by a signal, or went on. End of file
 * and poll() never show that; SIGCHLD does.
 */
enum process_news { PROCESS_NO_NEWS, PROCESS_STOPPED, PROCESS_CONTINUED };
enum process_news process_take_news(const struct process *process, int *signal_number);

/* What a run is made of. */
struct process_run {
	int input; /* what become its standard input, output and error */
	int output;
	int messages;
	int (*body)(void *context); /* what it does; the exit status. It has no other descriptors. */
	void *context;
};

/* The run has no pipes, and ends when this process does. False: nothing was started. */
bool process_start_run(struct process *process, const struct process_run *run, struct error *error);

/* While its leader is not reaped, or somebody else is in it. */
void process_kill_group(pid_t leader);

/* What was left in the group of a leader that is reaped, in a process that inherits orphans. */
struct process_group_rest {
	unsigned dead;  /* ended, and nobody had waited for them */
	unsigned alive; /* still there at the deadline, and killed */
};
struct process_group_rest process_end_group(pid_t leader, uint64_t deadline_ns);

/* Waits until the process ends or the deadline (clock_now_ns) has passed. */
bool process_reap_until(struct process *process, uint64_t deadline_ns, int *status);

/* The name that signal(7) gives it; strsignal() would give a sentence in the user's language. NULL: it has none here.
 */
const char *process_signal_name(int number);

/* How a status reads: "was killed by SIGKILL", "exited with status 11 (…)". */
void process_status_text(int status, char *text, size_t capacity);

#endif
