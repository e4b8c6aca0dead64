#include "coordinator/gather_parts.h"

#include "common/clock.h"
#include "coordinator/loss.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* fork() fails when the machine is short of processes or memory; waiting longer and longer lets others finish. */
#define FIRST_BACKOFF_NS 10000000L
#define LONGEST_BACKOFF_NS 500000000L

bool gather_has_other(const struct gatherer *gatherer, const struct slot *slot)
{
	for (uint32_t i = 0; i < gatherer->pool.count; i++) {
		const struct slot *other = &gatherer->pool.slots[i];
		if (other != slot && other->state != SLOT_EMPTY && other->share == slot->share)
			return true;
	}
	return false;
}

void gather_bury(struct gatherer *gatherer, struct slot *slot, struct loss *loss, char *text)
{
	const struct share *share = &gatherer->shares[slot->share];
	struct event event = gather_slot_event(gatherer, slot, EVENT_WORKER_LOST);
	event.began_ns = clock_now_ns();
	gatherer->doubted -= slot->doubted;
	slot->doubted = false;
	pool_bury(&gatherer->pool, slot, loss);
	injection_report(gatherer->pool.injection, false);
	int64_t epoch = gatherer->only_predicts ? -1 : (int64_t)gatherer->pool.epoch;
	loss_describe(loss, share->bytes, gather_share_rows(gatherer, share), epoch, text, GATHER_LOSS_TEXT);
	event.worker_lost.cause = loss_cause_name(loss->cause);
	event.worker_lost.text = text;
	event.worker_lost.status = loss->status;
	events_emit(gatherer->events, event);
}

/* Failures that would only come again: they end the run at once, whatever the policy. */
static bool would_come_again(
        const struct gatherer *gatherer, const struct loss *loss, const char *text, struct error *error)
{
	const char *name = gatherer->loader->name;
	uint32_t max_memory_mb = gatherer->config->isolation.max_memory_mb;
	if (loader_was_cut_short(gatherer->loader))
		error_set(error, EXIT_BAD_DATASET, "%s: the file was cut short during the run; %s", name, text);
	else if (loss->cause == LOSS_GAVE_UP && loss->error.stage == STAGE_DATASET && loss->error.system_error != 0)
		error_set(error, EXIT_INPUT_MISSING, "%s: the file cannot be opened any more; %s", name, text);
	else if (loss->cause == LOSS_GAVE_UP && loss->error.stage == STAGE_DATASET)
		error_set(error, EXIT_BAD_DATASET, "%s: %s", name, loss->error.text);
	else if (loss->cause == LOSS_GAVE_UP && loss->error.system_error == ENOMEM && max_memory_mb != 0)
		error_set(error, EXIT_WORKERS_LOST, "%s; isolation.max_memory_mb allows it %" PRIu32 " MiB", text,
		        max_memory_mb);
	else if (loss->cause == LOSS_GAVE_UP && loss->error.stage == STAGE_SYSTEM)
		error_set(error, EXIT_WORKERS_LOST, "%s", text);
	else
		return false;
	return true;
}

/* The file's bytes in which the rows lie; empty where they are in more than one piece. */
static struct range share_bytes(const struct gatherer *gatherer, const struct share *share, struct range rows)
{
	const struct dataset *dataset = &gatherer->loader->dataset;
	if (dataset->format == DATASET_CSV)
		return share->bytes;
	if (dataset->fortran_order)
		return (struct range){0, 0};
	uint64_t row_bytes = dataset->file_columns * (dataset->element == ELEMENT_F8 ? UINT64_C(8) : UINT64_C(4));
	return (struct range){
	        dataset->data_offset + rows.begin * row_bytes, dataset->data_offset + rows.end * row_bytes};
}

