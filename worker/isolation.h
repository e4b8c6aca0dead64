/*
 * What sets a worker's process apart from its coordinator's, so that a fault in it stays in it:
 *
 *   descriptors   its two pipes and standard error; besides them, one file at a time, opened for reading
 *   the dataset   pages of its own chunk only, read-only, with a page on either side that may not be touched
 *   system calls  those that its loop needs (worker/system_calls_linux.c); any other is SIGSYS. In a run with
 *                 faults, three more, with which a worker does to itself what is asked for
 *   code          no page can be made executable, and nothing can be executed
 *   processes     it cannot make any, nor signal or trace another; it dies with its coordinator
 *   resources     address space and processor time as far as they are limited, no core file, no new privileges
 *
 * What it does not do: a forked worker still has a copy of what was in the coordinator's memory when it was forked (the
 * configuration; never rows), and may open any file for reading that its user may read, since an assignment can come
 * again and a filter cannot see a path. It contains faults; it is no prison for code that somebody else wrote.
 */
#ifndef FORKFIT_WORKER_ISOLATION_H
#define FORKFIT_WORKER_ISOLATION_H

#include "worker/worker.h"

#include <stdbool.h>
#include <sys/types.h>

/*
 * Sanitizers map terabytes, make system calls of their own and handle the signals of a fault: a program that is built
 * with one limits no memory, filters nothing and leaves those signals alone.
 */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define ISOLATION_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define ISOLATION_SANITIZED 1
#endif
#endif
#ifndef ISOLATION_SANITIZED
#define ISOLATION_SANITIZED 0
#endif

/*
 * Ties this process's life to its parent's, and closes all descriptors above standard error: a sibling's pipe end kept
 * open here would hide that sibling's end of file for ever. False: the parent is gone already.
 */
bool isolation_enter(pid_t parent);

/* Gives up everything that `isolation` names, for good. Returns 0, or the errno of what failed. */
int isolation_confine(const struct isolation *isolation);

#endif
