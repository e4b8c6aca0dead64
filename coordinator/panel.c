#include "coordinator/panel.h"

#include "coordinator/process.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* A question is open, or a worker idle, for so long before that is worth a word: most rounds are shorter. */
#define NOTICEABLE_NS UINT64_C(250000000)

/* Of the time that epochs take, the newest counts this much. */
#define SMOOTHING 0.1

enum activity { NOT_THERE, LOADING, COMPUTING, WAITING, LOST };

struct panel_worker {
	enum activity activity;
	bool stopped;      /* by a signal, whatever it was doing */
	uint64_t since_ns; /* … and since when */
	long pid;
	uint64_t rows;
	double epoch_ms; /* smoothed; 0: not known yet */
	uint32_t restarts;
	char last[64]; /* what happened to it last; empty: nothing */
};

static struct panel_worker *worker_of(struct panel *panel, uint32_t index)
{
	if (index >= panel->capacity) {
		uint32_t capacity = 2 * index + PANEL_WORKERS;
		struct panel_worker *workers = realloc(panel->workers, capacity * sizeof *workers);
		if (workers == NULL)
			return NULL; /* a panel without it */
		memset(workers + panel->capacity, 0, (capacity - panel->capacity) * sizeof *workers);
		panel->workers = workers;
		panel->capacity = capacity;
	}
	if (index >= panel->count)
		panel->count = index + 1;
	return &panel->workers[index];
}

static void begin(struct panel_worker *worker, enum activity activity, const struct event *event)
{
	worker->activity = activity;
	worker->since_ns = event->time_ns;
}

static void take_fork(struct panel_worker *worker, const struct event *event)
{
	worker->pid = (long)event->pid;
	worker->restarts = event->incarnation;
	worker->stopped = false;
	begin(worker, LOADING, event);
}

static void take_sums(struct panel_worker *worker, const struct event *event)
{
	double ms = (double)(event->round.times.finished_ns - event->round.times.received_ns) / 1e6;
	worker->stopped = false;
	if (event->round.kernel == KERNEL_GRADIENT)
		worker->epoch_ms = worker->epoch_ms > 0 ? worker->epoch_ms + SMOOTHING * (ms - worker->epoch_ms) : ms;
	begin(worker, WAITING, event);
}

/* In the few words that a row has room for; the message above the panel says it all. */
static void take_loss(struct panel_worker *worker, const struct event *event)
{
	char status[96];
	static const char killed[] = "was killed by ";
	if (strcmp(event->worker_lost.cause, "death") == 0) {
		process_status_text(event->worker_lost.status, status, sizeof status);
		size_t skip = strncmp(status, killed, strlen(killed)) == 0 ? strlen(killed) : 0;
		snprintf(worker->last, sizeof worker->last, "%.20s", status + skip);
	} else if (strcmp(event->worker_lost.cause, "deadline") == 0) {
		snprintf(worker->last, sizeof worker->last, "deadline");
	} else {
		snprintf(worker->last, sizeof worker->last, "%.40s", event->worker_lost.cause);
	}
	worker->stopped = false;
	begin(worker, LOST, event);
}

static void take_replacement(struct panel_worker *worker, const struct event *event)
{
	size_t length = strlen(worker->last);
	snprintf(worker->last + length, sizeof worker->last - length, ", %.1f ms",
	        (double)event->worker_replaced.took_ns / 1e6);
}

void panel_take(struct panel *panel, const struct event *event)
{
	struct panel_worker *worker = event->has_worker ? worker_of(panel, event->worker) : NULL;
	if (worker == NULL)
		return;
	switch (event->type) {
	case EVENT_WORKER_FORKED:
		take_fork(worker, event);
		break;
	case EVENT_WORKER_READY:
		worker->rows = event->worker_ready.rows;
		begin(worker, WAITING, event);
		break;
	case EVENT_PARAMS_SENT:
		begin(worker, COMPUTING, event);
		break;
	case EVENT_GRADIENT_RECEIVED:
		take_sums(worker, event);
		break;
	case EVENT_WORKER_STOPPED:
	case EVENT_WORKER_CONTINUED:
		worker->stopped = event->type == EVENT_WORKER_STOPPED;
		worker->since_ns = event->time_ns;
		break;
	case EVENT_WORKER_LOST:
		take_loss(worker, event);
		break;
	case EVENT_WORKER_REPLACED:
		take_replacement(worker, event);
		break;
	case EVENT_WORKER_EXITED:
		begin(worker, NOT_THERE, event);
		break;
	default:
		break;
	}
}

