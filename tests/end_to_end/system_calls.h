/* The system calls of a run, process by process, as strace saw them. */
#ifndef FORKFIT_TESTS_END_TO_END_SYSTEM_CALLS_H
#define FORKFIT_TESTS_END_TO_END_SYSTEM_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So many bytes of what is read or written are kept: the start of a frame up to its epoch. */
enum { CALL_BYTES = 24 };

struct call {
	char name[24];
	long first;  /* argument, where that is a number; else -1 */
	long result; /* -1: an error, or the call never returned */
	size_t byte_count;
	unsigned char bytes[CALL_BYTES]; /* of the second argument of read and write */
};

struct trace {
	bool coordinator; /* it is the process that strace started */
	struct call *calls;
	size_t count;
};

/* May processes be traced here? */
bool system_calls_are_visible(void);

/* The vector for run_start: strace, then the program and its arguments up to a NULL; it stays until the next call. */
const char *const *system_calls_traced(const char *const argv[]);

/* Reads what it has left in the workspace: the coordinator first. Returns how many processes. */
size_t system_calls_read(struct trace *traces, size_t capacity);
void system_calls_release(struct trace *traces, size_t count);

/* Does the call move the start of a frame? */
bool call_moves_frame(const struct call *call);
unsigned frame_type(const struct call *call);
uint32_t frame_epoch(const struct call *call);
/* With its header, in bytes. */
long frame_length(const struct call *call);

#endif
