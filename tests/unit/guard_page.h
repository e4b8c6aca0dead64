/* Memory that ends at a page which may not be touched, so that reading one byte too far is a crash. */
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
	size_t size; /* in front of the guard */
};

static inline struct guard_page guard_page_new(size_t at_least)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct guard_page guard = {.size = (at_least + page - 1) / page * page};
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	void *memory = mmap(NULL, guard.size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE, zero, 0);
	if (zero < 0 || memory == MAP_FAILED || mprotect((char *)memory + guard.size, page, PROT_NONE) != 0)
		abort();
	close(zero);
	guard.memory = memory;
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

static inline void guard_page_free(struct guard_page *guard)
{
	munmap(guard->memory, guard->size + (size_t)sysconf(_SC_PAGESIZE));
}

#endif