/* What a person is told of a worker: where rounds follow each other too fast to be seen, it is training. */
static const char *state_word(const struct panel_worker *worker, uint64_t for_ns)
{
	if (worker->stopped)
		return "stopped";
	switch (worker->activity) {
	case LOADING:
		return "loading";
	case COMPUTING:
		return for_ns < NOTICEABLE_NS ? "training" : "computing";
	case WAITING:
		return for_ns < NOTICEABLE_NS ? "training" : "waiting";
	case LOST:
		return "lost";
	case NOT_THERE:
		break;
	}
	return "ended";
}

static const char *state_colour(const struct panel_worker *worker)
{
	if (worker->stopped)
		return "\033[33m"; /* yellow */
	if (worker->activity == LOST)
		return "\033[31m";                                     /* red */
	return worker->activity == NOT_THERE ? "\033[2m" : "\033[32m"; /* dim, green */
}

/* 53940 -> "53,940" */
static void group_digits(uint64_t number, char *text, size_t capacity)
{
	char digits[24];
	size_t length = (size_t)snprintf(digits, sizeof digits, "%" PRIu64, number), at = 0;
	for (size_t i = 0; i < length && at + 2 < capacity; i++) {
		if (i > 0 && (length - i) % 3 == 0)
			text[at++] = ',';
		text[at++] = digits[i];
	}
	text[at] = '\0';
}

static void draw_worker(const struct panel_worker *worker, uint32_t index, FILE *out, bool colour, uint64_t now_ns)
{
	char state[40], rows[32] = "", epoch[24] = "";
	uint64_t for_ns = now_ns > worker->since_ns ? now_ns - worker->since_ns : 0;
	const char *word = state_word(worker, for_ns);
	if (for_ns >= NOTICEABLE_NS && worker->activity != NOT_THERE)
		snprintf(state, sizeof state, "%s %.1f s", word, (double)for_ns / 1e9);
	else
		snprintf(state, sizeof state, "%s", word);
	if (worker->rows > 0)
		group_digits(worker->rows, rows, sizeof rows);
	if (worker->epoch_ms > 0)
		snprintf(epoch, sizeof epoch, "%.3g", worker->epoch_ms);
	fprintf(out, "\n%3" PRIu32 "  %-7ld  %s%-16s%s %11s  %8s  %8" PRIu32 "%s%s", index, worker->pid,
	        colour ? state_colour(worker) : "", state, colour ? "\033[0m" : "", rows, epoch, worker->restarts,
	        worker->last[0] != '\0' ? "  " : "", worker->last);
}

void panel_draw(const struct panel *panel, FILE *out, bool colour, unsigned rows, uint64_t now_ns)
{
	uint32_t room = rows > 1 ? rows - 1 : 0;
	uint32_t drawn = panel->count <= room ? panel->count : room > 0 ? room - 1 : 0;
	fprintf(out, "%s%3s  %-7s  %-16s %11s  %8s  %8s  %s%s", colour ? "\033[1m" : "", "#", "pid", "state", "rows",
	        "ms/epoch", "restarts", "last loss, back", colour ? "\033[0m" : "");
	for (uint32_t i = 0; i < drawn; i++)
		draw_worker(&panel->workers[i], i, out, colour, now_ns);
	if (drawn < panel->count && room > 0)
		fprintf(out, "\n     … and %" PRIu32 " more", panel->count - drawn);
}

void panel_release(struct panel *panel)
{
	free(panel->workers);
	*panel = (struct panel){0};
}
