#include "common/mapping.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file of eight pages and a bit, of which every byte tells where it is. */
static FILE *file;
static int descriptor;
static size_t page, file_length;

static unsigned char byte_at(uint64_t offset)
{
	return (unsigned char)(offset ^ offset >> 8 ^ (offset >> 12) * 31);
}

static void make_file(void)
{
	page = (size_t)sysconf(_SC_PAGESIZE);
	file_length = 8 * page + 123;
	file = tmpfile();
	cr_assert_not_null(file);
	for (size_t i = 0; i < file_length; i++)
		putc(byte_at(i), file);
	cr_assert_eq(fflush(file), 0);
	descriptor = fileno(file);
}

static void close_file(void)
{
	fclose(file);
}

TestSuite(mapping, .init = make_file, .fini = close_file, .timeout = 20);

static bool shows(const unsigned char *bytes, uint64_t offset, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (bytes[i] != byte_at(offset + i))
			return false;
	return true;
}

/* What of the file is mapped, as the kernel tells it: whether each page of it is, and nothing twice. */
enum { PAGES_MAX = 16 };

struct view {
	unsigned times[PAGES_MAX]; /* for each page of the file, how often it is mapped */
	bool only_readable;
};

static struct view view_of_file(void)
{
	struct view view = {.only_readable = true};
	struct stat status;
	char line[512];
	FILE *maps = fopen("/proc/self/maps", "r");
	cr_assert(maps != NULL && fstat(descriptor, &status) == 0);
	while (fgets(line, sizeof line, maps) != NULL) {
		uint64_t begin, end, offset, inode;
		char protection[5];
		cr_assert_eq(sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %" SCNu64, &begin, &end,
		                     protection, &offset, &inode),
		        5);
		if (inode != status.st_ino || strcmp(protection, "---s") == 0) /* those are the guard pages */
			continue;
		view.only_readable = view.only_readable && strcmp(protection, "r--s") == 0;
		for (; begin < end; begin += page, offset += page) {
			cr_assert(offset / page < PAGES_MAX, "%s", line);
			view.times[offset / page]++;
		}
	}
	fclose(maps);
	return view;
}

static void expect_view(const unsigned *times, const char *what)
{
	struct view view = view_of_file();
	cr_expect(view.only_readable, "%s", what);
	for (size_t i = 0; i < PAGES_MAX; i++)
		cr_expect_eq(view.times[i], times[i], "%s: page %zu is mapped %u times", what, i, view.times[i]);
}

static const unsigned nothing[PAGES_MAX] = {0};

Test(mapping, shows_the_bytes_from_any_offset_on)
{
	const uint64_t offsets[] = {0, 1, 7, page - 1, page, page + 1, 3 * page - 5, 8 * page, 8 * page + 100};
	const size_t lengths[] = {1, 2, 23, page - 1, page, page + 1, 3 * page, 8 * page};
	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
			struct mapping mapping;
			if (offsets[i] + lengths[j] > file_length)
				continue;
			cr_assert(mapping_open(&mapping, descriptor, offsets[i], lengths[j]));
			cr_expect(shows(mapping.bytes, offsets[i], lengths[j]), "%zu bytes from %" PRIu64, lengths[j],
			        offsets[i]);
			mapping_close(&mapping);
		}
	}
	expect_view(nothing, "after closing");
}

Test(mapping, maps_only_the_pages_asked_for)
{
	struct mapping mapping;
	cr_assert(mapping_open(&mapping, descriptor, 2 * page + 5, 2 * page));
	expect_view((unsigned[PAGES_MAX]){[2] = 1, [3] = 1, [4] = 1}, "a window from the middle of a page");
	mapping_close(&mapping);
	cr_assert(mapping_open(&mapping, descriptor, 2 * page, 2 * page));
	expect_view((unsigned[PAGES_MAX]){[2] = 1, [3] = 1}, "a window of whole pages");
	mapping_close(&mapping);
	cr_assert(mapping_open(&mapping, descriptor, file_length - 1, 1));
	expect_view((unsigned[PAGES_MAX]){[8] = 1}, "the last byte");
	mapping_close(&mapping);
	expect_view(nothing, "after closing");
}

