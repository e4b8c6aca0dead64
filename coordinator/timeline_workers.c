#include "common/fault.h"
#include "coordinator/timeline_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct drawn_worker *find_worker(struct timeline *timeline, uint32_t index)
{
	if (index >= timeline->worker_count) {
		uint32_t count = index + 16;
		struct drawn_worker *more = realloc(timeline->workers, count * sizeof *more);
		if (more == NULL) {
			timeline->file.always.incomplete = true;
			return NULL;
		}
		memset(more + timeline->worker_count, 0, (count - timeline->worker_count) * sizeof *more);
		timeline->workers = more;
		timeline->worker_count = count;
	}
	return &timeline->workers[index];
}

void timeline_take_fork(struct timeline *timeline, const struct event *event)
{
	char name[64];
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	if (worker == NULL)
		return;
	*worker = (struct drawn_worker){
	        .track = {event->pid, event->pid, event->began_ns},
	        .forked_ns = event->began_ns,
	};
	int length = snprintf(name, sizeof name, "worker %" PRIu32, event->worker);
	if (event->incarnation > 0)
		snprintf(name + length, sizeof name - (size_t)length, ", incarnation %" PRIu32, event->incarnation);
	uint32_t incarnation = event->incarnation < 1000 ? event->incarnation : 999;
	timeline_name_track(timeline, &worker->track, name, name, 1000L * (event->worker + 1) + incarnation);
	timeline_add(&timeline->file.always, "{\"ph\":\"B\",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"ts\":" TIME "}",
	        worker->track.pid, worker->track.tid, name, TIME_OF(worker->forked_ns));
	timeline_draw_deed(timeline, &timeline->file.always, "fork", event);
}

/* The slice of its last answer's write, whose end is known now. */
static void draw_write(struct timeline *timeline, struct drawn_worker *worker, uint64_t end_ns)
{
	if (worker->write.end == 0)
		return;
	struct timeline_lines *lines = timeline_file_lines(&timeline->file, worker->write_epoch);
	uint64_t begin = worker->write.begin;
	timeline_slice(lines, &worker->track, "write", (struct range){begin, end_ns < begin ? begin : end_ns}, "");
	worker->write = (struct range){0, 0};
}

void timeline_take_answer(struct timeline *timeline, const struct event *event, const struct worker_times *times,
        const char *frame, const char *work)
{
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	struct timeline_lines *lines = timeline_file_lines(&timeline->file, event->epoch);
	char name[32], more[64];
	if (worker == NULL || worker->track.pid == 0)
		return;
	if (worker->track.end_ns == worker->forked_ns)
		timeline_slice(
		        lines, &worker->track, "start", (struct range){worker->forked_ns, times->waiting_ns}, "");
	draw_write(timeline, worker, times->waiting_ns);
	timeline_slice(lines, &worker->track, "wait", (struct range){times->waiting_ns, times->received_ns}, "");
	snprintf(more, sizeof more, ",\"args\":{\"epoch\":%" PRIu32 "}", event->epoch);
	timeline_slice(lines, &worker->track, work, (struct range){times->received_ns, times->finished_ns}, more);
	timeline_draw_arrow(timeline, lines, strcmp(frame, "READY") == 0 ? "ASSIGN" : "PARAMS", &timeline->coordinator,
	        worker->asked_ns, &worker->track, times->received_ns);
	worker->write = (struct range){worker->track.end_ns, event->time_ns};
	worker->write_epoch = event->epoch;
	snprintf(name, sizeof name, "read %s", frame);
	/* A second frame of one read(2) has been there since the first was dealt with. */
	uint64_t end_ns = timeline->coordinator.end_ns;
	uint64_t began_ns =
	        timeline->reading.end != 0 && timeline->reading.begin > end_ns ? timeline->reading.begin : end_ns;
	struct event read = *event;
	read.began_ns = began_ns;
	timeline_draw_deed(timeline, lines, name, &read);
	timeline->reading = (struct range){0, 0};
	timeline_draw_arrow(
	        timeline, lines, frame, &worker->track, worker->write.begin, &timeline->coordinator, began_ns);
	worker->asked_ns = 0;
}