/* "rows 5 to 9 (bytes 120 to 260) of data.csv ended every worker that touched them, 8 in a row: was killed by …" */
static bool report_poison(const struct gatherer *gatherer, const struct share *share, struct error *error)
{
	const struct range unknown = {0, 0};
	struct range rows = gather_share_rows(gatherer, share), bytes = share_bytes(gatherer, share, rows);
	bool both = rows.end > rows.begin && bytes.end > bytes.begin;
	char rows_text[96], bytes_text[96], deaths[512] = "";
	size_t length = 0;
	loss_describe_share(bytes, rows, rows_text, sizeof rows_text);
	loss_describe_share(bytes, unknown, bytes_text, sizeof bytes_text);
	for (uint32_t i = 0; i < share->deaths && i < POISON_DEATHS && length < sizeof deaths; i++) {
		char status[96];
		process_status_text(share->statuses[i], status, sizeof status);
		length += (size_t)snprintf(deaths + length, sizeof deaths - length, "%s%s", i > 0 ? "; " : "", status);
	}
	return error_set(error, EXIT_WORKERS_LOST,
	        "%s%s%s%s of %s ended every worker that touched them, %" PRIu32 " in a row: %s", rows_text,
	        both ? " (" : "", both ? bytes_text : "", both ? ")" : "", gatherer->loader->name, share->deaths,
	        deaths);
}

bool gather_fork(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	uint64_t give_up_ns = clock_now_ns() + gatherer->pool.timeout_ns;
	for (long backoff_ns = FIRST_BACKOFF_NS; !pool_start(&gatherer->pool, slot, error); backoff_ns *= 2) {
		if (backoff_ns > LONGEST_BACKOFF_NS)
			backoff_ns = LONGEST_BACKOFF_NS;
		if (clock_now_ns() + (uint64_t)backoff_ns > give_up_ns)
			return false;
		nanosleep(&(struct timespec){.tv_nsec = backoff_ns}, NULL);
	}
	return true;
}

static bool restart(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	slot->incarnation++;
	slot->answered = false; /* its predecessor may have */
	return gather_fork(gatherer, slot, error) && gather_assign(gatherer, slot, error);
}

/* Rows are lost with the last worker that has them: where replicas are left, they answer for it. */
static bool leave_to_replicas(struct gatherer *gatherer, const struct slot *slot, struct error *error)
{
	struct share *share = &gatherer->shares[slot->share];
	uint32_t left = 0;
	char text[128];
	for (uint32_t i = 0; i < gatherer->pool.count; i++)
		left += gatherer->pool.slots[i].state != SLOT_EMPTY && gatherer->pool.slots[i].share == slot->share;
	snprintf(text, sizeof text, "the rows of worker %" PRIu32 " have %" PRIu32 " of %" PRIu32 " replicas left",
	        slot->index, left, gatherer->config->recovery.replicas);
	struct event event = {.type = EVENT_NOTE, .epoch = gatherer->pool.epoch};
	event.note.text = text;
	events_emit(gatherer->events, event);
	return share->done || gather_compare_replicas(gatherer, share, error);
}

static bool drop_share(struct gatherer *gatherer, struct share *share, struct error *error)
{
	struct range rows = gather_share_rows(gatherer, share);
	share->dropped = true;
	gatherer->degraded = true;
	gather_close_share(gatherer, share, NULL);
	gatherer->rows_lost += share->loaded ? share->ready.rows : rows.end - rows.begin;
	for (uint32_t i = 0; i < gatherer->share_count; i++)
		if (!gatherer->shares[i].dropped)
			return true;
	return error_set(error, EXIT_WORKERS_LOST, "every worker was lost, and their rows with them");
}

static uint32_t running_workers(const struct pool *pool)
{
	uint32_t running = 0;
	for (uint32_t i = 0; i < pool->count; i++)
		running += pool->slots[i].state != SLOT_EMPTY;
	return running;
}

/*
 * A doubt is settled by asking another worker, whatever is done about workers that are lost: it may well be that
 * nothing is wrong with this one. If there is, it counts as a restart when that is known.
 */
static bool ask_another(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	const struct share *share = &gatherer->shares[slot->share];
	return share->deaths < POISON_DEATHS ? restart(gatherer, slot, error) : report_poison(gatherer, share, error);
}