/* Windows of so many bytes from each of these offsets; up to 4 of them, ended by LAST. */
#define LAST UINT64_MAX

Test(mapping, lays_windows_behind_each_other)
{
	const size_t lengths[] = {1, 8, 100, page - 3, page, 2 * page + 11};
	const uint64_t offsets[][5] = {
	        {0, LAST}, {3, 5 * page + 7, LAST}, {page - 1, 3 * page, 5 * page + 1, LAST},
	        {2 * page + 1, 2 * page + 9, 2 * page + 2, LAST}, /* in the same page */
	        {5 * page + 9, 3 * page + 5, page + 1, 0, LAST},  /* from the end to the start */
	};
	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		for (size_t j = 0; j < sizeof lengths / sizeof *lengths; j++) {
			struct mapping mapping;
			size_t places[4], count = 0;
			while (offsets[i][count] != LAST)
				count++;
			cr_assert(mapping_open_windows(&mapping, descriptor, offsets[i], count, lengths[j], places));
			for (size_t k = 0; k < count; k++)
				cr_expect(shows(mapping.bytes + places[k], offsets[i][k], lengths[j]),
				        "case %zu, window %zu of %zu bytes", i, k, lengths[j]);
			cr_expect_eq(places[0], 0);
			mapping_close(&mapping);
		}
	}
	expect_view(nothing, "after closing");
}

Test(mapping, maps_nothing_between_windows)
{
	const uint64_t offsets[] = {page + 5, 4 * page - 1, 7 * page};
	struct mapping mapping;
	size_t places[3];
	cr_assert(mapping_open_windows(&mapping, descriptor, offsets, 3, 16, places));
	expect_view((unsigned[PAGES_MAX]){[1] = 1, [3] = 1, [4] = 1, [7] = 1}, "three windows");
	mapping_close(&mapping);
	expect_view(nothing, "after closing");
}

enum { MEGABYTE = 1048576 };

/* Whether the kernel would show this byte where the first page of a huge one of the file has its place. */
static bool has_place_of_huge_page(const unsigned char *byte, uint64_t offset)
{
	return ((uintptr_t)byte - offset) % 2097152 == 0;
}

Test(mapping, lays_long_windows_where_the_kernel_can_map_huge_pages)
{
	const uint64_t offsets[] = {128, 9 * MEGABYTE + 5 * page + 11, 30 * MEGABYTE - 1, 25 * MEGABYTE};
	struct mapping mapping;
	size_t places[4];
	cr_assert_eq(ftruncate(descriptor, 40 * MEGABYTE), 0);
	cr_assert(mapping_open_windows(&mapping, descriptor, offsets, 4, 5 * MEGABYTE, places));
	for (size_t i = 1; i < 4; i++) {
		const unsigned char *first_huge = mapping.bytes - offsets[0];
		cr_expect(has_place_of_huge_page(mapping.bytes + places[i], offsets[i] + (uintptr_t)first_huge),
		        "window %zu", i);
		cr_expect(places[i] >= places[i - 1] + 5 * MEGABYTE, "window %zu", i);
		cr_expect_eq(mapping.bytes[places[i]], 0);
	}
	mapping_close(&mapping);
}

/* Each of a file's mapped parts from the first to the last address: where it begins in the file, and its length. */
static size_t parts_of_file(uint64_t (*parts)[2], size_t most)
{
	struct stat status;
	char line[512];
	size_t count = 0;
	FILE *maps = fopen("/proc/self/maps", "r");
	cr_assert(maps != NULL && fstat(descriptor, &status) == 0);
	while (fgets(line, sizeof line, maps) != NULL && count < most) {
		uint64_t begin, end, offset, inode;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " r--s %" SCNx64 " %*s %" SCNu64, &begin, &end, &offset,
		            &inode) != 4 ||
		        inode != status.st_ino)
			continue;
		parts[count][0] = offset;
		parts[count++][1] = end - begin;
	}
	fclose(maps);
	return count;
}

