#define _GNU_SOURCE
#include "coordinator/system_call.h"

#include <inttypes.h>
#include <limits.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>

void system_call_describe(int64_t number, char *text, size_t capacity)
{
	char *name = NULL;
	if (number >= 0 && number <= INT_MAX)
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, (int)number);
	if (name != NULL)
		snprintf(text, capacity, "%s (system call %" PRId64 ")", name, number);
	else
		snprintf(text, capacity, "system call %" PRId64, number);
	free(name);
}
