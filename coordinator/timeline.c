#include "coordinator/timeline.h"

#include "common/calls.h"
#include "coordinator/timeline_parts.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No process has this pid: 2^22 is the most. */
enum { EPOCHS_TID = 4194305 };

/* Rounds, on the track of the epochs. */

static void end_round(struct timeline *timeline)
{
	char name[48];
	if (!timeline->round.open)
		return;
	if (timeline->round.loads)
		snprintf(name, sizeof name, "load");
	else if (timeline->round.kernel == KERNEL_GRADIENT)
		snprintf(name, sizeof name, "epoch %" PRIu32, timeline->round.epoch);
	else
		snprintf(name, sizeof name, "%s", event_kernel_name(timeline->round.kernel));
	timeline_slice(timeline_file_lines(&timeline->file, timeline->round.epoch), &timeline->file.epochs, name,
	        timeline->round.time, "");
	timeline->round.open = false;
}

static void go_on_with_round(struct timeline *timeline, const struct event *event, uint32_t number, bool loads)
{
	bool same = timeline->round.open && timeline->round.number == number && timeline->round.loads == loads;
	if (!same && event->type != EVENT_ASSIGN_SENT && event->type != EVENT_PARAMS_SENT)
		return; /* the answer of a replacement that loads while others compute */
	if (!same && loads && timeline->round.open && timeline->round.number == number)
		return;
	if (!same) {
		end_round(timeline);
		timeline->round.open = true;
		timeline->round.loads = loads;
		timeline->round.number = number;
		timeline->round.kernel = loads ? KERNEL_MEANS : event->round.kernel;
		timeline->round.epoch = event->epoch;
		timeline->round.time.begin = event->began_ns;
	}
	timeline->round.time.end = event->time_ns;
	struct timeline_epoch *epoch = &timeline->file.current;
	if (epoch->time.begin == 0)
		epoch->time.begin = event->began_ns;
	epoch->time.end = event->time_ns;
}

static void take_note(struct timeline *timeline, const struct event *event)
{
	char text[TIMELINE_QUOTED_BYTES], more[TIMELINE_QUOTED_BYTES + 16];
	timeline_quote(event->note.text, text, sizeof text);
	snprintf(more, sizeof more, ",\"text\":%s", text);
	timeline_draw_instant(timeline, &timeline->coordinator, "note", event, more);
}

static void take_checkpoint(struct timeline *timeline, const struct event *event)
{
	struct event written = *event;
	timeline_draw_deed(timeline, &timeline->file.always, "checkpoint", event);
	bool unusual = timeline->file.current.unusual; /* a checkpoint is none */
	timeline_draw_instant(timeline, &timeline->coordinator, "checkpoint", &written, "");
	timeline->file.current.unusual = unusual;
}

/* The coordinator. */

static void take_call(struct timeline *timeline, const struct event *event)
{
	const struct call *call = event->call_made.call;
	struct timeline_lines *lines = &timeline->file.current.lines;
	char more[64];
	if (call->kind != CALL_POLL && call->kind != CALL_READ)
		return;
	if (timeline->reading.end != 0) /* that brought no answer: half of one, or the end of file */
		timeline_slice(lines, &timeline->coordinator, "read", timeline->reading, "");
	timeline->reading = (struct range){0, 0};
	if (call->kind == CALL_READ) {
		timeline->reading = (struct range){event->began_ns, event->time_ns};
		return;
	}
	snprintf(more, sizeof more, ",\"args\":{\"found\":%d}", (int)call->result);
	timeline_slice(lines, &timeline->coordinator, "poll", (struct range){event->began_ns, event->time_ns}, more);
}

static void take_start(struct timeline *timeline, const struct event *event)
{
	timeline->coordinator = (struct timeline_track){event->pid, event->pid, 0};
	timeline->file.epochs = (struct timeline_track){event->pid, EPOCHS_TID, 0};
	timeline_name_track(timeline, &timeline->coordinator, "coordinator", "coordinator", 0);
	timeline_name_track(timeline, &timeline->file.epochs, NULL, "epochs", 0);
}

static void take_epoch(struct timeline *timeline, const struct event *event)
{
	if (timeline->round.open)
		timeline->round.time.end = event->time_ns;
	if (isfinite(event->epoch_done.loss))
		timeline_add(timeline_file_lines(&timeline->file, event->epoch),
		        "{\"ph\":\"C\",\"pid\":%ld,\"name\":\"loss\",\"ts\":" TIME ",\"args\":{\"loss\":%.17g}}",
		        timeline->coordinator.pid, TIME_OF(event->time_ns), event->epoch_done.loss);
}

