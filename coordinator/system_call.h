/* System calls by name. */
#ifndef FORKFIT_COORDINATOR_SYSTEM_CALL_H
#define FORKFIT_COORDINATOR_SYSTEM_CALL_H

#include <stddef.h>
#include <stdint.h>

/* Writes "execve (system call 59)", or "system call 59" where the number has no name, cut to the capacity. */
void system_call_describe(int64_t number, char *text, size_t capacity);

#endif
