#define _GNU_SOURCE
#include "worker/scheduling.h"

#include "common/calls.h"
#include "common/clock.h"

#include <sched.h>
#include <sys/ioctl.h>

void scheduling_step_back(void)
{
	if (sched_getscheduler(0) != SCHED_OTHER)
		return;
	calls_begin(CALL_BATCH, 0);
	calls_end(sched_setscheduler(0, SCHED_BATCH, &(struct sched_param){.sched_priority = 0}));
}

void scheduling_wait_awake(int pipe, uint64_t end_ns)
{
	int bytes = 0;
	do /* at first without looking: who is to ask may wait for this processor, and cannot have asked yet */
		sched_yield();
	while (ioctl(pipe, FIONREAD, &bytes) == 0 && bytes == 0 && clock_now_ns() < end_ns);
}