static bool act(
        struct gatherer *gatherer, struct slot *slot, const struct loss *loss, const char *text, struct error *error)
{
	struct share *share = &gatherer->shares[slot->share];
	if (loss->cause == LOSS_NOT_FINITE)
		return ask_another(gatherer, slot, error);
	switch (recovery_decide(
	        &gatherer->recovery, clock_now_ns(), share->deaths / gatherer->config->recovery.replicas)) {
	case DECIDE_RESTART:
		return restart(gatherer, slot, error);
	case DECIDE_REDISTRIBUTE:
		gatherer->must_redistribute = true;
		gather_close_share(gatherer, share, NULL);
		if (running_workers(&gatherer->pool) > 0)
			return true;
		return error_set(error, EXIT_WORKERS_LOST, "%s; no worker is left to take over its rows", text);
	case DECIDE_DROP:
		return gather_has_other(gatherer, slot) ? leave_to_replicas(gatherer, slot, error)
		                                        : drop_share(gatherer, share, error);
	case DECIDE_END_POISON:
		return report_poison(gatherer, share, error);
	case DECIDE_END_INTENSITY:
		return error_set(error, EXIT_WORKERS_LOST, "%s; that is more than %" PRIu32 " restarts in %g s", text,
		        gatherer->recovery.max_restarts, (double)gatherer->recovery.window_ns / 1e9);
	case DECIDE_END:
		break;
	}
	return error_set(error, EXIT_WORKERS_LOST, "%s", text);
}

bool gather_lose(struct gatherer *gatherer, struct slot *slot, struct loss *loss, struct error *error)
{
	struct share *share = &gatherer->shares[slot->share];
	char text[GATHER_LOSS_TEXT];
	gather_bury(gatherer, slot, loss, text);
	if (loss->cause == LOSS_NOT_NEEDED) {
		slot->lost_ns = 0;
		return true;
	}
	if (slot->lost_ns == 0)
		slot->lost_ns = clock_now_ns();
	/* A signal to the whole process group ends workers too; the round is still finished with others. */
	bool may_finish = gatherer->finish_round && gatherer->interrupts == 1 && loss->cause == LOSS_DEATH;
	if (gatherer->interrupts > 0 && !may_finish)
		return error_set(error, EXIT_INTERRUPTED, "interrupted");
	if (would_come_again(gatherer, loss, text, error))
		return false;
	if (share->deaths < POISON_DEATHS)
		share->statuses[share->deaths] = loss->status;
	share->deaths++;
	/* Where each share has one worker, a backup still does what is needed. */
	if (gatherer->config->recovery.replicas == 1 && gather_has_other(gatherer, slot))
		return true;
	return act(gatherer, slot, loss, text, error);
}

/* Gives each running worker one of the new shares, `replicas` workers each; those that are left over are let go. */
static bool deal_shares(struct gatherer *gatherer, uint32_t share_count, struct error *error)
{
	uint32_t needed = share_count * gatherer->config->recovery.replicas, next = 0;
	for (uint32_t i = 0; i < gatherer->pool.count; i++) {
		struct slot *slot = &gatherer->pool.slots[i];
		struct loss loss = {.worker = i, .cause = LOSS_NOT_NEEDED};
		if (slot->state == SLOT_EMPTY)
			continue;
		if (next == needed && !gather_lose(gatherer, slot, &loss, error))
			return false;
		if (next < needed)
			slot->share = next++ % share_count;
	}
	return true;
}

bool gather_cut_anew(struct gatherer *gatherer, struct error *error)
{
	uint32_t replicas = gatherer->config->recovery.replicas;
	uint32_t share_count = running_workers(&gatherer->pool) / replicas;
	gatherer->must_redistribute = false;
	if (share_count == 0)
		return error_set(
		        error, EXIT_WORKERS_LOST, "too few workers are left for %" PRIu32 " replicas", replicas);
	if (!deal_shares(gatherer, share_count, error))
		return false;
	gatherer->share_count = share_count;
	memset(gatherer->shares, 0, share_count * sizeof *gatherer->shares);
	for (uint32_t i = 0; i < share_count; i++) {
		struct share *share = &gatherer->shares[i];
		share->leaves = leaves_chunk(gatherer->loader->leaf_count, share_count, i);
		if (!loader_chunk_bytes(gatherer->loader, share->leaves, &share->bytes, error))
			return false;
	}
	return true;
}
