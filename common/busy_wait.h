/*
 * Waiting awake: to look for news again and again, instead of sleeping until there are some. A process that sleeps
 * starts late: on a virtual machine of two processors an epoch over two rows took 27 µs with one worker and 45 to 57 µs
 * with two; when all of them waited awake, 10 and 26 µs.
 *
 * Nobody waits so who would take a processor from one that works. That is why both sides do it only if each worker can
 * have a processor of its own; why they let others run between two looks (sched_yield(2)); and why each does it only
 * while what it waits for comes soon. Others that want the processors make it come late. Then it waits asleep for twice
 * as many answers as before, and so on, until waiting awake goes well again: without that, epochs beside two programs
 * that calculated took three times as long as with sleeping. Pure.
 */
#ifndef FORKFIT_COMMON_BUSY_WAIT_H
#define FORKFIT_COMMON_BUSY_WAIT_H

#include <stdbool.h>
#include <stdint.h>

/*
 * What is soon, and how long a wait is awake at most: ten times what it costs to be woken where that is dear. On an
 * Intel Xeon of two virtual processors an epoch over 1 MB with one worker takes 50 µs awake and 105 to 170 asleep: with
 * 0.1 ms no answer that was waited for asleep came soon enough. Over 8 MB two workers took 260 and 330 µs. 1 and 3 ms
 * were no better than 0.4, and 0.5 no worse than 0.1 beside programs that calculated.
 */
#define BUSY_WAIT_NS UINT64_C(500000)

/* Zeroed at first. */
struct busy_wait {
	uint32_t soon;   /* so much came soon, one after the other */
	uint32_t wanted; /* before a wait is awake, so much must have, and one more */
};

static inline bool busy_wait_pays(const struct busy_wait *wait)
{
	return wait->soon > wait->wanted;
}

/* What was waited for came after so long. */
static inline void busy_wait_learn(struct busy_wait *wait, uint64_t waited_ns)
{
	enum { WANTED_MAX = 4095, GOES_WELL = 256 };
	const bool was_awake = busy_wait_pays(wait);
	if (waited_ns >= BUSY_WAIT_NS) {
		wait->soon = 0;
		if (was_awake && wait->wanted < WANTED_MAX)
			wait->wanted = 2 * wait->wanted + 1;
	} else if (++wait->soon > wait->wanted + GOES_WELL) {
		wait->wanted /= 2;
		wait->soon = wait->wanted + 1;
	}
}

#endif
