#include "coordinator/gather.h"

#include "common/clock.h"
#include "common/utf8.h"
#include "coordinator/loss.h"
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

bool gatherer_init(struct gatherer *gatherer, const struct config *config, struct loader *loader, uint32_t workers,
        struct event_stream *events, struct error *error)
{
	uint32_t features = loader->dataset.features;
	*gatherer = (struct gatherer){.loader = loader, .events = events};
	gatherer->assignment = (struct assignment){
	        .dataset = loader->dataset,
	        .leaf_count = loader->leaf_count,
	        .quotes = workers == 1, /* with one chunk, its ends are the file's */
	        .cache_bytes = (uint64_t)((double)machine_available_memory() * cache_share) / workers,
	};
	if (!pool_init(&gatherer->pool, workers, features, config->recovery.worker_timeout_s, events, error))
		return false;
	gatherer->pool.pass_ns =
	        (uint64_t)llround((double)loader->dataset.identity.bytes / SLOWEST_BYTES_PER_SECOND * 1e9);
	gatherer->assignment.centre = calloc((size_t)features + 1, sizeof(double));
	bool ready =
	        gatherer->assignment.centre != NULL && aggregator_init(&gatherer->aggregator, sums_max_width(features));
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
	collector_release(&gatherer->collector);
	aggregator_release(&gatherer->aggregator);
	free(gatherer->assignment.centre);
	pool_release(&gatherer->pool);
}

static struct event slot_event(const struct gatherer *gatherer, const struct slot *slot, enum event_type type)
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

/* The rows of a slot's chunk in the dataset; of a CSV they are known once the workers before it have loaded. */
static struct range rows_of(const struct gatherer *gatherer, const struct slot *slot)
{
	const struct dataset *dataset = &gatherer->loader->dataset;
	struct range rows = {0, 0};
	if (slot->leaves.begin == slot->leaves.end)
		return rows;
	if (dataset->format == DATASET_NPY) {
		rows.begin =
		        leaves_units(dataset->rows, gatherer->loader->leaf_count, (uint32_t)slot->leaves.begin).begin;
		rows.end =
		        leaves_units(dataset->rows, gatherer->loader->leaf_count, (uint32_t)slot->leaves.end - 1).end;
		return rows;
	}
	if (gatherer->rows == 0)
		return rows;
	for (uint32_t i = 0; i < slot->index; i++)
		rows.begin += gatherer->pool.slots[i].ready.rows;
	rows.end = rows.begin + slot->ready.rows;
	return rows;
}

/* What a worker found wrong with the dataset, in the terms of the user's file. */
static bool describe_bad_data(struct gatherer *gatherer, const struct worker_error *found, struct error *error)
{
	struct loader *loader = gatherer->loader;
	const char *name = found->column >= 0 ? loader->column_names[found->column] : NULL;
	char column_text[96] = "", excerpt[72];
	if (name != NULL)
		snprintf(column_text, sizeof column_text, " (column \"%s\")",
		        utf8_excerpt(excerpt, sizeof excerpt, name, strlen(name)));
	const char *remedy = "";
	if (loader->dataset.missing == MISSING_ERROR && strstr(found->text, "missing") != NULL)
		remedy = "; \"missing\": \"skip_row\" leaves such rows out";
	if (loader->dataset.format == DATASET_NPY)
		return error_set(error, EXIT_BAD_DATASET, "%s: row %" PRId64 ", column %" PRId64 ": %s%s", loader->name,
		        found->offset, found->column, found->text, remedy);
	uint64_t line, column;
	if (!loader_locate(loader, (uint64_t)found->offset, &line, &column, error))
		return false;
	return error_set(error, EXIT_BAD_DATASET, "%s:%" PRIu64 ":%" PRIu64 ": %s%s%s", loader->name, line, column,
	        found->text, column_text, remedy);
}