Test(mapping, maps_the_whole_of_huge_pages_that_long_windows_have_parts_of)
{
	enum { COUNT = 5, LENGTH = MEGABYTE + 300 };
	const uint64_t offsets[COUNT] = {3 * page + 128, 3 * MEGABYTE, 5 * MEGABYTE + 7, 11 * MEGABYTE, 13 * MEGABYTE};
	uint64_t parts[3][2];
	struct mapping mapping;
	size_t places[COUNT];
	cr_assert_eq(ftruncate(descriptor, 40 * MEGABYTE), 0);
	for (size_t i = 0; i < COUNT; i++)
		cr_assert_eq(pwrite(descriptor, &(char){(char)(i + 1)}, 1, (off_t)offsets[i] + LENGTH - 1), 1);
	cr_assert(mapping_open_windows(&mapping, descriptor, offsets, COUNT, LENGTH, places));
	for (size_t i = 0; i < COUNT; i++)
		cr_expect_eq(mapping.bytes[places[i] + LENGTH - 1], i + 1, "window %zu", i);
	cr_assert_eq(parts_of_file(parts, 3), 2);
	cr_expect_eq(parts[0][0], 3 * page);
	cr_expect_eq(parts[0][1], 8 * MEGABYTE - 3 * page);
	cr_expect_eq(parts[1][0], 10 * MEGABYTE);
	cr_expect_eq(parts[1][1], 4 * MEGABYTE + page, "it ends with the last window's last page");
	cr_expect_eq(mapping.mapped, parts[0][1] + parts[1][1]);
	mapping_close(&mapping);
	cr_expect_eq(parts_of_file(parts, 3), 0);
}

/* The columns of a file whose target is the first come in this order. */
Test(mapping, maps_nothing_before_the_foremost_window_nor_behind_the_hindmost)
{
	enum { LENGTH = 3 * MEGABYTE };
	const uint64_t offsets[] = {21 * MEGABYTE + 7, 29 * MEGABYTE + 7, 13 * MEGABYTE + 7};
	uint64_t parts[4][2];
	struct mapping mapping;
	size_t places[3];
	cr_assert_eq(ftruncate(descriptor, 40 * MEGABYTE), 0);
	for (size_t i = 0; i < 3; i++)
		cr_assert_eq(pwrite(descriptor, &(char){(char)(i + 1)}, 1, (off_t)offsets[i] + LENGTH - 1), 1);
	cr_assert(mapping_open_windows(&mapping, descriptor, offsets, 3, LENGTH, places));
	for (size_t i = 0; i < 3; i++)
		cr_expect_eq(mapping.bytes[places[i] + LENGTH - 1], i + 1, "window %zu", i);
	cr_assert_eq(parts_of_file(parts, 4), 3);
	cr_expect_eq(parts[0][0], 20 * MEGABYTE);
	cr_expect_eq(parts[0][1], 6 * MEGABYTE);
	cr_expect_eq(parts[1][0], 28 * MEGABYTE);
	cr_expect_eq(parts[1][1], 4 * MEGABYTE + page, "the hindmost ends with its last page");
	cr_expect_eq(parts[2][0], 13 * MEGABYTE, "the foremost begins with its first page");
	cr_expect_eq(parts[2][1], 5 * MEGABYTE);
	mapping_close(&mapping);
}

/* Where the file system does not care for huge pages, the kernel does not either, wherever it maps the file. */
Test(mapping, lies_where_the_kernel_can_map_huge_pages)
{
	const uint64_t offsets[] = {0, 128, 9 * MEGABYTE + 5 * page + 11, 34 * MEGABYTE - 1};
	cr_assert_eq(ftruncate(descriptor, 40 * MEGABYTE), 0);
	void *whole = mmap(NULL, 40 * MEGABYTE, PROT_READ, MAP_SHARED, descriptor, 0);
	void *rest = mmap(NULL, 39 * MEGABYTE, PROT_READ, MAP_SHARED, descriptor, (off_t)page);
	cr_assert(whole != MAP_FAILED && rest != MAP_FAILED);
	/* Both: one alone may lie so by chance. */
	bool kernel_cares = has_place_of_huge_page(whole, 0) && has_place_of_huge_page(rest, page);
	for (size_t i = 0; i < 4 && kernel_cares; i++) {
		struct mapping mapping;
		cr_assert(mapping_open(&mapping, descriptor, offsets[i], 5 * MEGABYTE));
		cr_expect(has_place_of_huge_page(mapping.bytes, offsets[i]), "from %" PRIu64 " on", offsets[i]);
		mapping_close(&mapping);
	}
	munmap(whole, 40 * MEGABYTE);
	munmap(rest, 39 * MEGABYTE);
}

