#include "coordinator/narration.h"

#include "common/clock.h"
#include "coordinator/narration_lines.h"
#include "coordinator/narration_words.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* So many epochs are told before they are counted. */
enum { EPOCHS_TOLD = 2 };

enum item_kind { ITEM_CALL, ITEM_STARTING, ITEM_CHUNK, ITEM_HEADING, ITEM_REMARK };

/* Something to be told, when everything before it is known. */
struct item {
	uint64_t at_ns; /* of clock_now_ns() */
	uint64_t order; /* of two at the same time, the one that was noted first */
	enum item_kind kind;
	int32_t actor; /* whose call it is */
	uint32_t worker;
	uint32_t incarnation;
	struct range rows, bytes;
	struct call call;
	char *text;
};

struct narration {
	struct narration_lines lines;
	uint64_t began_ns;
	struct call_log *log;
	struct narrated_world world;
	struct item *items;
	size_t count, capacity;
	uint64_t noted;
	bool incomplete;
	uint32_t round;
	uint64_t round_began_ns;
	uint32_t round_epoch, told_epoch; /* of the open round; of what will be told next */
	bool round_unusual, told_unusual;
	uint32_t left_first, left_last;          /* epochs that are counted and not told; 0: none */
	uint64_t left_calls[2][CALL_KIND_COUNT]; /* the coordinator's, the workers' */
};

struct narration *narration_new(
        const struct event_stream *stream, FILE *out, bool colour, uint32_t workers, struct error *error)
{
	struct narration *narration = calloc(1, sizeof *narration);
	if (narration != NULL) {
		narration->lines = (struct narration_lines){.out = out, .colour = colour};
		narration->began_ns = stream->began_ns;
		narration->log = call_log_new(workers);
		narration->world.workers = calloc(workers, sizeof *narration->world.workers);
		narration->world.count = workers;
	}
	if (narration == NULL || narration->log == NULL || narration->world.workers == NULL) {
		error_set(error, EXIT_OS_ERROR, "out of memory");
		narration_free(narration);
		return NULL;
	}
	for (uint32_t i = 0; i < workers; i++)
		narration->world.workers[i] = (struct narrated_worker){.down = {-1, -1}, .up = {-1, -1}};
	return narration;
}

struct call_log *narration_log(const struct narration *narration)
{
	return narration->log;
}

/* Telling. */

static void tell_left_out(struct narration *narration)
{
	char text[128];
	if (narration->left_first == 0)
		return;
	if (narration->left_first == narration->left_last)
		snprintf(text, sizeof text, "Epoch %" PRIu32 " went the same way", narration->left_first);
	else
		snprintf(text, sizeof text, "Epochs %" PRIu32 " to %" PRIu32 " went the same way",
		        narration->left_first, narration->left_last);
	narration_lines_heading(&narration->lines, text);
	narration_lines_counts(&narration->lines, "the coordinator", narration->left_calls[0]);
	narration_lines_counts(&narration->lines, "the workers", narration->left_calls[1]);
	narration->left_first = 0;
	memset(narration->left_calls, 0, sizeof narration->left_calls);
}

static uint32_t incarnation_of(const struct narration *narration, int32_t actor)
{
	return actor == NARRATED_COORDINATOR ? 0 : narration->world.workers[actor].incarnation;
}

/* What an item says changes the world, whether it is told or not. */
static void take_item(struct narration *narration, struct item *item, bool told)
{
	struct narrated_worker *worker = &narration->world.workers[item->worker];
	struct narrated_words words;
	if (item->kind == ITEM_STARTING || item->kind == ITEM_CHUNK)
		narration_lines_end(&narration->lines); /* under the name that it has had */
	switch (item->kind) {
	case ITEM_STARTING:
		*worker = (struct narrated_worker){.incarnation = item->incarnation, .down = {-1, -1}, .up = {-1, -1}};
		narration->world.starting = item->worker;
		break;
	case ITEM_CHUNK:
		worker->rows = item->rows;
		worker->bytes = item->bytes;
		break;
	case ITEM_CALL:
		narrated_words_find(&narration->world, item->actor, &item->call, &words);
		if (told)
			narration_lines_call(
			        &narration->lines, item->actor, incarnation_of(narration, item->actor), &words);
		else
			narration->left_calls[item->actor != NARRATED_COORDINATOR][item->call.kind]++;
		break;
	case ITEM_HEADING:
		if (told)
			narration_lines_heading(&narration->lines, item->text);
		break;
	case ITEM_REMARK:
		narration_lines_remark(&narration->lines, item->text);
	}
	free(item->text);
}

static int compare_items(const void *a, const void *b)
{
	const struct item *one = a, *other = b;
	if (one->at_ns != other->at_ns)
		return one->at_ns < other->at_ns ? -1 : 1;
	return (one->order > other->order) - (one->order < other->order);
}