/* A worker was lost: buries it, tells it, and says what that means for the run. */
static bool lose_worker(struct gatherer *gatherer, struct happening *happening, struct error *error)
{
	struct slot *slot = happening->slot;
	struct loss *loss = &happening->loss;
	char text[1024];
	struct event event = slot_event(gatherer, slot, EVENT_WORKER_LOST);
	struct range rows = rows_of(gatherer, slot);
	pool_bury(&gatherer->pool, slot, loss);
	loss_describe(loss, slot, rows, gatherer->pool.epoch, text, sizeof text);
	event.worker_lost.cause = loss_cause_name(loss->cause);
	event.worker_lost.text = text;
	event.worker_lost.status = loss->status;
	events_emit(gatherer->events, event);
	if (loader_was_cut_short(gatherer->loader))
		return error_set(error, EXIT_BAD_DATASET, "%s: the file was cut short during the run; %s",
		        gatherer->loader->name, text);
	if (loss->cause == LOSS_GAVE_UP && loss->error.stage == STAGE_DATASET)
		return error_set(error, EXIT_BAD_DATASET, "%s: %s", gatherer->loader->name, loss->error.text);
	return error_set(error, EXIT_WORKERS_LOST, "%s", text);
}

static bool interrupted(struct error *error)
{
	return error_set(error, EXIT_INTERRUPTED, "interrupted");
}

/* After an interrupt: may the round go on? Then only for a while. */
static bool take_interrupt(struct gatherer *gatherer)
{
	gatherer->interrupts++;
	if (!gatherer->finish_round || gatherer->interrupts > 1)
		return false;
	uint64_t latest = clock_now_ns() + INTERRUPT_GRACE_NS;
	for (uint32_t i = 0; i < gatherer->pool.count; i++)
		if (gatherer->pool.slots[i].deadline_ns > latest)
			gatherer->pool.slots[i].deadline_ns = latest;
	return true;
}

static bool is_bad_data(const struct happening *happening)
{
	return happening->type == HAPPENING_LOST && happening->loss.cause == LOSS_GAVE_UP &&
	       happening->loss.error.stage == STAGE_DATASET && happening->loss.error.offset >= 0;
}

static void note_answer(const struct gatherer *gatherer, const struct slot *slot, enum happening_type type)
{
	if (type == HAPPENING_READY) {
		struct event event = slot_event(gatherer, slot, EVENT_WORKER_READY);
		event.worker_ready.rows = slot->ready.rows;
		event.worker_ready.skipped = slot->ready.skipped;
		event.worker_ready.leaves = slot->leaves;
		event.worker_ready.busy_ns = slot->ready.busy_ns;
		events_emit(gatherer->events, event);
		return;
	}
	struct event event = slot_event(gatherer, slot, EVENT_GRADIENT_RECEIVED);
	event.round.kernel = slot->gradient.kernel;
	event.round.round = slot->round;
	event.round.busy_ns = slot->gradient.busy_ns;
	event.round.round_trip_ns = clock_now_ns() - slot->asked_ns;
	events_emit(gatherer->events, event);
}

/*
 * Waits until every worker has answered. Bad data in one chunk ends the wait only when all have answered, so that the
 * first bad place of the file is reported, however the chunks are cut and whoever is faster.
 */
static bool await_answers(struct gatherer *gatherer, struct error *error)
{
	struct worker_error bad = {.offset = -1};
	for (uint32_t waiting = gatherer->pool.count; waiting > 0;) {
		struct happening happening;
		if (!collector_next(&gatherer->collector, &happening, error))
			return false;
		if (happening.type == HAPPENING_INTERRUPT) {
			if (!take_interrupt(gatherer))
				return interrupted(error);
			continue;
		}
		if (happening.type == HAPPENING_LOST) {
			bool bad_data = is_bad_data(&happening);
			bool go_on = lose_worker(gatherer, &happening, error) || bad_data;
			if (!go_on && gatherer->interrupts > 0)
				return interrupted(error);
			if (!go_on)
				return false;
			if (bad.offset < 0 || happening.loss.error.offset < bad.offset)
				bad = happening.loss.error;
		} else {
			note_answer(gatherer, happening.slot, happening.type);
		}
		waiting--;
	}
	return bad.offset < 0 || describe_bad_data(gatherer, &bad, error);
}

