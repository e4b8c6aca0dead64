/*
 * System calls as they are made, for who wants to watch: what was asked, what came of it, and when. An instrument of
 * --explain and output.trace: where nobody watches, one comparison of a pointer for each call is all there is of it.
 *
 * Who makes a call says so before and after, between calls_begin and calls_end. What the coordinator does is handed to
 * a function at once. What a worker does goes into memory that it shares with the coordinator, since it has no other
 * way to tell, least of all when it is killed; each worker has a place of its own there, which the coordinator empties.
 *
 * There is one recorder, as there is one process: the calls to be watched are made far from whoever wants to know.
 */
#ifndef FORKFIT_COMMON_CALLS_H
#define FORKFIT_COMMON_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

/* By the names of the functions; in brackets, what the arguments of the record are where they are not theirs. */
enum call_kind {
	CALL_PIPE,       /* (read end, write end) */
	CALL_FORK,       /* () */
	CALL_DUP2,       /* (old, new) */
	CALL_CLOSE,      /* (descriptor) */
	CALL_CLOSEFROM,  /* (lowest) */
	CALL_NONBLOCK,   /* fcntl(descriptor, F_SETFL, O_NONBLOCK): (descriptor) */
	CALL_DIE_WITH,   /* prctl(PR_SET_PDEATHSIG, signal): (signal) */
	CALL_GETPPID,    /* () */
	CALL_BATCH,      /* sched_setscheduler(0, SCHED_BATCH): () */
	CALL_SETRLIMIT,  /* (resource, soft, hard) */
	CALL_PRIVILEGES, /* prctl(PR_SET_NO_NEW_PRIVS, 1): () */
	CALL_SECCOMP,    /* (instructions, flags) */
	CALL_OPEN,       /* of the dataset, for reading: () */
	CALL_MMAP,       /* (address, length, protection, flags, descriptor, offset) */
	CALL_MUNMAP,     /* (address, length) */
	CALL_READ,       /* (descriptor, length, type of the frame that is complete with it or 0) */
	CALL_WRITE,      /* (descriptor, length, type of the frame) */
	CALL_POLL,       /* (entries with a descriptor, timeout) */
	CALL_POLL_FOUND, /* what poll() found, right behind it, for each: (descriptor, events) */
	CALL_WAITPID,    /* with WNOHANG: (pid, status) */
	CALL_WAITID,     /* for stops, with WNOHANG: (pid, si_code or 0) */
	CALL_KILL,       /* (pid, signal) */
	CALL_EXIT,       /* _exit: (status) */
	CALL_KIND_COUNT
};

enum { CALL_ARGUMENTS = 6 };

struct call {
	enum call_kind kind;
	int32_t error;     /* errno where the result says so, else 0 */
	uint64_t began_ns; /* of clock_now_ns() */
	uint64_t ended_ns; /* 0: it never returned */
	int64_t result;
	int64_t arguments[CALL_ARGUMENTS];
};

/* Whoever takes a call as it has been made, in the process that makes it. */
struct call_watcher {
	void (*take)(void *context, const struct call *call);
	void *context;
};

struct call_log;

/* Memory with a place for each of so many workers. NULL: errno says why. */
struct call_log *call_log_new(uint32_t places);
void call_log_free(struct call_log *log);

/* From now on this process's calls go to the watcher, and those of its children, unless log is NULL, into their place.
 */
void calls_watch(struct call_watcher watcher, struct call_log *log);
void calls_ignore(void);

/* In a child that was forked meanwhile, before its first call. The place was cleared by the parent. */
void calls_enter_child(uint32_t place);

/* In the parent. */
void call_log_clear(struct call_log *log, uint32_t place);

/*
 * The next call of the worker at that place. False: there is none. With `ended` the process is gone, and the call that
 * never returned comes too, with ended_ns 0.
 */
bool call_log_take(struct call_log *log, uint32_t place, bool ended, struct call *call);

/* How many calls found no room, and are not told, since the place was cleared. */
uint32_t call_log_lost(const struct call_log *log, uint32_t place);

/* Private: for the functions below. */
extern struct call_recorder *call_recorder;
void call_recorder_begin(enum call_kind kind, const int64_t arguments[CALL_ARGUMENTS]);
void call_recorder_end(int64_t result);
void call_recorder_set(size_t argument, int64_t value);

/* The call is about to be made. */
#define calls_begin(kind, ...)                                                                     \
	do {                                                                                       \
		if (call_recorder != NULL)                                                         \
			call_recorder_begin((kind), (const int64_t[CALL_ARGUMENTS]){__VA_ARGS__}); \
	} while (0)

/* An argument through which the call gave something back. */
static inline void calls_set(size_t argument, int64_t value)
{
	if (call_recorder != NULL)
		call_recorder_set(argument, value);
}

/* The call has been made; errno says why, if the result is -1, and stays as it is. */
static inline void calls_end(int64_t result)
{
	if (call_recorder != NULL)
		call_recorder_end(result);
}

/* close(2) */
static inline int calls_close(int descriptor)
{
	calls_begin(CALL_CLOSE, descriptor);
	int result = close(descriptor);
	calls_end(result);
	return result;
}

#endif
