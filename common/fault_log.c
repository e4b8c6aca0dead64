#include "common/fault_log.h"

#include "common/mapping.h"

/* The coordinator takes records after every answer; only a thousand workers with short_writes come near. */
enum { RECORDS = 8192 };

struct fault_log {
	uint32_t count; /* put so far; the i-th stands at i % RECORDS */
	struct fault_record records[RECORDS];
};

struct fault_log *fault_log_new(void)
{
	return mapping_share(sizeof(struct fault_log));
}

void fault_log_free(struct fault_log *log)
{
	if (log != NULL)
		mapping_unshare(log, sizeof *log);
}

void fault_log_put(struct fault_log *log, const struct fault *fault, int32_t pid)
{
	uint32_t place = __atomic_fetch_add(&log->count, 1, __ATOMIC_ACQ_REL);
	struct fault_record *record = &log->records[place % RECORDS];
	record->fault = *fault;
	record->pid = pid;
	__atomic_store_n(&record->sequence, place + 1, __ATOMIC_RELEASE);
}

bool fault_log_take(const struct fault_log *log, uint32_t *taken, bool last, struct fault_record *record)
{
	uint32_t count;
	while ((count = __atomic_load_n(&log->count, __ATOMIC_ACQUIRE)) != *taken) {
		if (count - *taken > RECORDS)
			*taken = count - RECORDS; /* the oldest are overwritten */
		const struct fault_record *next = &log->records[*taken % RECORDS];
		bool finished = __atomic_load_n(&next->sequence, __ATOMIC_ACQUIRE) == *taken + 1;
		if (!finished && !last)
			return false;
		++*taken;
		if (finished) {
			*record = *next;
			return true;
		}
	}
	return false;
}
