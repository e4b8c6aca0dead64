/*
 * The workers as the coordinator sees them: one slot each, with its process, its pipes' readers and writers, its share
 * of the dataset and what it was last asked.
 */
#ifndef FORKFIT_COORDINATOR_POOL_H
#define FORKFIT_COORDINATOR_POOL_H

#include "common/error.h"
#include "common/frame_io.h"
#include "common/wire.h"
#include "coordinator/events.h"
#include "coordinator/injection.h"
#include "coordinator/process.h"
#include "worker/worker.h"

#include <stdbool.h>
#include <stdint.h>

/* What a slot's worker is doing; collect.c has the table of the frames that are legal in each state. */
enum slot_state {
	SLOT_EMPTY,      /* no process */
	SLOT_LOADING,    /* ASSIGN was sent, READY is awaited */
	SLOT_IDLE,       /* nothing is awaited */
	SLOT_COMPUTING,  /* PARAMS was sent, GRADIENT is awaited */
	SLOT_PREDICTING, /* PREDICT was sent, PREDICTIONS are awaited */
	SLOT_STATE_COUNT
};

struct slot {
	uint32_t index;
	uint32_t share; /* whose rows it works on, see gather.h */
	uint32_t incarnation;
	enum slot_state state;
	struct process process;
	struct frame_reader reader;
	struct frame_writer writer;
	uint64_t asked_ns;    /* when the question that is open was put */
	uint64_t deadline_ns; /* when its answer is missed */
	uint64_t heard_ns;    /* the begin of the last poll() that found bytes of it */
	uint32_t round;       /* of that question */
	enum kernel kernel;   /* … if it was PARAMS */

	bool answered;    /* … that it is answered */
	bool doubted;     /* … that its answer is no number, and waits for a doubt of others to be settled */
	uint64_t lost_ns; /* when its predecessor was lost, until this one is at work; 0: it replaces none */
	struct range leaves;
	struct ready ready; /* the last READY */
	double *first_row;  /* features + 1 */

	struct gradient gradient; /* the last GRADIENT, decoded into: */
	struct tree_node nodes[TREE_NODES_MAX];
	struct predict predict;         /* the last PREDICT; its values are the asker's */
	struct predictions predictions; /* the last PREDICTIONS, decoded into: */
	double *vectors;
	size_t vectors_capacity; /* doubles */
};

/* Why a worker is lost. */
enum loss_cause {
	LOSS_DEATH,
	LOSS_PROTOCOL,
	LOSS_DEADLINE,
	LOSS_GAVE_UP,    /* it sent an ERROR frame */
	LOSS_NOT_FINITE, /* sums that are no numbers, of rows and parameters that are */
	LOSS_LIE,        /* two replicas agree on other sums */
	LOSS_NOT_NEEDED, /* a faster worker has answered for the same rows */
};

struct loss {
	uint32_t worker;
	enum loss_cause cause;
	char detail[256];          /* death: its last words; protocol: what was wrong */
	struct worker_error error; /* gave up: what it said */
	/* Filled when the worker is buried: */
	pid_t pid;
	bool killed; /* by the coordinator, since it lived on */
	int status;  /* of waitpid */
};

struct pool {
	struct isolation isolation; /* of the processes; set it before the first is started */
	bool waits_awake;           /* may it and they: common/busy_wait.h; set it likewise */
	uint32_t count;
	uint32_t awaited; /* slots with an open question */
	uint64_t changes; /* counts processes that come and go, questions, and what else makes a deadline earlier */
	struct slot *slots;
	uint32_t features;
	uint64_t timeout_ns; /* for an answer, whatever the dataset's size … */
	uint64_t pass_ns;    /* … plus this: a pass over all of it at the slowest speed that is not a fault */
	uint64_t latest_ns;  /* after an interrupt: no deadline is later; else 0 */
	uint32_t round;      /* of the last question */
	uint32_t epoch;
	struct event_stream *events;
	struct injection *injection; /* NULL: no faults */
};

/* Slots without processes. */
bool pool_init(struct pool *pool, uint32_t count, uint32_t features, double timeout_s, struct event_stream *events,
        struct error *error);
void pool_release(struct pool *pool);

/* Is the slot's question open? */
bool pool_awaits(const struct slot *slot);

/* The slot's question is answered. */
void pool_set_idle(struct pool *pool, struct slot *slot);

/* From now on no answer's deadline is later than this. */
void pool_limit_deadlines(struct pool *pool, uint64_t latest_ns);

/* Starts the process of an empty slot. */
bool pool_start(struct pool *pool, struct slot *slot, struct error *error);

/*
 * Questions: the frame is queued and written as far as the pipe takes it; collect_next does the rest. The answer's
 * deadline starts now. False: out of memory.
 */
bool pool_ask_to_load(struct pool *pool, struct slot *slot, const struct assignment *assignment, struct error *error);
bool pool_ask_for_sums(struct pool *pool, struct slot *slot, const struct params *params, struct error *error);

bool pool_ask_for_predictions(struct pool *pool, struct slot *slot, const struct predict *predict, struct error *error);

/* A child was stopped, or went on, or ended: tells of the first two, which concern nobody before a deadline is missed.
 */
void pool_tell_stops(const struct pool *pool);

/* Ends and reaps a lost worker, and empties its slot. Fills the loss's last members. */
void pool_bury(struct pool *pool, struct slot *slot, struct loss *loss);

/*
 * Ends all workers in order: STOP, a grace in which they leave by themselves, SIGTERM, SIGKILL. Afterwards no slot has
 * a process. With `at_once` there is no grace and no SIGTERM.
 */
void pool_stop(struct pool *pool, bool at_once);

#endif
