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

/*
 * What one entry of a page table can map, if the file's pages lie together in memory, and are as far from a multiple of
 * this in the address space as in the file. And only if the whole of it is mapped: in a virtual machine whose kernel
 * ages pages in the background, epochs over 127 columns took 2 to 6 times as long with windows of 2 MiB as with all
 * that lies between them mapped, too.
 */
enum { HUGE_PAGE = 2097152 };

/* A part of the file that is mapped at once. */
struct span {
	uint64_t begin, end;
};

/* Windows of the file, each from offsets[i] on. */
struct windows {
	const uint64_t *offsets;
	size_t count;
	size_t length; /* of each */
	size_t page;
	size_t grain;     /* multiples of this are mapped, … */
	struct span most; /* … as far as they lie in the pages from the foremost byte to the hindmost */
	uint64_t begin;   /* of the first window's span */
};

/* The multiples of `grain` that have a part of window `i`. */
static struct span rounded(const struct windows *windows, size_t i, size_t grain)
{
	const uint64_t offset = windows->offsets[i], end = offset + windows->length;
	return (struct span){offset / grain * grain, (end + grain - 1) / grain * grain};
}

static struct span either(struct span a, struct span b)
{
	return (struct span){a.begin < b.begin ? a.begin : b.begin, a.end > b.end ? a.end : b.end};
}

static struct span both(struct span a, struct span b)
{
	return (struct span){a.begin > b.begin ? a.begin : b.begin, a.end < b.end ? a.end : b.end};
}

static struct span span_of(const struct windows *windows, size_t i)
{
	return both(rounded(windows, i, windows->grain), windows->most);
}

/* The span of the window at `*i`, and of those that follow as long as they touch; moves `*i` behind them. */
static struct span next_span(const struct windows *windows, size_t *i)
{
	struct span span = span_of(windows, *i);
	while (++*i < windows->count) {
		const struct span next = span_of(windows, *i);
		if (windows->offsets[*i] < windows->offsets[*i - 1] || next.begin > span.end)
			break;
		span.end = next.end;
	}
	return span;
}

/*
 * Where a span goes if all before end at `at`: as the first one, as far into a huge page as in the file. There are
 * rooms only where the foremost and the hindmost, which are cut, stand between others.
 */
static size_t place_of(const struct windows *windows, struct span span, size_t at)
{
	return at + (size_t)((span.begin - windows->begin - at) % windows->grain);
}

/* The length of all spans, and of the rooms between them. */
static size_t spans_length(const struct windows *windows)
{
	size_t total = 0;
	for (size_t i = 0; i < windows->count;) {
		const struct span span = next_span(windows, &i);
		total = place_of(windows, span, total) + (size_t)(span.end - span.begin);
	}
	return total;
}

/*
 * Inaccessible pages keep the spans' places free until they are laid. One in front and one behind stay: without them
 * whatever is mapped next would be the neighbour, and nobody would notice who reads too far. What is said to be mapped
 * here is the page of the file before the first span's, or one as far into a huge page: so the kernel chooses a place
 * in which the file has huge pages.
 */
static char *reserve(const struct windows *windows, int descriptor, size_t length)
{
	const uint64_t before = (windows->begin + HUGE_PAGE - windows->page) % HUGE_PAGE;
	return map(NULL, length, PROT_NONE, MAP_SHARED, descriptor, (off_t)(length < HUGE_PAGE ? 0 : before));
}

/* Lays the spans one behind the other from `base` on. */
static bool lay(const struct windows *windows, int descriptor, char *base, size_t *places)
{
	const uint64_t first_byte = windows->offsets[0] - windows->begin;
	size_t at = 0;
	for (size_t first = 0, i = 0; first < windows->count; first = i) {
		const struct span span = next_span(windows, &i);
		const size_t length = (size_t)(span.end - span.begin);
		at = place_of(windows, span, at);
		if (map(base + at, length, PROT_READ, MAP_SHARED | MAP_FIXED, descriptor, (off_t)span.begin) ==
		        MAP_FAILED)
			return false;
		if (length >= HUGE_PAGE)
			mapping_prefer_huge_pages(base + at, length); /* for what is not in memory yet */
		for (size_t k = first; k < i; k++)
			places[k] = at + (size_t)(windows->offsets[k] - span.begin - first_byte);
		at += length;
	}
	return true;
}

/* In multiples of `grain`. */
static bool open_windows(struct mapping *mapping, int descriptor, struct windows *windows, size_t grain, size_t *places)
{
	windows->grain = grain;
	windows->begin = span_of(windows, 0).begin;
	const size_t page = windows->page, total = spans_length(windows);
	char *reserved = reserve(windows, descriptor, page + total + page);
	if (reserved == MAP_FAILED)
		return false;
	char *base = reserved + page;
	if (!lay(windows, descriptor, base, places)) {
		int reason = errno;
		unmap(reserved, page + total + page);
		errno = reason;
		return false;
	}
	const size_t first_byte = (size_t)(windows->offsets[0] - windows->begin);
	*mapping = (struct mapping){(unsigned char *)base + first_byte, base, total};
	return true;
}

bool mapping_open_windows(
        struct mapping *mapping, int descriptor, const uint64_t *offsets, size_t count, size_t length, size_t *places)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct windows windows = {.offsets = offsets, .count = count, .length = length, .page = page};
	windows.most = rounded(&windows, 0, page);
	for (size_t i = 1; i < count; i++) /* in whatever order */
		windows.most = either(windows.most, rounded(&windows, i, page));
	if (count > 1 && count * length >= 2 * (size_t)HUGE_PAGE) {
		if (open_windows(mapping, descriptor, &windows, HUGE_PAGE, places))
			return true;
		if (errno != ENOMEM)
			return false;
	}
	return open_windows(mapping, descriptor, &windows, page, places);
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
