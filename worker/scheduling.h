/* When a worker gets a processor. */
#ifndef FORKFIT_WORKER_SCHEDULING_H
#define FORKFIT_WORKER_SCHEDULING_H

#include <stdint.h>

/*
 * From now on this process, when it wakes, lets whoever runs go on until they wait or their time is over. A worker
 * wakes when the coordinator writes to it, and if it were to take the coordinator's processor at that moment, the next
 * worker would get its question only when this one has its answer: with as many workers as processors one question in
 * eight was asked up to 5 ms late, and epochs took 3 to 5 % longer. Its share of the processors' time is what it was.
 *
 * Only for speed: does nothing where it cannot be, or where whoever started the run has chosen something else.
 */
void scheduling_step_back(void);

/*
 * Waits until there are bytes in a pipe, or it is as late as this, and lets others run in the meantime, once at least
 * (common/busy_wait.h). It does not see that nobody can write any more: read(2) does.
 */
void scheduling_wait_awake(int pipe, uint64_t end_ns);

#endif
