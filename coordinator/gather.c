#include "coordinator/gather.h"

#include "common/clock.h"
#include "coordinator/bad_data.h"
#include "coordinator/gather_lost.h"
#include "coordinator/machine.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How long a round may go on after an interrupt: a user who asks to stop does not wait much longer. */
#define INTERRUPT_GRACE_NS UINT64_C(5000000000)

/* Slower than this, all workers together, is a fault; so a dataset's size adds to an answer's deadline. */
#define SLOWEST_BYTES_PER_SECOND 64e6

/* Of the memory that is free, so much may hold parsed numbers; the rest is for the page cache and everybody else. */
static const double cache_share = 0.7;

/* Below this, a slow answer is a matter of scheduling, and a backup would only come later. */
#define SHORTEST_BACKUP_NS UINT64_C(2000000)

static bool allocate(struct gatherer *gatherer, uint32_t workers)
{
	size_t columns = (size_t)gatherer->loader->dataset.features + 1;
	gatherer->shares = calloc(workers, sizeof *gatherer->shares);
	gatherer->reply_ns = calloc(workers, sizeof *gatherer->reply_ns);
	gatherer->first_row = calloc(columns, sizeof *gatherer->first_row);
	gatherer->assignment.centre = calloc(columns, sizeof(double));
	return gatherer->shares != NULL && gatherer->reply_ns != NULL && gatherer->first_row != NULL &&
	       gatherer->assignment.centre != NULL &&
	       aggregator_init(&gatherer->aggregator, sums_max_width(gatherer->loader->dataset.features)) &&
	       recovery_init(&gatherer->recovery, gatherer->config->recovery.policy,
	               gatherer->config->recovery.max_restarts, gatherer->config->recovery.restart_window_s);
}

bool gatherer_init(struct gatherer *gatherer, const struct config *config, struct loader *loader, uint32_t workers,
        struct event_stream *events, struct injection *injection, struct error *error)
{
	/* Every share may have a backup at the same time. */
	uint32_t per_share = config->recovery.replicas + (config->recovery.backup_after > 0 ? 1 : 0);
	*gatherer = (struct gatherer){
	        .config = config,
	        .loader = loader,
	        .events = events,
	        .share_count = workers,
	        .assignment =
	                {
	                        .dataset = loader->dataset,
	                        .leaf_count = loader->leaf_count,
	                        .quotes = workers == 1, /* with one chunk, its ends are the file's */
	                },
	};
	if (loader->dataset.format == DATASET_CSV)
		gatherer->assignment.cache_bytes = (uint64_t)((double)machine_available_memory() * cache_share) /
		                                   (workers * config->recovery.replicas);
	if (!pool_init(&gatherer->pool, workers * per_share, loader->dataset.features,
	            config->recovery.worker_timeout_s, events, error))
		return false;
	gatherer->pool.injection = injection;
	gatherer->pool.pass_ns =
	        (uint64_t)llround((double)loader->dataset.identity.bytes / SLOWEST_BYTES_PER_SECOND * 1e9);
	bool ready = allocate(gatherer, workers);
	if (!ready)
		error_set(error, EXIT_OS_ERROR, "out of memory");
	if (ready && collector_init(&gatherer->collector, &gatherer->pool, error))
		return true;
	gatherer_release(gatherer, false);
	return false;
}

void gatherer_release(struct gatherer *gatherer, bool orderly)
{
	pool_stop(&gatherer->pool, !orderly);
	injection_report(gatherer->pool.injection, true);
	collector_release(&gatherer->collector);
	aggregator_release(&gatherer->aggregator);
	recovery_release(&gatherer->recovery);
	free(gatherer->shares);
	free(gatherer->reply_ns);
	free(gatherer->first_row);
	free(gatherer->assignment.centre);
	pool_release(&gatherer->pool);
}

struct event gather_slot_event(const struct gatherer *gatherer, const struct slot *slot, enum event_type type)
{
	return (struct event){
	        .type = type,
	        .epoch = gatherer->pool.epoch,
	        .has_worker = true,
	        .worker = slot->index,
	        .pid = slot->process.pid,
	        .incarnation = slot->incarnation,
	};
}

