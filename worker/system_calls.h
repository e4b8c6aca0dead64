/* The system calls that a worker may make. How the filter is made is in worker.h: the coordinator does that. */
#ifndef FORKFIT_WORKER_SYSTEM_CALLS_H
#define FORKFIT_WORKER_SYSTEM_CALLS_H

#include "worker/worker.h"

/*
 * From now on, any call of this process that is not on the list is SIGSYS instead. There is no way back. It needs
 * PR_SET_NO_NEW_PRIVS. Returns 0, or an errno.
 */
int system_call_filter_install(const struct system_call_filter *filter);

#endif
