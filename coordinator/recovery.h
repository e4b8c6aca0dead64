/*
 * What to do about a lost worker: the policy, and the bounds beyond which a fault is not survived but reported. Pure.
 *
 * Restarts are bounded in intensity, as Erlang's supervisors bound them: more than max_restarts within restart_window_s
 * end the run. So do rows that end every worker that touches them: POISON_DEATHS in a row, without an answer between.
 */
#ifndef FORKFIT_COORDINATOR_RECOVERY_H
#define FORKFIT_COORDINATOR_RECOVERY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum recovery_policy {
	RECOVERY_RESPAWN,      /* a replacement for the same rows */
	RECOVERY_REDISTRIBUTE, /* the survivors share the rows */
	RECOVERY_DROP,         /* go on without the rows; the result is degraded */
	RECOVERY_ABORT,        /* end the run */
};

/* More workers than this, one after the other, do not die of the same rows by chance. */
enum { POISON_DEATHS = 8 };

enum recovery_decision {
	DECIDE_RESTART,
	DECIDE_REDISTRIBUTE,
	DECIDE_DROP,
	DECIDE_END,           /* the policy says so */
	DECIDE_END_INTENSITY, /* too many restarts in too short a time */
	DECIDE_END_POISON,    /* these rows end every worker */
};

struct recovery {
	enum recovery_policy policy;
	uint32_t max_restarts;
	uint64_t window_ns;
	uint64_t *restarts; /* a ring of the last max_restarts + 1 times */
	size_t next;
	uint64_t count; /* restarts in all */
};

/* False: out of memory. */
bool recovery_init(struct recovery *recovery, enum recovery_policy policy, uint32_t max_restarts, double window_s);
void recovery_release(struct recovery *recovery);

/*
 * Decides about a worker lost at `now_ns` whose rows have ended `deaths` workers in a row, this one included; a restart
 * that is decided on is counted.
 */
enum recovery_decision recovery_decide(struct recovery *recovery, uint64_t now_ns, uint32_t deaths);

#endif
