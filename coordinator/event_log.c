#include "coordinator/event_log.h"

#include "coordinator/json_text.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct event_log {
	char *path;
	FILE *file;
	int failure; /* errno of the first line that was lost */
};

struct event_log *event_log_open(const char *path, struct error *error)
{
	struct event_log *log = calloc(1, sizeof *log);
	if (log != NULL)
		log->path = strdup(path);
	if (log == NULL || log->path == NULL) {
		error_set(error, EXIT_OS_ERROR, "out of memory");
		free(log);
		return NULL;
	}
	log->file = fopen(path, "we");
	if (log->file != NULL)
		return log;
	error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot write %s", path);
	free(log->path);
	free(log);
	return NULL;
}

/* What an event becomes. */
struct line {
	json_t *object;
	bool is_short; /* of memory: a key is missing */
};

/* Sets a key and takes over the value. */
static void put(struct line *line, const char *key, json_t *value)
{
	if (json_object_set_new(line->object, key, value) != 0)
		line->is_short = true;
}

static json_t *number(double value)
{
	return isfinite(value) ? json_text_number(value) : json_null();
}

static json_t *milliseconds(uint64_t nanoseconds)
{
	return json_real((double)nanoseconds / 1e6);
}

static json_t *seconds(uint64_t nanoseconds)
{
	return json_real((double)nanoseconds / 1e9);
}

static void put_status(struct line *line, int status)
{
	if (WIFSIGNALED(status))
		put(line, "signal", json_integer(WTERMSIG(status)));
	else
		put(line, "exit_status", json_integer(WEXITSTATUS(status)));
}

static void put_number_if_given(struct line *line, const char *key, uint32_t value)
{
	if (value != FAULT_ANY)
		put(line, key, json_integer(value));
}

static void put_fault(struct line *line, const struct fault *fault)
{
	unsigned parameters = fault_kind_parameters(fault->kind);
	put(line, "kind", json_string(fault_kind_name(fault->kind)));
	put(line, "site", json_string(fault_site_name(fault->site)));
	put_number_if_given(line, "byte", fault->byte);
	if ((parameters & TAKES_BIT) != 0)
		put(line, "bit", json_integer(fault->bit));
	put_number_if_given(line, "ms", fault->ms);
	if (fault->factor > 0.0)
		put(line, "factor", number(fault->factor));
	put_number_if_given(line, "code", fault->code);
}

static void put_leaves(struct line *line, struct range leaves)
{
	put(line, "first_leaf", json_integer((json_int_t)leaves.begin));
	put(line, "leaves", json_integer((json_int_t)(leaves.end - leaves.begin)));
}

/* The worker's own times, as "t" is given, and what follows from them. */
static void put_times(struct line *line, const struct worker_times *times, uint64_t round_trip_ns)
{
	put(line, "waiting_t", seconds(times->waiting_ns));
	put(line, "received_t", seconds(times->received_ns));
	put(line, "finished_t", seconds(times->finished_ns));
	put(line, "busy_ms", milliseconds(times->finished_ns - times->received_ns));
	put(line, "round_trip_ms", milliseconds(round_trip_ns));
}

static void put_start(struct line *line, const struct event *event)
{
	put(line, "pid", json_integer(event->pid));
	put(line, "dataset", json_string(event->run_started.dataset));
	put(line, "bytes", json_integer((json_int_t)event->run_started.bytes));
	put(line, "workers", json_integer(event->run_started.workers));
	put(line, "epochs", json_integer((json_int_t)event->run_started.epochs));
}

static void put_ready(struct line *line, const struct event *event)
{
	put(line, "round", json_integer(event->worker_ready.round));
	put(line, "rows", json_integer((json_int_t)event->worker_ready.rows));
	put(line, "skipped", json_integer((json_int_t)event->worker_ready.skipped));
	put_leaves(line, event->worker_ready.leaves);
	put_times(line, &event->worker_ready.times, event->worker_ready.round_trip_ns);
}

static void put_end(struct line *line, const struct event *event)
{
	put(line, "outcome", json_string(event->run_ended.outcome));
	put(line, "exit_code", json_integer(event->run_ended.exit_code));
	put(line, "epochs", json_integer((json_int_t)event->run_ended.epochs));
	put(line, "rows", json_integer((json_int_t)event->run_ended.rows));
}

