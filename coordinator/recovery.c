#include "coordinator/recovery.h"

#include <math.h>
#include <stdlib.h>

bool recovery_init(struct recovery *recovery, enum recovery_policy policy, uint32_t max_restarts, double window_s)
{
	*recovery = (struct recovery){
	        .policy = policy,
	        .max_restarts = max_restarts,
	        .window_ns = (uint64_t)llround(window_s * 1e9),
	};
	recovery->restarts = calloc((size_t)max_restarts + 1, sizeof *recovery->restarts);
	return recovery->restarts != NULL;
}

void recovery_release(struct recovery *recovery)
{
	free(recovery->restarts);
	recovery->restarts = NULL;
}

/* Counts a restart. False: with it there are more than max_restarts in the window. */
static bool count_restart(struct recovery *recovery, uint64_t now_ns)
{
	size_t places = (size_t)recovery->max_restarts + 1;
	recovery->restarts[recovery->next] = now_ns;
	recovery->next = (recovery->next + 1) % places;
	recovery->count++;
	if (recovery->count < places)
		return true;
	/* The ring is full: its oldest is the one max_restarts before this. */
	return now_ns - recovery->restarts[recovery->next] > recovery->window_ns;
}

enum recovery_decision recovery_decide(struct recovery *recovery, uint64_t now_ns, uint32_t deaths)
{
	switch (recovery->policy) {
	case RECOVERY_RESPAWN:
		if (deaths >= POISON_DEATHS)
			return DECIDE_END_POISON;
		return count_restart(recovery, now_ns) ? DECIDE_RESTART : DECIDE_END_INTENSITY;
	case RECOVERY_REDISTRIBUTE:
		return DECIDE_REDISTRIBUTE;
	case RECOVERY_DROP:
		return DECIDE_DROP;
	case RECOVERY_ABORT:
		break;
	}
	return DECIDE_END;
}
