#include "coordinator/gather_parts.h"

#include "common/clock.h"
#include "coordinator/loss.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void gather_close_share(struct gatherer *gatherer, struct share *share, struct slot *answer)
{
	gatherer->open_shares -= !share->done;
	share->done = true;
	share->answer = answer;
}

/* A replacement is at work again: says how long that took. */
static void note_replaced(const struct gatherer *gatherer, struct slot *slot)
{
	if (slot->lost_ns == 0)
		return;
	struct event event = gather_slot_event(gatherer, slot, EVENT_WORKER_REPLACED);
	event.worker_replaced.took_ns = clock_now_ns() - slot->lost_ns;
	events_emit(gatherer->events, event);
	slot->lost_ns = 0;
}

static uint64_t between(uint64_t lowest, uint64_t value, uint64_t highest)
{
	return value < lowest ? lowest : value > highest ? highest : value;
}

/* What the worker says of its times, as far as it can be true: between question and answer. Since the stream began. */
static struct worker_times likely_times(
        const struct event_stream *events, const struct slot *slot, const struct worker_times *told, uint64_t now_ns)
{
	uint64_t received_ns = between(slot->asked_ns, told->received_ns, now_ns);
	uint64_t finished_ns = between(received_ns, told->finished_ns, now_ns);
	return (struct worker_times){
	        .waiting_ns = events_time(events, between(0, told->waiting_ns, received_ns)),
	        .received_ns = events_time(events, received_ns),
	        .finished_ns = events_time(events, finished_ns),
	};
}

/* Lets go whoever else works on the slot's share: a backup, or the worker that was slower than its backup. */
static bool let_others_go(struct gatherer *gatherer, const struct slot *slot, struct error *error)
{
	for (uint32_t i = 0; i < gatherer->pool.count; i++) {
		struct slot *other = &gatherer->pool.slots[i];
		struct loss loss = {.worker = i, .cause = LOSS_NOT_NEEDED};
		if (other == slot || other->state == SLOT_EMPTY || other->share != slot->share)
			continue;
		if (!gather_lose(gatherer, other, &loss, error))
			return false;
	}
	return true;
}

/* The slot's share is answered by it. */
static bool accept(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	struct share *share = &gatherer->shares[slot->share];
	if (!share->done && gather_may_back_up(gatherer))
		gatherer->reply_ns[gatherer->replies++] = clock_now_ns() - slot->asked_ns;
	gather_close_share(gatherer, share, slot);
	share->deaths = 0;
	return !gather_may_back_up(gatherer) || let_others_go(gatherer, slot, error);
}

static bool same_sums(const struct slot *a, const struct slot *b)
{
	const struct gradient *one = &a->gradient, *other = &b->gradient;
	return one->node_count == other->node_count &&
	       memcmp(one->nodes, other->nodes, one->node_count * sizeof *one->nodes) == 0 &&
	       memcmp(one->vectors, other->vectors, (size_t)one->node_count * one->width * sizeof(double)) == 0;
}

static bool same_answer(const struct gatherer *gatherer, const struct slot *a, const struct slot *b)
{
	if (gatherer->question == QUESTION_SUMS)
		return same_sums(a, b);
	return a->ready.rows == b->ready.rows && a->ready.skipped == b->ready.skipped;
}

static bool report_disagreement(const struct gatherer *gatherer, const struct share *share, const struct slot *one,
        const struct slot *other, struct error *error)
{
	char rows[96];
	loss_describe_share(share->bytes, gather_share_rows(gatherer, share), rows, sizeof rows);
	return error_set(error, EXIT_WORKERS_LOST,
	        "workers %" PRIu32 " (pid %ld) and %" PRIu32 " (pid %ld) disagree about %s in epoch %" PRIu32
	        ": one of them lies, and only a third replica could tell which",
	        one->index, (long)one->process.pid, other->index, (long)other->process.pid, rows, gatherer->pool.epoch);
}

/* The workers on a share, at least one. 0: one of them has not answered yet. */
static uint32_t find_replicas(struct gatherer *gatherer, const struct share *share, struct slot *replicas[3])
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < gatherer->pool.count; i++) {
		struct slot *slot = &gatherer->pool.slots[i];
		if (slot->state == SLOT_EMPTY || &gatherer->shares[slot->share] != share)
			continue;
		if (!slot->answered)
			return 0;
		replicas[count++] = slot;
	}
	return count;
}

/*
 * Two that agree outvote a third; without a majority there is no telling who lies. One alone, where the policy does not
 * replace the others, is believed.
 */
