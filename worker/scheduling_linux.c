#define _GNU_SOURCE
#include "worker/scheduling.h"

#include "common/calls.h"

#include <sched.h>

void scheduling_step_back(void)
{
	if (sched_getscheduler(0) != SCHED_OTHER)
		return;
	calls_begin(CALL_BATCH, 0);
	calls_end(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){.sched_priority = 0}));
}