Test(mapping, does_nothing_when_nothing_is_mapped)
{
	struct mapping mapping = {0};
	mapping_close(&mapping);
	cr_assert(mapping_open(&mapping, descriptor, 0, 1));
	mapping_close(&mapping);
	cr_expect_null(mapping.bytes);
	mapping_close(&mapping);
}

Test(mapping, says_why_it_fails)
{
	struct mapping mapping;
	size_t places[2];
	errno = 0;
	cr_expect(!mapping_open(&mapping, -1, 0, 1));
	cr_expect_eq(errno, EBADF);
	errno = 0;
	cr_expect(!mapping_open_windows(&mapping, -1, (uint64_t[]){0, page}, 2, 1, places));
	cr_expect_eq(errno, EBADF);
}

Test(mapping, keeps_no_window_when_a_later_one_fails)
{
	/* No file is so long: there is no such offset. */
	const uint64_t offsets[] = {0, 3 * page, UINT64_MAX / page * page};
	struct mapping mapping;
	size_t places[3];
	cr_expect(!mapping_open_windows(&mapping, descriptor, offsets, 3, 1, places));
	expect_view(nothing, "after the failure");
}

/* How much address space the process has, in bytes. */
static rlim_t address_space(void)
{
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");
	if (statm == NULL || fscanf(statm, "%lu", &pages) != 1)
		_exit(1);
	fclose(statm);
	return pages * page;
}

/* In a child: exits with 0 if too much is refused as it should be, and little is not. */
static void map_with_little_room(void)
{
	struct mapping mapping;
	size_t places[2];
	const uint64_t offsets[] = {0, 4 * page};
	rlim_t room = address_space() + 6 * page; /* two of them for guard pages */
	if (setrlimit(RLIMIT_AS, &(struct rlimit){room, room}) != 0)
		_exit(2);
	errno = 0;
	if (mapping_open(&mapping, descriptor, 0, 5 * page) || errno != ENOMEM)
		_exit(3);
	errno = 0;
	if (mapping_open_windows(&mapping, descriptor, offsets, 2, 3 * page, places) || errno != ENOMEM)
		_exit(4);
	if (!mapping_open(&mapping, descriptor, 0, 4 * page))
		_exit(5);
	mapping_close(&mapping);
	if (!mapping_open_windows(&mapping, descriptor, offsets, 2, 2 * page, places))
		_exit(6);
	_exit(shows(mapping.bytes + places[1], offsets[1], 2 * page) ? 0 : 7);
}

/* In a child: exits with 0 if two windows of 4 MiB get the room that they need, and none for huge pages. */
static void map_long_windows_with_little_room(void)
{
	enum { LENGTH = 4 << 20 };
	const uint64_t offsets[] = {0, LENGTH + page};
	struct mapping mapping;
	size_t places[2];
	if (ftruncate(descriptor, 2 * LENGTH + (off_t)page) != 0)
		_exit(1);
	rlim_t room = address_space() + 2 * LENGTH + 2 * page;
	if (setrlimit(RLIMIT_AS, &(struct rlimit){room, room}) != 0)
		_exit(2);
	if (!mapping_open_windows(&mapping, descriptor, offsets, 2, LENGTH, places))
		_exit(3);
	_exit(places[1] == LENGTH && shows(mapping.bytes, 0, 8 * page) ? 0 : 4);
}

static void expect_success_in_child(void (*step)(void))
{
	int status;
	pid_t child = fork();
	if (child == 0)
		step();
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "status %x", (unsigned)status);
}

Test(mapping, reports_an_address_space_that_is_full)
{
	expect_success_in_child(map_with_little_room);
}

Test(mapping, leaves_no_room_for_huge_pages_where_there_is_none)
{
	expect_success_in_child(map_long_windows_with_little_room);
}
