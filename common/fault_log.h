/*
 * Where processes say which fault they are about to do to themselves: memory that coordinator and workers share, since
 * who is killed has no other way to have said so. An instrument of the laboratory: it exists only in a run with faults,
 * and nothing that is calculated goes through it.
 */
#ifndef FORKFIT_COMMON_FAULT_LOG_H
#define FORKFIT_COMMON_FAULT_LOG_H

#include "common/fault.h"

struct fault_record {
	struct fault fault; /* with all that was left open filled in: given as a fault, it happens again */
	int32_t pid;
	uint32_t sequence; /* private: written last */
};

struct fault_log;

/* NULL: errno says why. */
struct fault_log *fault_log_new(void);
void fault_log_free(struct fault_log *log);

/* Any process that was forked after fault_log_new. */
void fault_log_put(struct fault_log *log, const struct fault *fault, int32_t pid);

/*
 * The next record; *taken counts those taken before. False: there is none, or it is being written. With `last` all
 * writers are gone, and what one of them left unfinished is passed over.
 */
bool fault_log_take(const struct fault_log *log, uint32_t *taken, bool last, struct fault_record *record);

#endif
