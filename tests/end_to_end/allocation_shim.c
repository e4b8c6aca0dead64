/*
 * Loaded into the program with LD_PRELOAD, it lets allocations of memory fail: those of a process that is chosen, from
 * the one that is chosen on. Whoever calls malloc(3) or its kin is meant, the C library and the other libraries too.
 *
 *     FORKFIT_ALLOCATIONS="PROCESS FROM TIMES" FORKFIT_ALLOCATIONS_REPORT=path
 *
 * PROCESS  0: the program; 1: its first child, 2: its second, …
 * FROM     at which allocation of that process it begins, from 1; 0: never
 * TIMES    how many in a row; 0: all from there on
 *
 * The report is a file of a struct allocation_report, which is there before and is mapped: so it is true whoever dies.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/end_to_end/allocation_report.h"

/* What malloc(3) and its kin are inside of the GNU C library. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

/* fork(2) and its handlers, as the C library has them. */
extern int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *library);

static struct allocation_report *report;
static unsigned long process, from, times;
static unsigned long number;   /* of this process */
static unsigned long children; /* that it has forked */
static unsigned long seen;

static void note_fork(void)
{
	children++;
}

static void begin_child(void)
{
	number = children;
	seen = 0;
}

__attribute__((constructor)) static void prepare(void)
{
	const char *plan = getenv("FORKFIT_ALLOCATIONS"), *path = getenv("FORKFIT_ALLOCATIONS_REPORT");
	if (plan == NULL || path == NULL || sscanf(plan, "%lu %lu %lu", &process, &from, &times) != 3)
		return;
	int descriptor = open(path, O_RDWR | O_CLOEXEC);
	void *memory = mmap(NULL, sizeof *report, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
	close(descriptor);
	if (memory != MAP_FAILED && __register_atfork(note_fork, NULL, begin_child, NULL) == 0)
		report = memory;
}

/* Counts an allocation: is it to fail? */
static bool is_due(void)
{
	if (report == NULL || number != process)
		return false;
	report->seen = ++seen;
	if (from == 0 || seen < from || (times != 0 && seen - from >= times))
		return false;
	report->failed++;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t size)
{
	return is_due() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return is_due() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
	return is_due() ? NULL : __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return is_due() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **memory, size_t alignment, size_t size)
{
	if (is_due())
		return ENOMEM;
	*memory = __libc_memalign(alignment, size);
	return *memory != NULL ? 0 : ENOMEM;
}