static void take_end(struct timeline *timeline, const struct event *event)
{
	char more[128];
	end_round(timeline);
	snprintf(more, sizeof more, ",\"outcome\":\"%s\",\"exit_code\":%d", event->run_ended.outcome,
	        event->run_ended.exit_code);
	timeline_draw_instant(timeline, &timeline->coordinator, "end", event, more);
}

static void take_round_event(struct timeline *timeline, const struct event *event)
{
	char name[32];
	struct timeline_lines *lines = timeline_file_lines(&timeline->file, event->epoch);
	switch (event->type) {
	case EVENT_ASSIGN_SENT:
		go_on_with_round(timeline, event, event->assign_sent.round, true);
		timeline_take_question(timeline, event, "write ASSIGN");
		break;
	case EVENT_WORKER_READY:
		go_on_with_round(timeline, event, event->worker_ready.round, true);
		timeline_take_answer(timeline, event, &event->worker_ready.times, "READY", "load");
		break;
	case EVENT_PARAMS_SENT:
		go_on_with_round(timeline, event, event->round.round, false);
		timeline_take_question(timeline, event, "write PARAMS");
		break;
	case EVENT_GRADIENT_RECEIVED:
		go_on_with_round(timeline, event, event->round.round, false);
		snprintf(name, sizeof name, "compute %s", event_kernel_name(event->round.kernel));
		timeline_take_answer(timeline, event, &event->round.times, "GRADIENT", name);
		break;
	default:
		go_on_with_round(timeline, event, event->round.round, false);
		timeline_draw_deed(timeline, lines, "aggregate", event);
	}
}

static void handle(void *context, const struct event *event)
{
	struct timeline *timeline = context;
	if (event->type != EVENT_CALL_MADE && event->type != EVENT_TICK)
		timeline_file_enter(&timeline->file, event->epoch);
	switch (event->type) {
	case EVENT_RUN_STARTED:
		take_start(timeline, event);
		break;
	case EVENT_WORKER_FORKED:
		timeline_take_fork(timeline, event);
		break;
	case EVENT_ASSIGN_SENT:
	case EVENT_WORKER_READY:
	case EVENT_PARAMS_SENT:
	case EVENT_GRADIENT_RECEIVED:
	case EVENT_SUMS_COMBINED:
		take_round_event(timeline, event);
		break;
	case EVENT_STOP_SENT:
	case EVENT_WORKER_EXITED:
		timeline_take_leaving(timeline, event);
		break;
	case EVENT_FAULT_FIRED:
	case EVENT_WORKER_REPLACED:
	case EVENT_WORKER_LATE:
	case EVENT_WORKER_STOPPED:
	case EVENT_WORKER_CONTINUED:
		timeline_take_mark(timeline, event);
		break;
	case EVENT_WORKER_LOST:
		timeline_take_loss(timeline, event);
		break;
	case EVENT_EPOCH_DONE:
		take_epoch(timeline, event);
		break;
	case EVENT_CHECKPOINT_WRITTEN:
		take_checkpoint(timeline, event);
		break;
	case EVENT_CALL_MADE:
		take_call(timeline, event);
		break;
	case EVENT_NOTE:
		take_note(timeline, event);
		break;
	case EVENT_RUN_ENDED:
		take_end(timeline, event);
		break;
	case EVENT_RUN_RESUMED:
	case EVENT_WORKER_STARTING:
	case EVENT_TICK:
	case EVENT_TYPE_COUNT:
		break;
	}
}

struct timeline *timeline_open(const char *path, struct error *error)
{
	struct timeline *timeline = calloc(1, sizeof *timeline);
	if (timeline != NULL)
		timeline->path = strdup(path);
	if (timeline == NULL || timeline->path == NULL) {
		error_set(error, EXIT_OS_ERROR, "out of memory");
		free(timeline);
		return NULL;
	}
	if (timeline_file_open(&timeline->file, path))
		return timeline;
	error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot write %s", path);
	free(timeline->path);
	free(timeline);
	return NULL;
}

struct event_sink timeline_sink(struct timeline *timeline)
{
	return (struct event_sink){.handle = handle, .context = timeline, .details = true};
}

/* Half a timeline is none. What is no file of its own is left alone. */
static void remove_file(const char *path)
{
	struct stat status;
	if (lstat(path, &status) == 0 && S_ISREG(status.st_mode))
		unlink(path);
}

bool timeline_close(struct timeline *timeline, struct error *error)
{
	bool complete = timeline_file_close(&timeline->file);
	if (!complete) {
		error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot write %s", timeline->path);
		remove_file(timeline->path);
	}
	free(timeline->workers);
	free(timeline->path);
	free(timeline);
	return complete;
}
