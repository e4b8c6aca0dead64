/*
 * Sums that are no numbers: a worker that is broken, or rows and parameters whose sums are beyond the range of a double
 * (a training that diverges). Another worker is asked for the same rows, and if it says the same, it is so.
 *
 * Numbers that are too large are so in many shares at once. But one share's sums that are no numbers make the sum of
 * all no number, so that one doubt at a time is settled, and the others wait: once a share is closed with one that was
 * confirmed, all are believed.
 * So a run that overflows replaces one worker, not all of them, and ends in the same way with any number of them.
 */
#include "coordinator/gather_parts.h"

#include "common/clock.h"
#include "coordinator/loss.h"

#include <inttypes.h>
#include <stdio.h>

static bool is_being_settled(const struct gatherer *gatherer)
{
	return gatherer->in_doubt != NULL && !gatherer->in_doubt->done;
}

static bool ask_another(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	struct loss loss = {.worker = slot->index, .cause = LOSS_NOT_FINITE};
	gatherer->in_doubt = &gatherer->shares[slot->share];
	return gather_lose(gatherer, slot, &loss, error);
}

static bool settle(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	if (!gatherer->overflows && is_being_settled(gatherer) && &gatherer->shares[slot->share] != gatherer->in_doubt)
		return true;
	slot->doubted = false;
	gatherer->doubted--;
	return gatherer->overflows ? gather_believe_sums(gatherer, slot, error) : ask_another(gatherer, slot, error);
}

bool gather_settle_doubts(struct gatherer *gatherer, struct error *error)
{
	for (uint32_t i = 0; gatherer->doubted > 0 && i < gatherer->pool.count; i++) {
		struct slot *slot = &gatherer->pool.slots[i];
		if (slot->doubted && !settle(gatherer, slot, error))
			return false;
	}
	return true;
}

/* A worker was broken: that counts as its loss does under the policy. */
static bool take_refutation(struct gatherer *gatherer, const struct share *share, struct error *error)
{
	struct recovery *recovery = &gatherer->recovery;
	char rows[96], limit[96] = "";
	if (recovery->policy == RECOVERY_RESPAWN) {
		if (recovery_decide(recovery, clock_now_ns(), 1) == DECIDE_RESTART)
			return true;
		snprintf(limit, sizeof limit, "; that is more than %" PRIu32 " restarts in %g s",
		        recovery->max_restarts, (double)recovery->window_ns / 1e9);
	} else if (recovery->policy != RECOVERY_ABORT) {
		return true;
	}
	loss_describe_share(share->bytes, gather_share_rows(gatherer, share), rows, sizeof rows);
	return error_set(error, EXIT_WORKERS_LOST,
	        "a worker answered with sums that are not numbers for %s in epoch %" PRIu32 ", and another did not%s",
	        rows, gatherer->pool.epoch, limit);
}

bool gather_judge_sums(struct gatherer *gatherer, struct slot *slot, struct error *error)
{
	struct share *share = &gatherer->shares[slot->share];
	size_t count = (size_t)slot->gradient.node_count * slot->gradient.width;
	if (gatherer->only_predicts || gatherer->overflows)
		return gather_believe_sums(gatherer, slot, error);
	switch (doubt_take(&share->doubt, slot->gradient.vectors, count)) {
	case DOUBT_RAISED:
		slot->doubted = true;
		gatherer->doubted++;
		return true;
	case DOUBT_REFUTED:
		if (!take_refutation(gatherer, share, error))
			return false;
		break;
	case DOUBT_CONFIRMED:
		if (!gather_believe_sums(gatherer, slot, error))
			return false;
		gatherer->overflows = share->done; /* if not, replicas may yet outvote it */
		return true;
	case DOUBT_NONE:
		break;
	}
	return gather_believe_sums(gatherer, slot, error);
}