struct range gather_share_rows(const struct gatherer *gatherer, const struct share *share)
{
	const struct dataset *dataset = &gatherer->loader->dataset;
	uint32_t leaf_count = gatherer->loader->leaf_count;
	struct range rows = {0, 0};
	if (share->leaves.begin == share->leaves.end)
		return rows;
	if (dataset->format == DATASET_NPY) {
		rows.begin = leaves_units(dataset->rows, leaf_count, (uint32_t)share->leaves.begin).begin;
		rows.end = leaves_units(dataset->rows, leaf_count, (uint32_t)share->leaves.end - 1).end;
		return rows;
	}
	/* A CSV's rows are counted by those who load them. */
	for (const struct share *before = gatherer->shares; before <= share; before++) {
		if (!before->loaded)
			return (struct range){0, 0};
		rows.begin = rows.end;
		rows.end += before->ready.rows;
	}
	return rows;
}

/* Questions. */

bool gather_assign(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	const struct share *share = &gatherer->shares[slot->share];
	struct assignment assignment = gatherer->assignment;
	assignment.leaves = slot->leaves = share->leaves;
	assignment.bytes = share->bytes;
	return pool_ask_to_load(&gatherer->pool, slot, &assignment, error);
}

bool gather_ask(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	if (gatherer->asks_for_sums)
		return pool_ask_for_sums(&gatherer->pool, slot, &gatherer->params, error);
	return gather_assign(gatherer, slot, error);
}

bool gather_start(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	return pool_start(&gatherer->pool, slot, error) && gather_assign(gatherer, slot, error);
}

/* Answers. */

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
	share->done = true;
	share->answer = slot;
	share->deaths = 0;
	gatherer->reply_ns[gatherer->replies++] = clock_now_ns() - slot->asked_ns;
	note_replaced(gatherer, slot);
	return gatherer->config->recovery.replicas > 1 || let_others_go(gatherer, slot, error);
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
	if (gatherer->asks_for_sums)
		return same_sums(a, b);
	return a->ready.rows == b->ready.rows && a->ready.skipped == b->ready.skipped;
}

static bool report_disagreement(const struct gatherer *gatherer, const struct share *share, const struct slot *one,
        const struct slot *other, struct error *error)
{
	struct range rows = gather_share_rows(gatherer, share);
	return error_set(error, EXIT_WORKERS_LOST,
	        "workers %" PRIu32 " (pid %ld) and %" PRIu32 " (pid %ld) disagree about rows %" PRIu64 " to %" PRIu64
	        " in epoch %" PRIu32 ": one of them lies, and only a third replica could tell which",
	        one->index, (long)one->process.pid, other->index, (long)other->process.pid, rows.begin, rows.end - 1,
	        gatherer->pool.epoch);
}

/* The workers on a share that have answered. */
static uint32_t find_replicas(struct gatherer *gatherer, const struct share *share, struct slot *replicas[3])
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < gatherer->pool.count; i++) {
		struct slot *slot = &gatherer->pool.slots[i];
		if (slot->state != SLOT_EMPTY && slot->answered && &gatherer->shares[slot->share] == share)
			replicas[count++] = slot;
	}
	return count;
}

/*
 * Compares the answers of a share's replicas, once all are in. Two that agree outvote a third; without a majority
 * there is no telling who lies.
 */
