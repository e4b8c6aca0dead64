/* Signals to the coordinator, turned into bytes of a pipe that poll() watches beside the workers' pipes. */
#ifndef FORKFIT_COORDINATOR_SIGNALS_H
#define FORKFIT_COORDINATOR_SIGNALS_H

#include "common/error.h"

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct signals_seen {
	unsigned interrupts; /* SIGINT, SIGTERM or SIGHUP, so many */
	bool child;          /* SIGCHLD: a child has ended, was stopped or goes on */
};

/*
 * Installs the handlers. SIGPIPE is ignored, so that a dead reader is EPIPE, and SIGXFSZ, so that a file over the
 * resource limit is EFBIG. Once per process.
 */
bool signals_install(struct error *error);

/* Readable when a signal came. */
int signals_descriptor(void);

/*
 * Takes what came. Interrupts that come within 50 ms are one: who starts or ends a whole group of processes may signal
 * this one and then the group, and means the same. A user who presses Ctrl-C twice takes longer, and means more; both
 * count, also if this process had no time to look in between.
 */
struct signals_seen signals_take(void);

/* Was this process stopped, and continued by SIGCONT, since the last call? After that a terminal shows other things. */
bool signals_take_continued(void);

/* Until signals_unblock, Ctrl-Z does not stop this process. */
void signals_block_stop(sigset_t *before);

/*
 * For who waits for nothing but signals, instead of signals_install: from now on they stay blocked, and signals_wait
 * takes them, until signals_release.
 */
void signals_hold(void);
void signals_release(void); /* also in a child that was forked meanwhile */

/* Waits for a signal, at most until the deadline (clock_now_ns), and takes what came. */
struct signals_seen signals_wait(uint64_t deadline_ns);

/* Around fork(): a signal between fork and signals_reset_in_child would be told to the coordinator by its child. */
void signals_block(sigset_t *before);
void signals_unblock(const sigset_t *before);

/*
 * In a worker: default actions, but SIGINT ignored (a terminal sends it to the whole group, and the coordinator
 * decides what it means) and SIGPIPE too. Unblocks.
 */
void signals_reset_in_child(const sigset_t *before);

#endif
