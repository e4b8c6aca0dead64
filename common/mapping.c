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

/*
 * What one entry of a page table can map, if the file's pages lie together in memory, and are as far from a multiple of
 * this in the address space as in the file.
 */
enum { HUGE_PAGE = 2097152 };

/*
 * Where the window from `offset` on goes if all before end at `at`. A window that is sure to hold a whole huge page
 * leaves room so that it can have it, provided that the first window can.
 */
static size_t window_place(size_t at, uint64_t offset, size_t span, uint64_t first_offset)
{
	if (span < 2 * (size_t)HUGE_PAGE)
		return at;
	return at + (size_t)((offset - first_offset - at) % HUGE_PAGE);
}

/* Where each window's first page goes, one behind the other, with rooms between them if wanted; the length of all. */
static size_t place_windows(
        const uint64_t *offsets, size_t count, size_t length, size_t page, bool with_rooms, size_t *places)
{
	size_t total = 0;
	for (size_t i = 0; i < count; i++) {
		size_t slack = offsets[i] % page, span = pages_length(slack, length, page);
		places[i] =
		        with_rooms ? window_place(total, offsets[i] - slack, span, offsets[0] / page * page) : total;
		total = places[i] + span;
	}
	return total;
}

/*
 * Inaccessible pages keep the windows' places free until they are laid. One in front and one behind stay: without them
 * whatever is mapped next would be the neighbour, and nobody would notice who reads too far. What is said to be mapped
 * here is the page of the file before the first window's, or one as far into a huge page: so the kernel chooses a place
 * in which the file has huge pages.
 */
static char *reserve(int descriptor, uint64_t first_offset, size_t length, size_t page)
{
	uint64_t offset = length < HUGE_PAGE ? 0 : (first_offset + HUGE_PAGE - page) % HUGE_PAGE;
	return map(NULL, length, PROT_NONE, MAP_SHARED, descriptor, (off_t)offset);
}

bool mapping_open_windows(
        struct mapping *mapping, int descriptor, const uint64_t *offsets, size_t count, size_t length, size_t *places)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t total = place_windows(offsets, count, length, page, true, places);
	char *reserved = reserve(descriptor, offsets[0] / page * page, page + total + page, page);
	if (reserved == MAP_FAILED && errno == ENOMEM) {
		total = place_windows(offsets, count, length, page, false, places);
		reserved = reserve(descriptor, offsets[0] / page * page, page + total + page, page);
	}
	if (reserved == MAP_FAILED)
		return false;
	char *base = reserved + page;
	for (size_t i = 0; i < count; i++) {
		size_t slack = offsets[i] % page;
		size_t span = pages_length(slack, length, page);
		if (map(base + places[i], span, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor,
		            (off_t)(offsets[i] - slack)) == MAP_FAILED) {
			int reason = errno;
			unmap(reserved, page + total + page);
			errno = reason;
			return false;
		}
		if (span >= HUGE_PAGE)
			mapping_prefer_huge_pages(base + places[i], span); /* for what is not in memory yet */
		places[i] += slack - offsets[0] % page;
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
