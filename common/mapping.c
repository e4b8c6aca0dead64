#include "common/mapping.h"

#include "common/calls.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

bool mapping_open(struct mapping *mapping, int descriptor, uint64_t offset, size_t length)
{
	size_t place;
	return mapping_open_windows(mapping, descriptor, &offset, 1, length, &place);
}

static void *map(void *address, size_t length, int protection, int flags, int descriptor, off_t offset)
{
	calls_begin(CALL_MMAP, (int64_t)(intptr_t)address, (int64_t)length, protection, flags, descriptor, offset);
	void *memory = mmap(address, length, protection, flags, descriptor, offset);
	calls_end((int64_t)(intptr_t)memory); /* MAP_FAILED is -1 */
	return memory;
}

static void unmap(void *memory, size_t length)
{
	calls_begin(CALL_MUNMAP, (int64_t)(intptr_t)memory, (int64_t)length);
	calls_end(munmap(memory, length));
}

/* The pages that `length` bytes from `slack` on touch, in bytes. */
static size_t pages_length(size_t slack, size_t length, size_t page)
{
	return (slack + length + page - 1) / page * page;
}

bool mapping_open_windows(
        struct mapping *mapping, int descriptor, const uint64_t *offsets, size_t count, size_t length, size_t *places)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t total = 0;
	for (size_t i = 0; i < count; i++)
		total += pages_length(offsets[i] % page, length, page);
	/*
	 * Inaccessible pages keep the windows' places free until they are laid. One in front and one behind stay:
	 * without them whatever is mapped next would be the neighbour, and nobody would notice who reads too far.
	 */
	char *reserved = map(NULL, page + total + page, PROT_NONE, MAP_SHARED, descriptor, 0);
	if (reserved == MAP_FAILED)
		return false;
	char *base = reserved + page;
	size_t at = 0;
	for (size_t i = 0; i < count; i++) {
		size_t slack = offsets[i] % page;
		size_t span = pages_length(slack, length, page);
		if (map(base + at, span, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, (off_t)(offsets[i] - slack)) ==
		        MAP_FAILED) {
			int reason = errno;
			unmap(reserved, page + total + page);
			errno = reason;
			return false;
		}
		places[i] = at + slack - offsets[0] % page;
		at += span;
	}
	*mapping = (struct mapping){(unsigned char *)base + offsets[0] % page, base, total};
	return true;
}

void mapping_close(struct mapping *mapping)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	if (mapping->bytes != NULL)
		unmap((char *)mapping->base - page, page + mapping->mapped + page);
	*mapping = (struct mapping){0};
}

/* A mapping of /dev/zero is what MAP_ANONYMOUS is, and what POSIX has. */
void *mapping_share(size_t length)
{
	int zero = open("/dev/zero", O_RDWR | O_CLOEXEC);
	if (zero < 0)
		return NULL;
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, zero, 0);
	int reason = errno;
	close(zero);
	errno = reason;
	return memory == MAP_FAILED ? NULL : memory;
}

void mapping_unshare(void *memory, size_t length)
{
	munmap(memory, length);
}
