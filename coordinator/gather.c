#include "coordinator/gather.h"

#include "common/clock.h"
#include "coordinator/bad_data.h"
#include "coordinator/gather_parts.h"
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

/* Each worker can have a processor of its own, and none has a budget of its time, which waiting would use up. */
static bool may_wait_awake(const struct pool *pool)
{
	return pool->count <= machine_cpus() && pool->isolation.max_cpu_s == 0;
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
		gatherer->assignment.cache_bytes = confinement_cache_bytes(config, workers * config->recovery.replicas);
	if (!pool_init(&gatherer->pool, workers * per_share, loader->dataset.features,
	            config->recovery.worker_timeout_s, events, error))
		return false;
	gatherer->pool.injection = injection;
	gatherer->pool.pass_ns =
	        (uint64_t)llround((double)loader->dataset.identity.bytes / SLOWEST_BYTES_PER_SECOND * 1e9);
	bool ready = allocate(gatherer, workers);
	if (!ready)
		error_set(error, EXIT_OS_ERROR, "out of memory");
	if (ready && confinement_init(&gatherer->confinement, config, events, error) &&
	        collector_init(&gatherer->collector, &gatherer->pool, error)) {
		gatherer->pool.isolation = gatherer->confinement.isolation;
		gatherer->pool.waits_awake = may_wait_awake(&gatherer->pool);
		return true;
	}
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
	confinement_release(&gatherer->confinement);
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
	switch (gatherer->question) {
	case QUESTION_SUMS:
		return pool_ask_for_sums(&gatherer->pool, slot, &gatherer->params, error);
	case QUESTION_PREDICTIONS:
		return pool_ask_for_predictions(&gatherer->pool, slot, &gatherer->predict, error);
	case QUESTION_LOAD:
		break;
	}
	return gather_assign(gatherer, slot, error);
}

bool gather_start(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	return pool_start(&gatherer->pool, slot, error) && gather_assign(gatherer, slot, error);
}

/* After an interrupt: may the round go on? Then only for a while. */
static bool take_interrupts(struct gatherer *gatherer, unsigned count, struct error *error)
{
	gatherer->interrupts += count;
	if (!gatherer->finish_round || gatherer->interrupts > 1)
		return error_set(error, EXIT_INTERRUPTED, "interrupted");
	pool_limit_deadlines(&gatherer->pool, clock_now_ns() + INTERRUPT_GRACE_NS);
	return true;
}

static bool take_happening(struct gatherer *gatherer, struct happening *happening, struct error *error)
{
	switch (happening->type) {
	case HAPPENING_READY:
		return gather_take_ready(gatherer, happening->slot, error);
	case HAPPENING_GRADIENT:
		return gather_take_sums(gatherer, happening->slot, error);
	case HAPPENING_PREDICTIONS:
		return gather_take_predictions(gatherer, happening->slot, error);
	case HAPPENING_LOST:
		return gather_take_bad_data(gatherer, happening->slot, &happening->loss) ||
		       gather_lose(gatherer, happening->slot, &happening->loss, error);
	case HAPPENING_INTERRUPT:
		return take_interrupts(gatherer, happening->interrupts, error);
	case HAPPENING_TIME:
		break;
	}
	return true;
}

static void open_question(struct gatherer *gatherer)
{
	gatherer->pool.round++;
	gatherer->replies = 0;
	gatherer->bad_data.offset = -1;
	gatherer->open_shares = 0;
	gatherer->in_doubt = NULL;
	gatherer->overflows = false;
	for (uint32_t i = 0; i < gatherer->share_count; i++) {
		gatherer->shares[i].done = gatherer->shares[i].dropped;
		gatherer->open_shares += !gatherer->shares[i].done;
		gatherer->shares[i].answer = NULL;
		gatherer->shares[i].doubt = (struct doubt){.raised = false};
	}
	for (uint32_t i = 0; i < gatherer->pool.count; i++)
		gatherer->pool.slots[i].answered = false;
}