static void put_details(struct line *line, const struct event *event)
{
	switch (event->type) {
	case EVENT_RUN_STARTED:
		put_start(line, event);
		break;
	case EVENT_RUN_RESUMED:
		put(line, "path", json_string(event->run_resumed.path));
		break;
	case EVENT_ASSIGN_SENT:
		put(line, "round", json_integer(event->assign_sent.round));
		put_leaves(line, event->assign_sent.leaves);
		break;
	case EVENT_WORKER_READY:
		put_ready(line, event);
		break;
	case EVENT_GRADIENT_RECEIVED:
		put_times(line, &event->round.times, event->round.round_trip_ns);
		/* fallthrough */
	case EVENT_PARAMS_SENT:
		put(line, "round", json_integer(event->round.round));
		put(line, "kernel", json_string(event_kernel_name(event->round.kernel)));
		break;
	case EVENT_FAULT_FIRED:
		put_fault(line, event->fault_fired.fault);
		break;
	case EVENT_WORKER_LOST:
		put(line, "cause", json_string(event->worker_lost.cause));
		put_status(line, event->worker_lost.status);
		put(line, "text", json_string(event->worker_lost.text));
		break;
	case EVENT_WORKER_REPLACED:
		put(line, "took_ms", milliseconds(event->worker_replaced.took_ns));
		break;
	case EVENT_WORKER_LATE:
		put(line, "waited_ms", milliseconds(event->worker_late.waited_ns));
		put(line, "backup", json_integer(event->worker_late.backup));
		break;
	case EVENT_WORKER_STOPPED:
		put(line, "signal", json_integer(event->worker_stopped.signal));
		break;
	case EVENT_WORKER_EXITED:
		put_status(line, event->worker_exited.status);
		put(line, "forced", json_boolean(event->worker_exited.forced));
		break;
	case EVENT_EPOCH_DONE:
		put(line, "loss", number(event->epoch_done.loss));
		put(line, "gradient", number(event->epoch_done.gradient));
		break;
	case EVENT_CHECKPOINT_WRITTEN:
		put(line, "path", json_string(event->checkpoint_written.path));
		break;
	case EVENT_NOTE:
		put(line, "text", json_string(event->note.text));
		break;
	case EVENT_RUN_ENDED:
		put_end(line, event);
		break;
	case EVENT_WORKER_FORKED:
	case EVENT_STOP_SENT:
	case EVENT_WORKER_CONTINUED:
	case EVENT_TICK:
	case EVENT_WORKER_STARTING: /* details, for which this log does not ask */
	case EVENT_SUMS_COMBINED:
	case EVENT_CALL_MADE:
	case EVENT_TYPE_COUNT:
		break;
	}
}

/* Lines that someone may be watching are written at once; the many of a round wait for the epoch's end. */
static bool ends_a_group(enum event_type type)
{
	return type != EVENT_ASSIGN_SENT && type != EVENT_PARAMS_SENT && type != EVENT_GRADIENT_RECEIVED;
}

static void handle(void *context, const struct event *event)
{
	struct event_log *log = context;
	if (event->type == EVENT_TICK)
		return;
	struct line line = {.object = json_object()};
	char *text = NULL;
	if (log->failure != 0)
		goto done;
	put(&line, "t", seconds(event->time_ns));
	put(&line, "event", json_string(event_type_name(event->type)));
	put(&line, "epoch", json_integer(event->epoch));
	if (event->has_worker) {
		put(&line, "worker", json_integer(event->worker));
		put(&line, "pid", json_integer(event->pid));
		put(&line, "incarnation", json_integer(event->incarnation));
	}
	put_details(&line, event);
	if (event->began_ns < event->time_ns)
		put(&line, "took_ms", milliseconds(event->time_ns - event->began_ns));
	if (!line.is_short)
		text = json_text(line.object, false);
	if (text == NULL)
		log->failure = ENOMEM;
	else if (fprintf(log->file, "%s\n", text) < 0 || (ends_a_group(event->type) && fflush(log->file) != 0))
		log->failure = errno;
done:
	free(text);
	json_decref(line.object);
}

struct event_sink event_log_sink(struct event_log *log)
{
	return (struct event_sink){.handle = handle, .context = log};
}

bool event_log_close(struct event_log *log, struct error *error)
{
	if (fclose(log->file) != 0 && log->failure == 0)
		log->failure = errno;
	errno = log->failure;
	bool complete = log->failure == 0 || error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot write %s", log->path);
	free(log->path);
	free(log);
	return complete;
}