void timeline_take_question(struct timeline *timeline, const struct event *event, const char *name)
{
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	if (worker == NULL)
		return;
	uint64_t end_ns = timeline->coordinator.end_ns;
	worker->asked_ns = event->began_ns > end_ns ? event->began_ns : end_ns;
	timeline_draw_deed(timeline, timeline_file_lines(&timeline->file, event->epoch), name, event);
}

/* The process is gone. since_ns: when the last of what is drawn of it began; as: what that is. */
static void end_worker(struct timeline *timeline, const struct event *event, uint64_t since_ns, const char *as)
{
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	if (worker == NULL || worker->track.pid == 0)
		return;
	draw_write(timeline, worker, worker->write.end < since_ns ? worker->write.end : since_ns);
	if (since_ns != 0)
		timeline_slice(
		        &timeline->file.always, &worker->track, as, (struct range){since_ns, event->time_ns}, "");
	uint64_t end_ns = event->time_ns > worker->track.end_ns ? event->time_ns : worker->track.end_ns;
	timeline_add(&timeline->file.always, "{\"ph\":\"E\",\"pid\":%ld,\"tid\":%ld,\"ts\":" TIME "}",
	        worker->track.pid, worker->track.tid, TIME_OF(end_ns));
	worker->track.pid = 0;
}

void timeline_take_loss(struct timeline *timeline, const struct event *event)
{
	char text[TIMELINE_QUOTED_BYTES], more[TIMELINE_QUOTED_BYTES + 64];
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	timeline_draw_deed(timeline, &timeline->file.always, "bury", event);
	if (worker == NULL || worker->track.pid == 0)
		return;
	timeline_quote(event->worker_lost.text, text, sizeof text);
	snprintf(more, sizeof more, ",\"cause\":\"%s\",\"text\":%s", event->worker_lost.cause, text);
	struct event found = *event; /* buried, it was lost before */
	found.time_ns = event->began_ns;
	timeline_draw_instant(timeline, &worker->track, "lost", &found, more);
	end_worker(timeline, event, worker->asked_ns != 0 ? worker->asked_ns : event->began_ns,
	        worker->asked_ns != 0 ? "no answer" : "lost");
}

void timeline_take_mark(struct timeline *timeline, const struct event *event)
{
	char more[128] = "";
	struct drawn_worker *worker = event->has_worker ? find_worker(timeline, event->worker) : NULL;
	const struct timeline_track *track =
	        worker != NULL && worker->track.pid != 0 ? &worker->track : &timeline->coordinator;
	if (event->type == EVENT_FAULT_FIRED) {
		const struct fault *fault = event->fault_fired.fault;
		snprintf(more, sizeof more, ",\"kind\":\"%s\",\"site\":\"%s\"", fault_kind_name(fault->kind),
		        fault_site_name(fault->site));
		timeline_draw_instant(timeline, track, "fault", event, more);
	} else if (event->type == EVENT_WORKER_REPLACED) {
		snprintf(more, sizeof more, ",\"took_ms\":%.3f", (double)event->worker_replaced.took_ns / 1e6);
		timeline_draw_instant(timeline, track, "replaced", event, more);
	} else if (event->type == EVENT_WORKER_STOPPED) {
		snprintf(more, sizeof more, ",\"signal\":%d", event->worker_stopped.signal);
		timeline_draw_instant(timeline, track, "stopped", event, more);
	} else if (event->type == EVENT_WORKER_CONTINUED) {
		timeline_draw_instant(timeline, track, "continued", event, more);
	} else {
		snprintf(more, sizeof more, ",\"backup\":%" PRIu32, event->worker_late.backup);
		timeline_draw_instant(timeline, track, "late", event, more);
	}
}

void timeline_take_leaving(struct timeline *timeline, const struct event *event)
{
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	if (worker == NULL)
		return;
	if (event->type == EVENT_STOP_SENT)
		timeline_take_question(timeline, event, "write STOP");
	else
		end_worker(timeline, event, worker->asked_ns, event->worker_exited.forced ? "ended" : "leave");
}
