/*
 * Waiting for the workers, and the only owner of poll(2). What happens next comes out as one happening at a time: an
 * answer that was checked, a worker lost, a wish to stop.
 */
#ifndef FORKFIT_COORDINATOR_COLLECT_H
#define FORKFIT_COORDINATOR_COLLECT_H

#include "common/busy_wait.h"
#include "common/error.h"
#include "coordinator/pool.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

enum happening_type {
	HAPPENING_READY,       /* the slot's `ready` and `first_row` are new */
	HAPPENING_GRADIENT,    /* the slot's `gradient` is new */
	HAPPENING_PREDICTIONS, /* the slot's `predictions` are new */
	HAPPENING_LOST,        /* `loss` says why; the process is not buried yet */
	HAPPENING_INTERRUPT,   /* SIGINT, SIGTERM or SIGHUP came */
	HAPPENING_TIME,        /* wake_ns has passed */
};

struct happening {
	enum happening_type type;
	struct slot *slot;   /* of the first four */
	unsigned interrupts; /* of HAPPENING_INTERRUPT: how many came */
	struct loss loss;
};

struct collector {
	struct pool *pool;
	/*
	 * What poll() is asked: for each slot up, then the signals' pipe, then for each slot down. It is built anew
	 * when the pool has changed, and not for each poll(): with many workers there is a poll() for every few
	 * answers.
	 */
	struct pollfd *entries;
	size_t polled;            /* the first so many; down is asked about only while a frame waits to be written */
	size_t next;              /* the first entry whose events have not been dealt with */
	bool more;                /* its reader may hold another frame */
	bool stale;               /* the entries or deadline_ns are to be found anew, … */
	uint64_t changes;         /* … as they are when the pool has others than these */
	uint64_t deadline_ns;     /* no answer's deadline is earlier */
	uint64_t polled_ns;       /* when the last poll() was begun, … */
	uint64_t news_ns;         /* … and when it had come back */
	struct busy_wait answers; /* how soon they come after their questions */
	uint64_t wake_ns;         /* the caller's: when it wants to be woken; UINT64_MAX: not */
};

bool collector_init(struct collector *collector, struct pool *pool, struct error *error);
void collector_release(struct collector *collector);

/*
 * Waits for the next happening; as long as a slot awaits an answer there will be one, since answers have deadlines.
 * False: the system failed.
 */
bool collector_next(struct collector *collector, struct happening *happening, struct error *error);

#endif
