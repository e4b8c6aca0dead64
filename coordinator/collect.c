#include "coordinator/collect.h"

#include "common/calls.h"
#include "common/clock.h"
#include "coordinator/loss.h"
#include "coordinator/signals.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* The answers that are legal in each state of a slot. Everything else is a protocol fault of that worker. */
static const bool legal[SLOT_STATE_COUNT][FRAME_TYPE_END] = {
        [SLOT_EMPTY] = {false},
        [SLOT_LOADING] = {[FRAME_READY] = true, [FRAME_ERROR] = true},
        [SLOT_IDLE] = {[FRAME_ERROR] = true},
        [SLOT_COMPUTING] = {[FRAME_GRADIENT] = true, [FRAME_ERROR] = true},
        [SLOT_PREDICTING] = {[FRAME_PREDICTIONS] = true, [FRAME_ERROR] = true},
};

/* When poll() comes back so much later than it was told to, this process did not run in the meantime. */
#define AWAY_NS UINT64_C(500000000)

bool collector_init(struct collector *collector, struct pool *pool, struct error *error)
{
	size_t count = 2 * (size_t)pool->count + 1;
	*collector = (struct collector){.pool = pool, .stale = true, .deadline_ns = UINT64_MAX, .wake_ns = UINT64_MAX};
	collector->entries = calloc(count, sizeof *collector->entries);
	if (collector->entries == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory for %u workers", pool->count);
	return true;
}

void collector_release(struct collector *collector)
{
	free(collector->entries);
	collector->entries = NULL;
}

/* Builds what poll() is asked; dead slots get a descriptor of -1. */
static void refresh(struct collector *collector)
{
	uint32_t slots = collector->pool->count;
	struct pollfd *up = collector->entries, *down = up + slots + 1;
	bool writing = false;
	collector->deadline_ns = UINT64_MAX;
	for (uint32_t i = 0; i < slots; i++) {
		const struct slot *slot = &collector->pool->slots[i];
		bool running = slot->state != SLOT_EMPTY;
		bool writes = running && !frame_writer_is_idle(&slot->writer);
		up[i] = (struct pollfd){.fd = running ? slot->process.up : -1, .events = POLLIN};
		down[i] = (struct pollfd){.fd = writes ? slot->process.down : -1, .events = POLLOUT};
		writing = writing || writes;
		if (pool_awaits(slot) && slot->deadline_ns < collector->deadline_ns)
			collector->deadline_ns = slot->deadline_ns;
	}
	up[slots] = (struct pollfd){.fd = signals_descriptor(), .events = POLLIN};
	collector->polled = (size_t)slots + 1 + (writing ? slots : 0);
	collector->changes = collector->pool->changes;
	collector->stale = false;
}

/* Returns the time that poll() may wait, in milliseconds. */
static int prepare_poll(struct collector *collector)
{
	if (collector->stale || collector->changes != collector->pool->changes)
		refresh(collector);
	uint64_t deadline = collector->wake_ns < collector->deadline_ns ? collector->wake_ns : collector->deadline_ns;
	uint64_t tick_ns = collector->pool->events->tick_ns, now = collector->polled_ns = clock_now_ns();
	if (tick_ns > 0 && deadline > now + tick_ns)
		deadline = now + tick_ns;
	if (deadline == UINT64_MAX)
		return -1;
	uint64_t wait_ms = deadline > now ? (deadline - now + 999999) / 1000000 : 0;
	return wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
}

static void set_loss(struct happening *happening, struct slot *slot, enum loss_cause cause, const char *detail)
{
	happening->type = HAPPENING_LOST;
	happening->slot = slot;
	happening->loss = (struct loss){.worker = slot->index, .cause = cause};
	snprintf(happening->loss.detail, sizeof happening->loss.detail, "%s", detail);
}

/*
 * A terminal stops the coordinator together with its workers, and lets them go on together. Since when is not known, so
 * none of the time since the last poll() counts against the workers.
 */
static void forgive_absence(const struct collector *collector, int wait_ms)
{
	uint64_t back_ns = collector->polled_ns + (uint64_t)wait_ms * 1000000, now = collector->news_ns;
	if (wait_ms < 0 || now < back_ns + AWAY_NS)
		return;
	for (uint32_t i = 0; i < collector->pool->count; i++) {
		struct slot *slot = &collector->pool->slots[i];
		if (pool_awaits(slot))
			slot->deadline_ns += now - collector->polled_ns;
	}
}

/*
 * A deadline is missed if it had passed before the last poll(), which then found nothing of an answer: after a pause
 * of the coordinator itself answers may be waiting, and take more than one read(2).
 */
static bool find_missed_deadline(struct collector *collector, struct happening *happening)
{
	uint64_t now = collector->polled_ns;
	if (now < collector->deadline_ns)
		return false;
	collector->stale = true; /* the deadline that has passed may be one of a question that is answered */
	for (uint32_t i = 0; i < collector->pool->count; i++) {
		struct slot *slot = &collector->pool->slots[i];
		if (!pool_awaits(slot) || now < slot->deadline_ns || slot->heard_ns == now)
			continue;
		char detail[64];
		snprintf(detail, sizeof detail, "%.3f s", (double)(now - slot->asked_ns) * 1e-9);
		set_loss(happening, slot, LOSS_DEADLINE, detail);
		return true;
	}
	return false;
}

/* Is the frame one that this worker may send now? If not, `fault` says what is wrong. */
static bool frame_is_legal(const struct slot *slot, const struct frame_header *header, char *fault, size_t capacity)
{
	if (header->worker != slot->index)
		snprintf(fault, capacity, "a frame of worker %u", header->worker);
	else if (header->incarnation != slot->incarnation)
		snprintf(fault, capacity, "a frame of incarnation %u, not %u", header->incarnation, slot->incarnation);
	else if (!legal[slot->state][header->type])
		snprintf(fault, capacity, "a frame of type %s out of phase", frame_type_name(header->type));
	else if (header->round != slot->round && header->type != FRAME_ERROR)
		snprintf(fault, capacity, "a frame of round %u, not %u", header->round, slot->round);
	else
		return true;
	return false;
}

/* Room for a GRADIENT's vectors, which cannot be longer than its payload. */
static bool reserve_vectors(struct slot *slot, size_t payload_length)
{
	size_t needed = payload_length / sizeof(double) + 1;
	if (needed <= slot->vectors_capacity)
		return true;
	double *vectors = realloc(slot->vectors, needed * sizeof *vectors);
	if (vectors == NULL)
		return false;
	slot->vectors = vectors;
	slot->vectors_capacity = needed;
	return true;
}

/*
 * Does the answer fit the question: the kernel, the vectors' width, nodes inside the worker's run of leaves? The tree
 * would silently take them from anywhere.
 */
static bool answer_fits(const struct slot *slot, uint32_t features)
{
	if (slot->gradient.kernel != slot->kernel || slot->gradient.width != sums_width(slot->kernel, features))
		return false;
	for (uint32_t i = 0; i < slot->gradient.node_count; i++) {
		struct range leaves = tree_node_leaves(slot->gradient.nodes[i]);
		if (leaves.begin < slot->leaves.begin || leaves.end > slot->leaves.end)
			return false;
	}
	return true;
}

static bool predictions_fit(const struct slot *slot)
{
	return slot->predictions.first == slot->predict.first && slot->predictions.rows == slot->predict.rows;
}

/* An ERROR frame is a worker's own wish to give up, or its last words before a signal ends it. */
static enum wire_status decode_error(
        struct slot *slot, const struct frame_header *header, const unsigned char *payload, struct happening *happening)
{
	struct worker_error error;
	char detail[sizeof happening->loss.detail];
	enum wire_status status = wire_decode_error(payload, header->payload_length, &error);
	if (status != WIRE_OK)
		return status;
	if (error.stage == STAGE_SIGNAL) {
		loss_describe_signal(&error, detail, sizeof detail);
		set_loss(happening, slot, LOSS_DEATH, detail);
	} else {
		set_loss(happening, slot, LOSS_GAVE_UP, "");
		happening->loss.error = error;
	}
	return WIRE_OK;
}

static enum wire_status decode(const struct collector *collector, struct slot *slot, const struct frame_header *header,
        const unsigned char *payload, struct happening *happening)
{
	uint32_t values = collector->pool->features + 1;
	enum wire_status status;
	happening->slot = slot;
	switch (header->type) {
	case FRAME_READY:
		happening->type = HAPPENING_READY;
		return wire_decode_ready(payload, header->payload_length, values, slot->first_row, &slot->ready);
	case FRAME_GRADIENT:
		happening->type = HAPPENING_GRADIENT;
		status = wire_decode_gradient(payload, header->payload_length,
		        sums_max_width(collector->pool->features), slot->nodes, slot->vectors, &slot->gradient);
		return status == WIRE_OK && !answer_fits(slot, collector->pool->features) ? WIRE_BAD_PAYLOAD : status;
	case FRAME_PREDICTIONS:
		happening->type = HAPPENING_PREDICTIONS;
		status = wire_decode_predictions(
		        payload, header->payload_length, slot->vectors_capacity, slot->vectors, &slot->predictions);
		return status == WIRE_OK && !predictions_fit(slot) ? WIRE_BAD_PAYLOAD : status;
	default:
		return decode_error(slot, header, payload, happening);
	}
}

/* Takes one frame out of the slot's reader, if a whole one is there. */
static bool take_frame(struct collector *collector, struct slot *slot, struct happening *happening)
{
	struct frame_header header;
	const unsigned char *payload;
	char fault[sizeof happening->loss.detail];
	enum wire_status status = frame_reader_next(&slot->reader, &header, &payload);
	if (status == WIRE_SHORT)
		return false;
	if (status == WIRE_OK && !frame_is_legal(slot, &header, fault, sizeof fault)) {
		set_loss(happening, slot, LOSS_PROTOCOL, fault);
		return true;
	}
	if (status == WIRE_OK && !reserve_vectors(slot, header.payload_length)) {
		set_loss(happening, slot, LOSS_PROTOCOL, "no memory for its answer");
		return true;
	}
	if (status == WIRE_OK)
		status = decode(collector, slot, &header, payload, happening);
	if (status != WIRE_OK) {
		set_loss(happening, slot, LOSS_PROTOCOL, wire_status_text(status));
	} else {
		busy_wait_learn(&collector->answers, collector->news_ns - slot->asked_ns);
		pool_set_idle(collector->pool, slot);
	}
	return true;
}

/*
 * Takes the next frame that the worker wrote, after one read(2) if poll() found something. Death is declared only at
 * end of file, when all that was written before has been taken: POLLHUP may come with an answer still in the pipe.
 */
static bool read_from(struct collector *collector, struct slot *slot, struct pollfd *entry, struct happening *happening)
{
	if (take_frame(collector, slot, happening))
		return true;
	if (entry->revents == 0)
		return false;
	entry->revents = 0;
	switch (frame_reader_fill(&slot->reader, slot->process.up)) {
	case IO_DONE:
		slot->heard_ns = collector->polled_ns;
		return take_frame(collector, slot, happening);
	case IO_BLOCKED:
		return false;
	case IO_CLOSED:
		set_loss(happening, slot, LOSS_DEATH,
		        frame_reader_is_mid_frame(&slot->reader) ? "in the middle of a frame" : "");
		return true;
	case IO_FAILED:
		break;
	}
	set_loss(happening, slot, LOSS_PROTOCOL, strerror(errno));
	return true;
}

/* Writes on. A reader that is gone is no news here: its end of file on the other pipe is, after its last words. */
static void write_to(struct collector *collector, struct slot *slot)
{
	enum io_status status = frame_writer_flush(&slot->writer, slot->process.down);
	if (status == IO_CLOSED || status == IO_FAILED)
		frame_writer_release(&slot->writer);
	if (status != IO_BLOCKED)
		collector->stale = true;
}

static bool take_signals(const struct collector *collector, struct happening *happening)
{
	struct signals_seen seen = signals_take();
	if (seen.child)
		pool_tell_stops(collector->pool);
	*happening = (struct happening){.type = HAPPENING_INTERRUPT, .interrupts = seen.interrupts};
	return seen.interrupts > 0;
}

/* Deals with what the last poll() found, up to the first happening. */
static bool take_happening(struct collector *collector, struct happening *happening)
{
	size_t slots = collector->pool->count;
	for (; collector->next < collector->polled; collector->next++, collector->more = false) {
		size_t at = collector->next;
		struct pollfd *entry = &collector->entries[at];
		if (entry->revents == 0 && !collector->more)
			continue;
		if (at == slots) {
			entry->revents = 0;
			if (take_signals(collector, happening))
				return true;
			continue;
		}
		struct slot *slot = &collector->pool->slots[at < slots ? at : at - slots - 1];
		if (slot->state == SLOT_EMPTY)
			continue; /* buried since */
		if (at > slots) {
			write_to(collector, slot);
		} else if (read_from(collector, slot, entry, happening)) {
			collector->more = true; /* look here again: a second frame may stand behind this one */
			return true;
		}
	}
	return false;
}

/* For who watches: each entry that poll() has found something about. */
static void tell_found(const struct collector *collector)
{
	for (size_t i = 0; i < collector->polled; i++) {
		const struct pollfd *entry = &collector->entries[i];
		if (entry->fd < 0 || entry->revents == 0)
			continue;
		calls_begin(CALL_POLL_FOUND, entry->fd, entry->revents);
		calls_end(0);
	}
}

/* Who is watched shows each call, and is slow. */
static bool waits_awake(const struct collector *collector)
{
	return collector->pool->waits_awake && call_recorder == NULL && busy_wait_pays(&collector->answers);
}

static int poll_awake(const struct collector *collector)
{
	const uint64_t end_ns = collector->polled_ns + BUSY_WAIT_NS;
	int found;
	while ((found = poll(collector->entries, (nfds_t)collector->polled, 0)) == 0 && clock_now_ns() < end_ns)
		sched_yield();
	return found;
}

static int poll_entries(const struct collector *collector, int wait_ms)
{
	if (waits_awake(collector)) {
		int found = poll_awake(collector);
		if (found != 0)
			return found;
	}
	calls_begin(CALL_POLL, (int64_t)collector->polled, wait_ms);
	int found = poll(collector->entries, (nfds_t)collector->polled, wait_ms);
	int reason = errno;
	calls_end(found);
	if (call_recorder != NULL && found > 0)
		tell_found(collector);
	errno = reason;
	return found;
}

/*
 * When the kernel is short of memory, poll() fails. Nobody can be heard then, so that nobody's deadline ends: the
 * collector asks again, less and less often, for as long as a worker may be silent. False: *error says why.
 */
static bool wait_for_news(struct collector *collector, int wait_ms, struct error *error)
{
	uint64_t began_ns = collector->polled_ns;
	long pause_ns = 1000000;
	const long longest_pause_ns = 100000000;
	int found;
	while ((found = poll_entries(collector, wait_ms)) < 0) {
		if (errno == EINTR)
			return true;
		error_set_errno(error, EXIT_OS_ERROR, "poll failed");
		if (clock_now_ns() - began_ns + (uint64_t)pause_ns > collector->pool->timeout_ns)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = pause_ns}, NULL);
		pause_ns = pause_ns * 2 < longest_pause_ns ? pause_ns * 2 : longest_pause_ns;
	}
	if (found == 0 && collector->pool->events->tick_ns > 0)
		events_emit(
		        collector->pool->events, (struct event){.type = EVENT_TICK, .epoch = collector->pool->epoch});
	collector->next = 0;
	return true;
}

bool collector_next(struct collector *collector, struct happening *happening, struct error *error)
{
	for (;;) {
		if (take_happening(collector, happening))
			return true;
		if (find_missed_deadline(collector, happening))
			return true;
		if (collector->polled_ns >= collector->wake_ns) {
			*happening = (struct happening){.type = HAPPENING_TIME};
			return true;
		}
		int wait_ms = prepare_poll(collector);
		if (!wait_for_news(collector, wait_ms, error))
			return false;
		collector->news_ns = clock_now_ns();
		forgive_absence(collector, wait_ms);
	}
}