/* Tells, or counts, what has happened before a time. */
static void tell_until(struct narration *narration, uint64_t end_ns, bool told)
{
	size_t taken = 0;
	qsort(narration->items, narration->count, sizeof *narration->items, compare_items);
	if (told && narration->count > 0 && narration->items[0].at_ns < end_ns)
		tell_left_out(narration);
	while (taken < narration->count && narration->items[taken].at_ns < end_ns)
		take_item(narration, &narration->items[taken++], told);
	narration->count -= taken;
	memmove(narration->items, narration->items + taken, narration->count * sizeof *narration->items);
	if (told)
		narration_lines_end(&narration->lines);
	fflush(narration->lines.out);
}

/* Noting. */

static struct item *note(struct narration *narration, enum item_kind kind, uint64_t at_ns)
{
	static struct item nowhere;
	if (narration->count == narration->capacity) {
		size_t capacity = narration->capacity == 0 ? 256 : 2 * narration->capacity;
		struct item *items = realloc(narration->items, capacity * sizeof *items);
		if (items == NULL) {
			narration->incomplete = true;
			return &nowhere;
		}
		narration->items = items;
		narration->capacity = capacity;
	}
	struct item *item = &narration->items[narration->count++];
	*item = (struct item){.kind = kind, .at_ns = at_ns, .order = narration->noted++};
	return item;
}

static void note_call(struct narration *narration, int32_t actor, const struct call *call)
{
	/* What waits for another process is told behind it, and everything else before what may come of it. */
	bool waits = call->kind == CALL_READ || call->kind == CALL_POLL || call->kind == CALL_POLL_FOUND ||
	             call->kind == CALL_WAITPID || call->kind == CALL_WAITID;
	struct item *item = note(narration, ITEM_CALL, waits && call->ended_ns != 0 ? call->ended_ns : call->began_ns);
	item->actor = actor;
	item->call = *call;
}

__attribute__((format(printf, 4, 5))) static void note_text(
        struct narration *narration, enum item_kind kind, uint64_t at_ns, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct item *item = note(narration, kind, at_ns);
	item->text = strdup(text);
	narration->incomplete = narration->incomplete || item->text == NULL;
}

/* What a worker has told so far. ended: it will tell nothing more. */
static void take_from_worker(struct narration *narration, uint32_t worker, bool ended)
{
	struct call call;
	while (call_log_take(narration->log, worker, ended, &call))
		note_call(narration, (int32_t)worker, &call);
}

static void take_from_all(struct narration *narration)
{
	for (uint32_t i = 0; i < narration->world.count; i++)
		take_from_worker(narration, i, false);
}

static bool is_told(uint32_t epoch, bool unusual)
{
	return epoch <= EPOCHS_TOLD || unusual;
}

/* A round begins: what belongs to the one before the last is complete. */
static void begin_round(struct narration *narration, const struct event *event, uint64_t at_ns)
{
	take_from_all(narration);
	if (narration->round_began_ns != 0) {
		bool told = is_told(narration->told_epoch, narration->told_unusual);
		tell_until(narration, narration->round_began_ns, told);
		if (!told) {
			if (narration->left_first == 0)
				narration->left_first = narration->told_epoch;
			narration->left_last = narration->told_epoch;
		}
	}
	narration->told_epoch = narration->round_epoch;
	narration->told_unusual = narration->round_unusual;
	narration->round_epoch = event->epoch;
	narration->round_unusual = false;
	narration->round_began_ns = at_ns;
}

static void take_question(struct narration *narration, const struct event *event)
{
	static const char *const purposes[] = {
	        [KERNEL_MEANS] = "the columns' means: each worker sums its rows",
	        [KERNEL_MOMENTS] = "the columns' variances: each worker sums squares",
	        [KERNEL_GRADIENT] = "(w, b) goes to all workers, each sums over its rows, one step follows",
	        [KERNEL_CURVATURE] = "how steep the loss is, for the learning rate",
	        [KERNEL_METRICS] = "how good the result is",
	};
	uint64_t at_ns = event->began_ns + narration->began_ns;
	bool loads = event->type == EVENT_ASSIGN_SENT;
	uint32_t round = loads ? event->assign_sent.round : event->round.round;
	if (loads) {
		struct item *item = note(narration, ITEM_CHUNK, at_ns);
		item->worker = event->worker;
		item->rows = event->assign_sent.rows;
		item->bytes = event->assign_sent.bytes;
	}
	if (round == narration->round)
		return;
	narration->round = round;
	begin_round(narration, event, at_ns);
	if (loads)
		note_text(narration, ITEM_HEADING, at_ns, "Each worker maps its own rows of the file");
	else if (event->round.kernel == KERNEL_GRADIENT)
		note_text(narration, ITEM_HEADING, at_ns, "Epoch %" PRIu32 ": %s", event->epoch,
		        purposes[event->round.kernel]);
	else
		note_text(
		        narration, ITEM_HEADING, at_ns, "Round %" PRIu32 ": %s", round, purposes[event->round.kernel]);
}

