#include "common/calls.h"

#include "common/clock.h"
#include "common/mapping.h"

#include <errno.h>
#include <string.h>

/* The coordinator empties a place after every answer; only a chunk in many windows, under a limit of memory, is more.
 */
enum { PLACE_CALLS = 2048 };

/* One writes, one reads. A call stands at count % PLACE_CALLS. */
struct place {
	uint32_t begun; /* the worker's: the last of them may not have returned */
	uint32_t done;  /* the worker's */
	uint32_t taken; /* the coordinator's */
	uint32_t lost;  /* the worker's */
	struct call calls[PLACE_CALLS];
};

struct call_log {
	size_t bytes; /* of all */
	struct place places[];
};

struct call_recorder {
	struct call_watcher watcher;
	struct call_log *log;
	struct place *place; /* NULL: in the coordinator */
	bool full;           /* the call that is being made is not kept */
	struct call current;
};

static struct call_recorder recorder;
struct call_recorder *call_recorder;

struct call_log *call_log_new(uint32_t places)
{
	size_t bytes = sizeof(struct call_log) + places * sizeof(struct place);
	struct call_log *log = mapping_share(bytes);
	if (log != NULL)
		log->bytes = bytes;
	return log;
}

void call_log_free(struct call_log *log)
{
	if (log != NULL)
		mapping_unshare(log, log->bytes);
}

void calls_watch(struct call_watcher watcher, struct call_log *log)
{
	recorder = (struct call_recorder){.watcher = watcher, .log = log};
	call_recorder = &recorder;
}

void calls_ignore(void)
{
	call_recorder = NULL;
}

void calls_enter_child(uint32_t place)
{
	if (call_recorder == NULL)
		return;
	if (recorder.log == NULL)
		call_recorder = NULL;
	else
		recorder.place = &recorder.log->places[place];
}

void call_log_clear(struct call_log *log, uint32_t place)
{
	struct place *cleared = &log->places[place];
	cleared->begun = cleared->done = cleared->taken = cleared->lost = 0;
}

bool call_log_take(struct call_log *log, uint32_t place, bool ended, struct call *call)
{
	struct place *from = &log->places[place];
	uint32_t last = __atomic_load_n(ended ? &from->begun : &from->done, __ATOMIC_ACQUIRE);
	if (from->taken == last)
		return false;
	*call = from->calls[from->taken % PLACE_CALLS];
	__atomic_store_n(&from->taken, from->taken + 1, __ATOMIC_RELEASE);
	return true;
}

uint32_t call_log_lost(const struct call_log *log, uint32_t place)
{
	return __atomic_load_n(&log->places[place].lost, __ATOMIC_ACQUIRE);
}

void call_recorder_begin(enum call_kind kind, const int64_t arguments[CALL_ARGUMENTS])
{
	struct call *current = &recorder.current;
	struct place *place = recorder.place;
	*current = (struct call){.kind = kind, .began_ns = clock_now_ns()};
	memcpy(current->arguments, arguments, sizeof current->arguments);
	if (place == NULL)
		return;
	recorder.full = place->begun - __atomic_load_n(&place->taken, __ATOMIC_ACQUIRE) == PLACE_CALLS;
	if (recorder.full) {
		__atomic_store_n(&place->lost, place->lost + 1, __ATOMIC_RELEASE);
		return;
	}
	place->calls[place->begun % PLACE_CALLS] = *current;
	__atomic_store_n(&place->begun, place->begun + 1, __ATOMIC_RELEASE);
}

void call_recorder_set(size_t argument, int64_t value)
{
	recorder.current.arguments[argument] = value;
}

void call_recorder_end(int64_t result)
{
	int reason = errno;
	struct call *current = &recorder.current;
	struct place *place = recorder.place;
	current->ended_ns = clock_now_ns();
	current->result = result;
	current->error = result == -1 ? reason : 0;
	if (place == NULL) {
		recorder.watcher.take(recorder.watcher.context, current);
	} else if (!recorder.full) {
		place->calls[(place->begun - 1) % PLACE_CALLS] = *current;
		__atomic_store_n(&place->done, place->begun, __ATOMIC_RELEASE);
	}
	errno = reason;
}
