#include "coordinator/timeline.h"

#include "common/calls.h"
#include "common/utf8.h"
#include "coordinator/timeline_file.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* No process has this pid: 2^22 is the most. */
enum { EPOCHS_TID = 4194305 };

/* A worker's process, as far as it is drawn. */
struct drawn_worker {
	struct timeline_track track; /* pid 0: there is none */
	uint64_t forked_ns;
	uint64_t asked_ns; /* when its open question was begun to be written; 0: there is none */
	struct range
	        write; /* its last answer: when it went to write it, and when that had been read; empty: it is drawn */
	uint32_t write_epoch;
	uint32_t write_bytes;
};

struct timeline {
	char *path;
	struct timeline_file file;
	struct timeline_track coordinator;
	struct range reading; /* a read(2) that no slice tells yet; empty: there is none */
	uint64_t arrows;      /* each has a number */
	struct drawn_worker *workers;
	uint32_t worker_count;
	struct {
		bool open;
		bool loads;
		uint32_t number;
		enum kernel kernel;
		struct range time;
		uint32_t epoch;
	} round;
};

/* A text as a JSON string, cut; never longer than a line has room for. */
static void quote(const char *text, char *quoted, size_t capacity)
{
	char excerpt[512];
	json_t *string = json_string(utf8_excerpt(excerpt, sizeof excerpt, text, strlen(text)));
	char *dumped = string == NULL ? NULL : json_dumps(string, JSON_ENCODE_ANY);
	snprintf(quoted, capacity, "%s", dumped != NULL && strlen(dumped) < capacity ? dumped : "\"\"");
	free(dumped);
	json_decref(string);
}

enum { QUOTED_BYTES = 3200 };

/* "12.345" µs, as the arguments of a format with TIME. */
#define TIME "%" PRIu64 ".%03" PRIu64
#define TIME_OF(ns) (ns) / 1000, (ns) % 1000

static void name_track(struct timeline *timeline, const struct timeline_track *track, const char *process,
        const char *thread, long place)
{
	struct timeline_lines *lines = &timeline->file.always;
	if (process != NULL) {
		timeline_add(lines, "{\"ph\":\"M\",\"pid\":%ld,\"name\":\"process_name\",\"args\":{\"name\":\"%s\"}}",
		        track->pid, process);
		timeline_add(lines,
		        "{\"ph\":\"M\",\"pid\":%ld,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%ld}}",
		        track->pid, place);
	}
	timeline_add(lines,
	        "{\"ph\":\"M\",\"pid\":%ld,\"tid\":%ld,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}",
	        track->pid, track->tid, thread);
}

/* An arrow between two slices, from the beginning of one to that of the other. */
static void draw_arrow(struct timeline *timeline, struct timeline_lines *lines, const char *name,
        const struct timeline_track *from, uint64_t from_ns, const struct timeline_track *to, uint64_t to_ns)
{
	uint64_t number = ++timeline->arrows;
	timeline_add(lines,
	        "{\"ph\":\"s\",\"id\":%" PRIu64
	        ",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"cat\":\"frame\",\"ts\":" TIME "}",
	        number, from->pid, from->tid, name, TIME_OF(from_ns));
	timeline_add(lines,
	        "{\"ph\":\"f\",\"bp\":\"e\",\"id\":%" PRIu64
	        ",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"cat\":\"frame\",\"ts\":" TIME "}",
	        number, to->pid, to->tid, name, TIME_OF(to_ns));
}

/* more: members of its arguments; "" or begun with a comma. */
static void draw_instant(struct timeline *timeline, const struct timeline_track *track, const char *name,
        const struct event *event, const char *more)
{
	timeline_add(&timeline->file.always,
	        "{\"ph\":\"i\",\"s\":\"%s\",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"ts\":" TIME
	        ",\"args\":{\"epoch\":%" PRIu32 "%s}}",
	        event->has_worker ? "p" : "g", track->pid, track->tid, name, TIME_OF(event->time_ns), event->epoch,
	        more);
	timeline->file.current.unusual = true;
}

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

/* What the coordinator has done, up to now. */
static void draw_deed(
        struct timeline *timeline, struct timeline_lines *lines, const char *name, const struct event *event)
{
	char more[64];
	snprintf(more, sizeof more, ",\"args\":{\"worker\":%" PRIu32 ",\"epoch\":%" PRIu32 "}", event->worker,
	        event->epoch);
	timeline_slice(lines, &timeline->coordinator, name, (struct range){event->began_ns, event->time_ns},
	        event->has_worker ? more : "");
}

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

/* Workers. */

static void take_fork(struct timeline *timeline, const struct event *event)
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
	name_track(timeline, &worker->track, name, name, 1000L * (event->worker + 1) + incarnation);
	timeline_add(&timeline->file.always, "{\"ph\":\"B\",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"ts\":" TIME "}",
	        worker->track.pid, worker->track.tid, name, TIME_OF(worker->forked_ns));
	draw_deed(timeline, &timeline->file.always, "fork", event);
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