static void take_starting(struct narration *narration, const struct event *event)
{
	uint64_t now_ns = event->time_ns + narration->began_ns;
	call_log_clear(narration->log, event->worker);
	if (event->incarnation > 0)
		note_text(narration, ITEM_HEADING, now_ns,
		        "Another process for worker %" PRIu32 ", shown as worker %" PRIu32 "/%" PRIu32, event->worker,
		        event->worker, event->incarnation);
	else
		note_text(
		        narration, ITEM_HEADING, now_ns, "Worker %" PRIu32 ": two pipes and a process", event->worker);
	struct item *item = note(narration, ITEM_STARTING, now_ns);
	item->worker = event->worker;
	item->incarnation = event->incarnation;
}

static void take_end_of_worker(struct narration *narration, const struct event *event)
{
	uint64_t now_ns = event->time_ns + narration->began_ns;
	uint32_t lost = call_log_lost(narration->log, event->worker);
	take_from_worker(narration, event->worker, true);
	if (lost > 0)
		note_text(narration, ITEM_REMARK, now_ns, "(%" PRIu32 " more calls by worker %" PRIu32 " are not told)",
		        lost, event->worker);
	if (event->type != EVENT_WORKER_LOST)
		return;
	narration->round_unusual = true;
	note_text(narration, ITEM_REMARK, now_ns, "So %s", event->worker_lost.text);
}

static void take_remark(struct narration *narration, const struct event *event)
{
	uint64_t now_ns = event->time_ns + narration->began_ns;
	narration->round_unusual = true;
	if (event->type == EVENT_FAULT_FIRED)
		note_text(narration, ITEM_REMARK, now_ns, "(a fault that was asked for: %s at %s)",
		        fault_kind_name(event->fault_fired.fault->kind),
		        fault_site_name(event->fault_fired.fault->site));
	else if (event->type == EVENT_WORKER_REPLACED)
		note_text(narration, ITEM_REMARK, now_ns, "Worker %" PRIu32 " is at work again, %.1f ms after the loss",
		        event->worker, (double)event->worker_replaced.took_ns / 1e6);
	else if (event->type == EVENT_WORKER_LATE)
		note_text(narration, ITEM_REMARK, now_ns,
		        "Worker %" PRIu32 " is slow; worker %" PRIu32 " begins with the same rows", event->worker,
		        event->worker_late.backup);
	else
		note_text(narration, ITEM_REMARK, now_ns, "Worker %" PRIu32 " %s", event->worker,
		        event->type == EVENT_WORKER_STOPPED ? "is stopped by a signal, which no pipe shows"
		                                            : "goes on");
}

static void take_start(struct narration *narration, const struct event *event)
{
	narration->world.coordinator = event->pid;
	fprintf(narration->lines.out,
	        "The coordinator is process %ld. What follows are the calls that have to do with processes, pipes and "
	        "the\n"
	        "dataset's pages; in the order in which they began, or ended where one waits for another process. "
	        "What\n"
	        "strace calls clone, pipe2, openat, close_range, prlimit64, wait4 and exit_group is fork, pipe, open,\n"
	        "closefrom, setrlimit, waitpid and _exit here.\n",
	        (long)event->pid);
}

static void handle(void *context, const struct event *event)
{
	struct narration *narration = context;
	switch (event->type) {
	case EVENT_RUN_STARTED:
		take_start(narration, event);
		break;
	case EVENT_WORKER_STARTING:
		take_starting(narration, event);
		break;
	case EVENT_CALL_MADE:
		note_call(narration, NARRATED_COORDINATOR, event->call_made.call);
		break;
	case EVENT_ASSIGN_SENT:
	case EVENT_PARAMS_SENT:
		take_question(narration, event);
		break;
	case EVENT_WORKER_READY:
	case EVENT_GRADIENT_RECEIVED:
		take_from_worker(narration, event->worker, false);
		break;
	case EVENT_FAULT_FIRED:
	case EVENT_WORKER_REPLACED:
	case EVENT_WORKER_LATE:
	case EVENT_WORKER_STOPPED:
	case EVENT_WORKER_CONTINUED:
		take_remark(narration, event);
		break;
	case EVENT_STOP_SENT:
		if (narration->round != UINT32_MAX)
			note_text(narration, ITEM_HEADING, event->began_ns + narration->began_ns, "Everybody leaves");
		narration->round = UINT32_MAX;
		break;
	case EVENT_WORKER_LOST:
	case EVENT_WORKER_EXITED:
		take_end_of_worker(narration, event);
		break;
	case EVENT_NOTE:
		note_text(narration, ITEM_REMARK, event->time_ns + narration->began_ns, "Note: %s", event->note.text);
		break;
	case EVENT_RUN_ENDED:
		tell_until(narration, UINT64_MAX, true);
		break;
	default:
		break;
	}
}

struct event_sink narration_sink(struct narration *narration)
{
	return (struct event_sink){.handle = handle, .context = narration, .details = true};
}

void narration_free(struct narration *narration)
{
	if (narration == NULL)
		return;
	if (narration->lines.out != NULL && narration->count > 0)
		tell_until(narration, UINT64_MAX, true);
	if (narration->incomplete)
		fputs("(memory ran short: calls are missing here)\n", narration->lines.out);
	call_log_free(narration->log);
	free(narration->world.workers);
	free(narration->items);
	free(narration);
}
