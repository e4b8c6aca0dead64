/*
 * The stream of events: everything that happens in a run, as typed values. Progress line, event log and whatever else
 * shows a run are sinks of this stream; what emits an event knows none of them.
 *
 * What a worker does follows from the events of it, in this order:
 *
 *   worker_forked                         it starts
 *   assign_sent … worker_ready            it loads its chunk
 *   params_sent … gradient_received       it computes; in between it waits
 *   stop_sent … worker_exited             it leaves
 *   worker_lost, then worker_forked with the next incarnation, …, worker_replaced
 *
 * The last may come from any state, and a worker that is late may have a backup with another index. Some events are
 * details: emitted only where a sink has asked for them, so that nobody else pays.
 */
#ifndef FORKFIT_COORDINATOR_EVENTS_H
#define FORKFIT_COORDINATOR_EVENTS_H

#include "common/fault.h"
#include "common/leaves.h"
#include "common/sums.h"
#include "common/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct call; /* common/calls.h */
struct call_log;

enum event_type {
	EVENT_RUN_STARTED,
	EVENT_RUN_RESUMED,     /* with the epoch that is repeated first */
	EVENT_WORKER_STARTING, /* its pipes will be made next; there is no pid yet. A detail */
	EVENT_WORKER_FORKED,
	EVENT_ASSIGN_SENT,
	EVENT_WORKER_READY,
	EVENT_PARAMS_SENT,
	EVENT_GRADIENT_RECEIVED,
	EVENT_SUMS_COMBINED, /* the aggregator has made one answer of all; a detail */
	EVENT_FAULT_FIRED,
	EVENT_WORKER_LOST,
	EVENT_WORKER_REPLACED,
	EVENT_WORKER_LATE,
	EVENT_WORKER_STOPPED, /* by a signal; nothing is done about it before its deadline */
	EVENT_WORKER_CONTINUED,
	EVENT_STOP_SENT,
	EVENT_WORKER_EXITED,
	EVENT_EPOCH_DONE,
	EVENT_CHECKPOINT_WRITTEN,
	EVENT_CALL_MADE, /* a system call by the coordinator; a detail */
	EVENT_NOTE,
	EVENT_RUN_ENDED,
	EVENT_TICK, /* time has passed, and nothing has happened: for sinks that show how long something takes */
	EVENT_TYPE_COUNT
};

/* A type's name in the event log, such as "worker_forked". */
const char *event_type_name(enum event_type type);

/* Is it one of those that a sink must ask for? */
bool event_type_is_detail(enum event_type type);

struct event {
	enum event_type type;
	uint64_t time_ns; /* since the stream began; filled by events_emit */
	/*
	 * When began what took a while and has ended now: emitted as clock_now_ns() or 0, which says that it took no
	 * time; handled as time since the stream began, time_ns at most.
	 */
	uint64_t began_ns;
	uint32_t epoch;  /* 0: before the first */
	bool has_worker; /* the next three say something */
	uint32_t worker;
	pid_t pid; /* RUN_STARTED: the coordinator's */
	uint32_t incarnation;
	union {
		struct {
			const char *dataset;
			uint32_t workers;
			uint64_t epochs;
			uint64_t bytes;     /* of the dataset's file */
			uint64_t row_bytes; /* of the numbers in a row that are used */
		} run_started;
		struct {
			const char *path; /* of the checkpoint */
		} run_resumed;
		struct {
			uint32_t round;
			struct range leaves;
			struct range rows;  /* npy: of the file; else empty */
			struct range bytes; /* CSV: of the file; else empty */
		} assign_sent;
		struct {
			uint32_t round;
			uint64_t rows;
			uint64_t skipped;
			struct range leaves;
			struct worker_times
			        times; /* since the stream began, in order, and none of them later than now */
			uint64_t round_trip_ns;
		} worker_ready;
		struct {
			enum kernel kernel;
			uint32_t round;
			struct worker_times times; /* GRADIENT_RECEIVED: as above */
			uint64_t round_trip_ns;
		} round; /* PARAMS_SENT, GRADIENT_RECEIVED, SUMS_COMBINED */
		struct {
			const struct fault *fault; /* as it would be asked for to happen there again */
		} fault_fired;
		struct {
			const char *cause; /* "death", "protocol", "deadline", "error" */
			const char *text;  /* a sentence */
			int status;        /* of waitpid */
		} worker_lost;
		struct {
			uint64_t took_ns; /* from the loss to the replacement's first answer */
		} worker_replaced;
		struct {
			uint64_t waited_ns;
			uint32_t backup; /* the worker that is forked for its rows */
		} worker_late;
		struct {
			int signal;
		} worker_stopped;
		struct {
			int status;
			bool forced; /* by a signal from the coordinator */
		} worker_exited;
		struct {
			double loss;
			double gradient; /* its largest component, as tolerance is compared with */
		} epoch_done;
		struct {
			const char *path;
		} checkpoint_written;
		struct {
			const struct call *call;
		} call_made;
		struct {
			const char *text; /* a warning or a remark for the user */
		} note;
		struct {
			bool trained;
			const char *outcome; /* the reason it stopped, or "failed" */
			int exit_code;
			uint64_t epochs;
			uint64_t rows;
		} run_ended;
	};
};

struct event_sink {
	void (*handle)(void *context, const struct event *event);
	void *context;
	bool details; /* it wants them too */
};

/* As many as the program has. */
enum { EVENT_SINKS_MAX = 8 };

struct event_stream {
	uint64_t began_ns;
	uint64_t tick_ns; /* how often to say that nothing happens; 0: never */
	struct event_sink sinks[EVENT_SINKS_MAX];
	size_t count;
	bool details; /* a sink wants them */
};

void events_init(struct event_stream *stream);
void events_add_sink(struct event_stream *stream, struct event_sink sink);

/* A kernel's name, such as "gradient". */
const char *event_kernel_name(enum kernel kernel);

/* From now on the stream tells this process's system calls. log: where its children tell theirs; NULL: nowhere. */
void events_watch_calls(struct event_stream *stream, struct call_log *log);

/* A time of clock_now_ns(), since the stream began; 0 for one before. */
uint64_t events_time(const struct event_stream *stream, uint64_t clock_ns);

/* Stamps a copy of the event and hands it to every sink, in the order they were added. */
void events_emit(const struct event_stream *stream, struct event event);

#endif