bool gather_compare_replicas(struct gatherer *gatherer, struct share *share, struct error *error)
{
	struct slot *replicas[3];
	uint32_t count = find_replicas(gatherer, share, replicas);
	if (count == 0)
		return true;
	for (uint32_t i = 0; i < count; i++) {
		struct slot *one = replicas[i], *other = replicas[(i + 1) % count];
		if (!same_answer(gatherer, one, other))
			continue;
		if (!accept(gatherer, one, error))
			return false;
		struct slot *third = replicas[(i + 2) % count]; /* of two, it is `one` again */
		if (same_answer(gatherer, one, third))
			return true;
		struct loss loss = {.worker = third->index, .cause = LOSS_LIE};
		snprintf(loss.detail, sizeof loss.detail, "workers %" PRIu32 " and %" PRIu32, one->index, other->index);
		return gather_lose(gatherer, third, &loss, error);
	}
	return report_disagreement(gatherer, share, replicas[0], replicas[1], error);
}

static void note_sums(const struct gatherer *gatherer, const struct slot *slot)
{
	struct event event = gather_slot_event(gatherer, slot, EVENT_GRADIENT_RECEIVED);
	uint64_t now_ns = clock_now_ns();
	event.round.kernel = slot->gradient.kernel;
	event.round.round = slot->round;
	event.round.times = likely_times(gatherer->events, slot, &slot->gradient.times, now_ns);
	event.round.round_trip_ns = now_ns - slot->asked_ns;
	events_emit(gatherer->events, event);
}

bool gather_believe_sums(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	slot->answered = true;
	note_replaced(gatherer, slot);
	if (gatherer->config->recovery.replicas > 1)
		return gather_compare_replicas(gatherer, &gatherer->shares[slot->share], error);
	return accept(gatherer, slot, error);
}

bool gather_take_sums(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	if (gatherer->events->count > 0)
		note_sums(gatherer, slot);
	return gather_judge_sums(gatherer, slot, error);
}

bool gather_take_predictions(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	slot->answered = true;
	note_replaced(gatherer, slot);
	return accept(gatherer, slot, error);
}

/* A replacement must find the rows that its predecessor found, or the file is not what it was. */
static bool rows_are_the_same(const struct share *share, const struct slot *slot)
{
	return !share->loaded || share->ready.starts_doubted ||
	       (share->ready.rows == slot->ready.rows && share->ready.skipped == slot->ready.skipped);
}

bool gather_take_ready(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	struct share *share = &gatherer->shares[slot->share];
	struct event event = gather_slot_event(gatherer, slot, EVENT_WORKER_READY);
	event.worker_ready.rows = slot->ready.rows;
	event.worker_ready.skipped = slot->ready.skipped;
	event.worker_ready.leaves = slot->leaves;
	uint64_t now_ns = clock_now_ns();
	event.worker_ready.round = slot->round;
	event.worker_ready.times = likely_times(gatherer->events, slot, &slot->ready.times, now_ns);
	event.worker_ready.round_trip_ns = now_ns - slot->asked_ns;
	events_emit(gatherer->events, event);
	if (!rows_are_the_same(share, slot))
		return error_set(
		        error, EXIT_BAD_DATASET, "%s: the file was changed during the run", gatherer->loader->name);
	share->loaded = true;
	share->ready = slot->ready;
	if (share->done) {
		note_replaced(gatherer, slot); /* lost after it had answered: it is ready for the next question */
		return true;
	}
	if (gatherer->question != QUESTION_LOAD)
		return gather_ask(gatherer, slot, error);
	slot->answered = true;
	note_replaced(gatherer, slot);
	if (gatherer->config->recovery.replicas > 1)
		return gather_compare_replicas(gatherer, share, error);
	return accept(gatherer, slot, error);
}

/* Bad data in one share is told when all have answered, so that it is the first bad place of the file. */
bool gather_take_bad_data(struct gatherer *gatherer, struct slot *slot, struct loss *loss)
{
	struct share *share = &gatherer->shares[slot->share];
	if (loss->cause != LOSS_GAVE_UP || loss->error.stage != STAGE_DATASET || loss->error.offset < 0)
		return false;
	char text[GATHER_LOSS_TEXT];
	gather_bury(gatherer, slot, loss, text);
	gather_close_share(gatherer, share, NULL);
	if (gatherer->bad_data.offset < 0 || loss->error.offset < gatherer->bad_data.offset)
		gatherer->bad_data = loss->error;
	return true;
}
