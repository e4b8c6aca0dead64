/* What sets a worker's process apart from its coordinator's. */
#ifndef FORKFIT_WORKER_ISOLATION_H
#define FORKFIT_WORKER_ISOLATION_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Ties this process's life to its parent's, and closes all descriptors above standard error: a sibling's pipe end kept
 * open here would hide that sibling's end of file for ever. False: the parent is gone already.
 */
bool isolation_enter(pid_t parent);

#endif