/* An answer is there: what the worker has done for it, by its own times, and how the answer came here. */
static void take_answer(struct timeline *timeline, const struct event *event, const struct worker_times *times,
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
	draw_arrow(timeline, lines, strcmp(frame, "READY") == 0 ? "ASSIGN" : "PARAMS", &timeline->coordinator,
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
	draw_deed(timeline, lines, name, &read);
	timeline->reading = (struct range){0, 0};
	draw_arrow(timeline, lines, frame, &worker->track, worker->write.begin, &timeline->coordinator, began_ns);
	worker->asked_ns = 0;
}

static void take_question(struct timeline *timeline, const struct event *event, const char *name)
{
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	if (worker == NULL)
		return;
	uint64_t end_ns = timeline->coordinator.end_ns;
	worker->asked_ns = event->began_ns > end_ns ? event->began_ns : end_ns;
	draw_deed(timeline, timeline_file_lines(&timeline->file, event->epoch), name, event);
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

static void take_loss(struct timeline *timeline, const struct event *event)
{
	char text[QUOTED_BYTES], more[QUOTED_BYTES + 64];
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	draw_deed(timeline, &timeline->file.always, "bury", event);
	if (worker == NULL || worker->track.pid == 0)
		return;
	quote(event->worker_lost.text, text, sizeof text);
	snprintf(more, sizeof more, ",\"cause\":\"%s\",\"text\":%s", event->worker_lost.cause, text);
	struct event found = *event; /* buried, it was lost before */
	found.time_ns = event->began_ns;
	draw_instant(timeline, &worker->track, "lost", &found, more);
	end_worker(timeline, event, worker->asked_ns != 0 ? worker->asked_ns : event->began_ns,
	        worker->asked_ns != 0 ? "no answer" : "lost");
}

/* Things that happen to a worker at a moment. */
static void take_mark(struct timeline *timeline, const struct event *event)
{
	char more[128] = "";
	struct drawn_worker *worker = event->has_worker ? find_worker(timeline, event->worker) : NULL;
	const struct timeline_track *track =
	        worker != NULL && worker->track.pid != 0 ? &worker->track : &timeline->coordinator;
	if (event->type == EVENT_FAULT_FIRED) {
		const struct fault *fault = event->fault_fired.fault;
		snprintf(more, sizeof more, ",\"kind\":\"%s\",\"site\":\"%s\"", fault_kind_name(fault->kind),
		        fault_site_name(fault->site));
		draw_instant(timeline, track, "fault", event, more);
	} else if (event->type == EVENT_WORKER_REPLACED) {
		snprintf(more, sizeof more, ",\"took_ms\":%.3f", (double)event->worker_replaced.took_ns / 1e6);
		draw_instant(timeline, track, "replaced", event, more);
	} else if (event->type == EVENT_WORKER_STOPPED) {
		snprintf(more, sizeof more, ",\"signal\":%d", event->worker_stopped.signal);
		draw_instant(timeline, track, "stopped", event, more);
	} else if (event->type == EVENT_WORKER_CONTINUED) {
		draw_instant(timeline, track, "continued", event, more);
	} else {
		snprintf(more, sizeof more, ",\"backup\":%" PRIu32, event->worker_late.backup);
		draw_instant(timeline, track, "late", event, more);
	}
}

static void take_note(struct timeline *timeline, const struct event *event)
{
	char text[QUOTED_BYTES], more[QUOTED_BYTES + 16];
	quote(event->note.text, text, sizeof text);
	snprintf(more, sizeof more, ",\"text\":%s", text);
	draw_instant(timeline, &timeline->coordinator, "note", event, more);
}

static void take_checkpoint(struct timeline *timeline, const struct event *event)
{
	struct event written = *event;
	draw_deed(timeline, &timeline->file.always, "checkpoint", event);
	bool unusual = timeline->file.current.unusual; /* a checkpoint is none */
	draw_instant(timeline, &timeline->coordinator, "checkpoint", &written, "");
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
	name_track(timeline, &timeline->coordinator, "coordinator", "coordinator", 0);
	name_track(timeline, &timeline->file.epochs, NULL, "epochs", 0);
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
	draw_instant(timeline, &timeline->coordinator, "end", event, more);
}

static void take_round_event(struct timeline *timeline, const struct event *event)
{
	char name[32];
	struct timeline_lines *lines = timeline_file_lines(&timeline->file, event->epoch);
	switch (event->type) {
	case EVENT_ASSIGN_SENT:
		go_on_with_round(timeline, event, event->assign_sent.round, true);
		take_question(timeline, event, "write ASSIGN");
		break;
	case EVENT_WORKER_READY:
		go_on_with_round(timeline, event, event->worker_ready.round, true);
		take_answer(timeline, event, &event->worker_ready.times, "READY", "load");
		break;
	case EVENT_PARAMS_SENT:
		go_on_with_round(timeline, event, event->round.round, false);
		take_question(timeline, event, "write PARAMS");
		break;
	case EVENT_GRADIENT_RECEIVED:
		go_on_with_round(timeline, event, event->round.round, false);
		snprintf(name, sizeof name, "compute %s", event_kernel_name(event->round.kernel));
		take_answer(timeline, event, &event->round.times, "GRADIENT", name);
		break;
	default:
		go_on_with_round(timeline, event, event->round.round, false);
		draw_deed(timeline, lines, "aggregate", event);
	}
}

static void take_leaving(struct timeline *timeline, const struct event *event)
{
	struct drawn_worker *worker = find_worker(timeline, event->worker);
	if (worker == NULL)
		return;
	if (event->type == EVENT_STOP_SENT)
		take_question(timeline, event, "write STOP");
	else
		end_worker(timeline, event, worker->asked_ns, event->worker_exited.forced ? "ended" : "leave");
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
		take_fork(timeline, event);
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
		take_leaving(timeline, event);
		break;
	case EVENT_FAULT_FIRED:
	case EVENT_WORKER_REPLACED:
	case EVENT_WORKER_LATE:
	case EVENT_WORKER_STOPPED:
	case EVENT_WORKER_CONTINUED:
		take_mark(timeline, event);
		break;
	case EVENT_WORKER_LOST:
		take_loss(timeline, event);
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