static bool await_answers(struct gatherer *gatherer, struct error *error)
{
	/* Every share is to be answered, and every worker free for the next question. */
	while (gatherer->open_shares > 0 || gatherer->pool.awaited > 0) {
		struct happening happening;
		gather_start_backups(gatherer);
		if (!collector_next(&gatherer->collector, &happening, error) ||
		        !take_happening(gatherer, &happening, error) || !gather_settle_doubts(gatherer, error))
			return false;
	}
	injection_report(gatherer->pool.injection, false);
	if (gatherer->bad_data.offset >= 0)
		return bad_data_describe(
		        gatherer->loader, &gatherer->bad_data, "\"missing\": \"skip_row\" leaves such rows out", error);
	if (gatherer->question == QUESTION_SUMS && gather_may_back_up(gatherer))
		gatherer->median_ns[gatherer->params.kernel] = gather_median_reply_ns(gatherer);
	return true;
}

static bool ask_idle(struct gatherer *gatherer, struct error *error)
{
	struct pool *pool = &gatherer->pool;
	open_question(gatherer);
	for (uint32_t i = 0; i < pool->count; i++)
		if (pool->slots[i].state == SLOT_IDLE && !gather_ask(gatherer, &pool->slots[i], error))
			return false;
	return await_answers(gatherer, error);
}

/* Cuts the leaves anew among the workers that are left, and lets them load; again where one is lost even then. */
static bool redistribute(struct gatherer *gatherer, struct error *error)
{
	enum question question = gatherer->question;
	gatherer->question = QUESTION_LOAD;
	while (gatherer->must_redistribute)
		if (!gather_cut_anew(gatherer, error) || !ask_idle(gatherer, error))
			return false;
	gatherer->question = question;
	return true;
}

/* Puts the question to all workers and waits; again from the start where the shares were cut anew meanwhile. */
static bool ask_all(struct gatherer *gatherer, struct error *error)
{
	for (;;) {
		if (!ask_idle(gatherer, error))
			return false;
		if (!gatherer->must_redistribute)
			return true;
		if (!redistribute(gatherer, error))
			return false;
		if (gatherer->question == QUESTION_LOAD)
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
	gatherer->question = QUESTION_LOAD;
	for (uint32_t i = 0; i < workers; i++) {
		pool->slots[i].share = i % gatherer->share_count;
		if (!gather_fork(gatherer, &pool->slots[i], error))
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
	gatherer->question = QUESTION_LOAD;
	return ask_all(gatherer, error);
}

bool gatherer_sums(struct gatherer *gatherer, uint32_t epoch, enum kernel kernel, enum aggregation how,
        const double *parameters, double *result, struct error *error)
{
	uint32_t features = gatherer->loader->dataset.features;
	gatherer->pool.epoch = epoch;
	gatherer->question = QUESTION_SUMS;
	gatherer->params = (struct params){kernel, features + 1 + sums_further_parameters(kernel), parameters};
	if (!ask_all(gatherer, error))
		return false;
	struct event event = {.type = EVENT_SUMS_COMBINED, .epoch = epoch};
	event.round.kernel = kernel;
	event.round.round = gatherer->pool.round;
	event.began_ns = gatherer->events->details ? clock_now_ns() : 0;
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
	if (gatherer->events->details)
		events_emit(gatherer->events, event);
	return true;
}

bool gatherer_ask_for_predictions(struct gatherer *gatherer, uint32_t share, uint64_t first, uint32_t rows,
        const double *parameters, struct error *error)
{
	gatherer->question = QUESTION_PREDICTIONS;
	gatherer->predict = (struct predict){first, rows, gatherer->loader->dataset.features + 1, parameters};
	gatherer->asked_share = share;
	open_question(gatherer);
	for (uint32_t i = 0; i < gatherer->share_count; i++)
		gatherer->shares[i].done = i != share;
	gatherer->open_shares = 1;
	return gather_ask(gatherer, &gatherer->pool.slots[share], error);
}

bool gatherer_take_predictions(struct gatherer *gatherer, const struct predictions **predictions, struct error *error)
{
	if (!await_answers(gatherer, error))
		return false;
	*predictions = &gatherer->shares[gatherer->asked_share].answer->predictions;
	return true;
}
