#include "coordinator/gather_parts.h"

#include "common/clock.h"

#include <stdlib.h>

/* Below this, a slow answer is a matter of scheduling, and a backup would only come later. */
#define SHORTEST_BACKUP_NS UINT64_C(2000000)

bool gather_may_back_up(const struct gatherer *gatherer)
{
	return gatherer->config->recovery.backup_after > 0 && gatherer->config->recovery.replicas == 1;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
	return (one > other) - (one < other);
}

uint64_t gather_median_reply_ns(struct gatherer *gatherer)
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
		median = gather_median_reply_ns(gatherer);
	else if (gatherer->question == QUESTION_SUMS)
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

/* Is the slot's worker one that a backup could help? */
static bool may_be_late(const struct gatherer *gatherer, const struct slot *slot)
{
	return pool_awaits(slot) && !gatherer->shares[slot->share].done && !gather_has_other(gatherer, slot);
}

/* A backup that cannot be had is no error: the slow worker may still answer. */
static void start_backup(struct gatherer *gatherer, const struct slot *slot)
{
	struct slot *backup = find_empty_slot(gatherer);
	struct error ignored;
	if (backup == NULL)
		return;
	backup->share = slot->share;
	backup->incarnation++;
	struct event event = gather_slot_event(gatherer, slot, EVENT_WORKER_LATE);
	event.worker_late.waited_ns = clock_now_ns() - slot->asked_ns;
	event.worker_late.backup = backup->index;
	if (gather_start(gatherer, backup, &ignored))
		events_emit(gatherer->events, event);
}

void gather_start_backups(struct gatherer *gatherer)
{
	gatherer->collector.wake_ns = UINT64_MAX;
	if (!gather_may_back_up(gatherer))
		return;
	uint64_t threshold = backup_threshold_ns(gatherer), now = clock_now_ns();
	for (uint32_t i = 0; threshold != UINT64_MAX && i < gatherer->pool.count; i++) {
		struct slot *slot = &gatherer->pool.slots[i];
		if (!may_be_late(gatherer, slot))
			continue;
		uint64_t late_ns = slot->asked_ns + threshold;
		if (now >= late_ns) {
			start_backup(gatherer, slot);
			late_ns = now + threshold; /* to look again, where there was none to be had */
		}
		if (late_ns < gatherer->collector.wake_ns)
			gatherer->collector.wake_ns = late_ns;
	}
}
