/* Memory between two pages which may not be touched, so that reading one byte too far is a crash. */
#ifndef FORKFIT_TESTS_GUARD_PAGE_H
#define FORKFIT_TESTS_GUARD_PAGE_H

#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guard_page {
	char *memory;
	size_t size; /* between the guards */
};

static inline struct guard_page guard_page_new(size_t at_least)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guard_page guard = {.size = (at_least + page - 1) / page * page};
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	char *first = mmap(NULL, page + guard.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
	if (zero < 0 || first == MAP_FAILED || mprotect(first, page, PROT_NONE) != 0 ||
	        mprotect(first + page + guard.size, page, PROT_NONE) != 0)
		abort();
	close(zero);
	guard.memory = first + page;
	return guard;
}

/* Copies the text so that its last byte is the last one before the guard, and returns where it starts. */
static inline char *guard_page_place(const struct guard_page *guard, const char *text, size_t length)
{
	char *start = guard->memory + guard->size - length;
	if (length > 0)
		memcpy(start, text, length);
	return start;
}

/* The same, so that its first byte is the first one behind the guard. */
static inline char *guard_page_place_first(const struct guard_page *guard, const char *text, size_t length)
{
	return memcpy(guard->memory, text, length);
}

static inline void guard_page_free(struct guard_page *guard)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	munmap(guard->memory - page, page + guard->size + page);
}

#endif