/* Hands every worker its part of the assignment. */
static bool assign_all(struct gatherer *gatherer, struct error *error)
{
	struct pool *pool = &gatherer->pool;
	pool->round++;
	for (uint32_t i = 0; i < pool->count; i++) {
		struct slot *slot = &pool->slots[i];
		struct assignment assignment = gatherer->assignment;
		slot->leaves = leaves_chunk(gatherer->loader->leaf_count, pool->count, i);
		if (!loader_chunk_bytes(gatherer->loader, slot->leaves, &slot->bytes, error))
			return false;
		assignment.leaves = slot->leaves;
		assignment.bytes = slot->bytes;
		if (!pool_ask_to_load(pool, slot, &assignment, error))
			return false;
	}
	return await_answers(gatherer, error);
}

static bool any_starts_doubted(const struct pool *pool)
{
	for (uint32_t i = 0; i < pool->count; i++)
		if (pool->slots[i].ready.starts_doubted)
			return true;
	return false;
}

static void add_up_rows(struct gatherer *gatherer)
{
	gatherer->rows = gatherer->skipped = 0;
	gatherer->first_row = NULL;
	for (uint32_t i = 0; i < gatherer->pool.count; i++) {
		const struct slot *slot = &gatherer->pool.slots[i];
		gatherer->rows += slot->ready.rows;
		gatherer->skipped += slot->ready.skipped;
		if (gatherer->first_row == NULL && slot->ready.first_row_count > 0)
			gatherer->first_row = slot->first_row;
	}
}

bool gatherer_load(struct gatherer *gatherer, struct error *error)
{
	struct pool *pool = &gatherer->pool;
	for (uint32_t i = 0; i < pool->count; i++)
		if (!pool_start(pool, &pool->slots[i], error))
			return false;
	if (!assign_all(gatherer, error))
		return false;
	if (any_starts_doubted(pool)) {
		/* Newlines may lie inside quoted fields, so the chunks' ends were guesses: find the true ones. */
		if (!loader_find_quoted_records(gatherer->loader, error))
			return false;
		gatherer->assignment.quotes = true;
		if (!assign_all(gatherer, error))
			return false;
	}
	add_up_rows(gatherer);
	return true;
}

bool gatherer_set_centre(struct gatherer *gatherer, const double *centre, struct error *error)
{
	memcpy(gatherer->assignment.centre, centre, ((size_t)gatherer->loader->dataset.features + 1) * sizeof(double));
	return assign_all(gatherer, error);
}

bool gatherer_sums(struct gatherer *gatherer, uint32_t epoch, enum kernel kernel, enum aggregation how,
        const double *parameters, double *result, struct error *error)
{
	struct pool *pool = &gatherer->pool;
	uint32_t features = gatherer->loader->dataset.features;
	struct params params = {kernel, features + 1, parameters};
	pool->round++;
	pool->epoch = epoch;
	for (uint32_t i = 0; i < pool->count; i++)
		if (!pool_ask_for_sums(pool, &pool->slots[i], &params, error))
			return false;
	if (!await_answers(gatherer, error))
		return false;
	aggregator_begin(&gatherer->aggregator, how, sums_width(kernel, features));
	for (uint32_t i = 0; i < pool->count; i++) {
		const struct gradient *gradient = &pool->slots[i].gradient;
		aggregator_add(&gatherer->aggregator, gradient->nodes, gradient->vectors, gradient->node_count);
	}
	if (!aggregator_finish(&gatherer->aggregator, result))
		return error_set(
		        error, EXIT_BAD_DATASET, "%s: there are no rows to learn from", gatherer->loader->name);
	return true;
}