static bool compare_replicas(struct gatherer *gatherer, struct share *share, struct error *error)
{
	struct slot *replicas[3];
	uint32_t count = find_replicas(gatherer, share, replicas);
	if (count < gatherer->config->recovery.replicas)
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

/* Under a policy that ends the run with its first lost worker: that worker was lost. */
static bool report_refuted(const struct gatherer *gatherer, const struct share *share, struct error *error)
{
	struct range rows = gather_share_rows(gatherer, share);
	return error_set(error, EXIT_WORKERS_LOST,
	        "a worker answered with sums that are not numbers for rows %" PRIu64 " to %" PRIu64 " in epoch %" PRIu32
	        ", and another did not",
	        rows.begin, rows.end - 1, gatherer->pool.epoch);
}

static bool take_sums(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	struct share *share = &gatherer->shares[slot->share];
	struct event event = gather_slot_event(gatherer, slot, EVENT_GRADIENT_RECEIVED);
	event.round.kernel = slot->gradient.kernel;
	event.round.round = slot->round;
	event.round.busy_ns = slot->gradient.busy_ns;
	event.round.round_trip_ns = clock_now_ns() - slot->asked_ns;
	events_emit(gatherer->events, event);
	enum doubt_outcome doubt = doubt_take(
	        &share->doubt, slot->gradient.vectors, (size_t)slot->gradient.node_count * slot->gradient.width);
	if (doubt == DOUBT_REFUTED && gatherer->config->recovery.policy == RECOVERY_ABORT)
		return report_refuted(gatherer, share, error);
	if (doubt == DOUBT_RAISED) {
		struct loss loss = {.worker = slot->index, .cause = LOSS_NOT_FINITE};
		return gather_lose(gatherer, slot, &loss, error);
	}
	slot->answered = true;
	if (gatherer->config->recovery.replicas > 1)
		return compare_replicas(gatherer, share, error);
	return accept(gatherer, slot, error);
}

/* A replacement must find the rows that its predecessor found, or the file is not what it was. */
static bool rows_are_the_same(const struct share *share, const struct slot *slot)
{
	return !share->loaded || share->ready.starts_doubted ||
	       (share->ready.rows == slot->ready.rows && share->ready.skipped == slot->ready.skipped);
}

static bool take_ready(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	struct share *share = &gatherer->shares[slot->share];
	struct event event = gather_slot_event(gatherer, slot, EVENT_WORKER_READY);
	event.worker_ready.rows = slot->ready.rows;
	event.worker_ready.skipped = slot->ready.skipped;
	event.worker_ready.leaves = slot->leaves;
	event.worker_ready.busy_ns = slot->ready.busy_ns;
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
	if (gatherer->asks_for_sums)
		return gather_ask(gatherer, slot, error);
	slot->answered = true;
	if (gatherer->config->recovery.replicas > 1)
		return compare_replicas(gatherer, share, error);
	return accept(gatherer, slot, error);
}

/* Bad data in one share is told when all have answered, so that it is the first bad place of the file. */
static bool take_bad_data(struct gatherer *gatherer, struct slot *slot, struct loss *loss)
{
	struct share *share = &gatherer->shares[slot->share];
	if (loss->cause != LOSS_GAVE_UP || loss->error.stage != STAGE_DATASET || loss->error.offset < 0)
		return false;
	char text[GATHER_LOSS_TEXT];
	gather_bury(gatherer, slot, loss, text);
	share->done = true;
	if (gatherer->bad_data.offset < 0 || loss->error.offset < gatherer->bad_data.offset)
		gatherer->bad_data = loss->error;
	return true;
}

/* After an interrupt: may the round go on? Then only for a while. */
static bool take_interrupt(struct gatherer *gatherer, struct error *error)
{
	gatherer->interrupts++;
	if (!gatherer->finish_round || gatherer->interrupts > 1)
		return error_set(error, EXIT_INTERRUPTED, "interrupted");
	uint64_t latest = clock_now_ns() + INTERRUPT_GRACE_NS;
	for (uint32_t i = 0; i < gatherer->pool.count; i++)
		if (gatherer->pool.slots[i].deadline_ns > latest)
			gatherer->pool.slots[i].deadline_ns = latest;
	return true;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
	return (one > other) - (one < other);
}

static uint64_t median_reply_ns(struct gatherer *gatherer)
{
	if (gatherer->replies == 0)
		return 0;
	qsort(gatherer->reply_ns, gatherer->replies, sizeof *gatherer->reply_ns, compare_times);
	return gatherer->reply_ns[gatherer->replies / 2];
}

/* How long an answer may take before a backup is forked; UINT64_MAX: not known yet. */
static uint64_t backup_threshold_ns(struct gatherer *gatherer)
{
	uint64_t median = 0;
	if (gatherer->replies * 2 > gatherer->share_count)
		median = median_reply_ns(gatherer);
	else if (gatherer->asks_for_sums)
		median = gatherer->median_ns[gatherer->params.kernel];
	if (median == 0)
		return UINT64_MAX;
	uint64_t threshold = (uint64_t)((double)median * gatherer->config->recovery.backup_after);
	return threshold > SHORTEST_BACKUP_NS ? threshold : SHORTEST_BACKUP_NS;
}

static struct slot *find_empty_slot(struct gatherer *gatherer)
{
	for (uint32_t i = 0; i < gatherer->pool.count; i++)
		if (gatherer->pool.slots[i].state == SLOT_EMPTY)
			return &gatherer->pool.slots[i];
	return NULL;
}

/* Forks backups for the shares that are late, and says when the next may be. */
static bool start_backups(struct gatherer *gatherer, struct error *error)
{
	gatherer->collector.wake_ns = UINT64_MAX;
	if (gatherer->config->recovery.backup_after <= 0 || gatherer->config->recovery.replicas > 1)
		return true;
	uint64_t threshold = backup_threshold_ns(gatherer), now = clock_now_ns();
	for (uint32_t i = 0; threshold != UINT64_MAX && i < gatherer->pool.count; i++) {
		struct slot *slot = &gatherer->pool.slots[i];
		bool waiting = slot->state == SLOT_COMPUTING || slot->state == SLOT_LOADING;
		if (!waiting || gatherer->shares[slot->share].done || gather_has_other(gatherer, slot))
			continue;
		if (now < slot->asked_ns + threshold) {
			if (slot->asked_ns + threshold < gatherer->collector.wake_ns)
				gatherer->collector.wake_ns = slot->asked_ns + threshold;
			continue;
		}
		struct slot *backup = find_empty_slot(gatherer);
		if (backup == NULL)
			continue;
		backup->share = slot->share;
		backup->incarnation++;
		struct event event = gather_slot_event(gatherer, slot, EVENT_WORKER_LATE);
		event.worker_late.waited_ns = now - slot->asked_ns;
		event.worker_late.backup = backup->index;
		events_emit(gatherer->events, event);
		if (!gather_start(gatherer, backup, error))
			return false;
	}
	return true;
}

static bool take_happening(struct gatherer *gatherer, struct happening *happening, struct error *error)
{
	switch (happening->type) {
	case HAPPENING_READY:
		return take_ready(gatherer, happening->slot, error);
	case HAPPENING_GRADIENT:
		return take_sums(gatherer, happening->slot, error);
	case HAPPENING_LOST:
		return take_bad_data(gatherer, happening->slot, &happening->loss) ||
		       gather_lose(gatherer, happening->slot, &happening->loss, error);
	case HAPPENING_INTERRUPT:
		return take_interrupt(gatherer, error);
	case HAPPENING_TIME:
		break;
	}
	return true;
}

/* Is every share answered, and every worker free for the next question? */
static bool is_answered(const struct gatherer *gatherer)
{
	for (uint32_t i = 0; i < gatherer->share_count; i++)
		if (!gatherer->shares[i].done)
			return false;
	for (uint32_t i = 0; i < gatherer->pool.count; i++)
		if (gatherer->pool.slots[i].state == SLOT_LOADING || gatherer->pool.slots[i].state == SLOT_COMPUTING)
			return false;
	return true;
}

static void open_question(struct gatherer *gatherer)
{
	gatherer->pool.round++;
	gatherer->replies = 0;
	gatherer->bad_data.offset = -1;
	for (uint32_t i = 0; i < gatherer->share_count; i++) {
		gatherer->shares[i].done = gatherer->shares[i].dropped;
		gatherer->shares[i].answer = NULL;
		gatherer->shares[i].doubt = (struct doubt){.raised = false};
	}
	for (uint32_t i = 0; i < gatherer->pool.count; i++)
		gatherer->pool.slots[i].answered = false;
}

static bool await_answers(struct gatherer *gatherer, struct error *error)
{
	while (!is_answered(gatherer)) {
		struct happening happening;
		if (!start_backups(gatherer, error) || !collector_next(&gatherer->collector, &happening, error) ||
		        !take_happening(gatherer, &happening, error))
			return false;
	}
	injection_report(gatherer->pool.injection, false);
	if (gatherer->bad_data.offset >= 0)
		return bad_data_describe(gatherer->loader, &gatherer->bad_data, error);
	if (gatherer->asks_for_sums)
		gatherer->median_ns[gatherer->params.kernel] = median_reply_ns(gatherer);
	return true;
}

/* Cuts the leaves anew among the workers that are left, again where one is lost even then. */
static bool redistribute(struct gatherer *gatherer, struct error *error)
{
	bool asks_for_sums = gatherer->asks_for_sums;
	gatherer->asks_for_sums = false;
	while (gatherer->must_redistribute) {
		open_question(gatherer);
		if (!gather_redistribute(gatherer, error) || !await_answers(gatherer, error))
			return false;
	}
	gatherer->asks_for_sums = asks_for_sums;
	return true;
}

/* Puts the question to all workers and waits; again from the start where the shares were cut anew meanwhile. */
static bool ask_all(struct gatherer *gatherer, struct error *error)
{
	struct pool *pool = &gatherer->pool;
	for (;;) {
		open_question(gatherer);
		for (uint32_t i = 0; i < pool->count; i++)
			if (pool->slots[i].state == SLOT_IDLE && !gather_ask(gatherer, &pool->slots[i], error))
				return false;
		if (!await_answers(gatherer, error))
			return false;
		if (!gatherer->must_redistribute)
			return true;
		if (!redistribute(gatherer, error))
			return false;
		if (!gatherer->asks_for_sums)
			return true; /* to load was the question */
	}
}

/* Gives every share its leaves and lets all workers load. */
static bool load_all(struct gatherer *gatherer, struct error *error)
{
	for (uint32_t i = 0; i < gatherer->share_count; i++) {
		struct share *share = &gatherer->shares[i];
		share->leaves = leaves_chunk(gatherer->loader->leaf_count, gatherer->share_count, i);
		if (!loader_chunk_bytes(gatherer->loader, share->leaves, &share->bytes, error))
			return false;
		share->loaded = false;
	}
	return ask_all(gatherer, error);
}

static bool any_start_doubted(const struct gatherer *gatherer)
{
	for (uint32_t i = 0; i < gatherer->share_count; i++)
		if (gatherer->shares[i].ready.starts_doubted)
			return true;
	return false;
}

static void add_up_rows(struct gatherer *gatherer)
{
	size_t columns = (size_t)gatherer->loader->dataset.features + 1;
	gatherer->rows = gatherer->skipped = 0;
	for (uint32_t i = 0; i < gatherer->share_count; i++) {
		const struct slot *slot = gatherer->shares[i].answer;
		gatherer->rows += gatherer->shares[i].ready.rows;
		gatherer->skipped += gatherer->shares[i].ready.skipped;
		if (slot == NULL || gatherer->has_first_row || slot->ready.first_row_count == 0)
			continue;
		memcpy(gatherer->first_row, slot->first_row, columns * sizeof(double));
		gatherer->has_first_row = true;
	}
}

bool gatherer_load(struct gatherer *gatherer, struct error *error)
{
	struct pool *pool = &gatherer->pool;
	uint32_t workers = gatherer->share_count * gatherer->config->recovery.replicas;
	gatherer->asks_for_sums = false;
	for (uint32_t i = 0; i < workers; i++) {
		pool->slots[i].share = i % gatherer->share_count;
		if (!pool_start(pool, &pool->slots[i], error))
			return false;
	}
	if (!load_all(gatherer, error))
		return false;
	if (any_start_doubted(gatherer)) {
		/* Newlines may lie inside quoted fields, so the chunks' ends were guesses: find the true ones. */
		if (!loader_find_quoted_records(gatherer->loader, error))
			return false;
		gatherer->assignment.quotes = true;
		if (!load_all(gatherer, error))
			return false;
	}
	add_up_rows(gatherer);
	return true;
}

bool gatherer_set_centre(struct gatherer *gatherer, const double *centre, struct error *error)
{
	memcpy(gatherer->assignment.centre, centre, ((size_t)gatherer->loader->dataset.features + 1) * sizeof(double));
	gatherer->asks_for_sums = false;
	return ask_all(gatherer, error);
}

bool gatherer_sums(struct gatherer *gatherer, uint32_t epoch, enum kernel kernel, enum aggregation how,
        const double *parameters, double *result, struct error *error)
{
	uint32_t features = gatherer->loader->dataset.features;
	gatherer->pool.epoch = epoch;
	gatherer->asks_for_sums = true;
	gatherer->params = (struct params){kernel, features + 1, parameters};
	if (!ask_all(gatherer, error))
		return false;
	aggregator_begin(&gatherer->aggregator, how, sums_width(kernel, features));
	for (uint32_t i = 0; i < gatherer->share_count; i++) {
		const struct slot *slot = gatherer->shares[i].answer;
		if (slot != NULL)
			aggregator_add(&gatherer->aggregator, slot->gradient.nodes, slot->gradient.vectors,
			        slot->gradient.node_count);
	}
	if (!aggregator_finish(&gatherer->aggregator, result))
		return error_set(
		        error, EXIT_BAD_DATASET, "%s: there are no rows to learn from", gatherer->loader->name);
	return true;
}
