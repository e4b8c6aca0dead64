/* A chunk that does not fit into the address space is read through windows, and has the same rows. */
#include "tests/unit/config_reading.h"
#include "tests/unit/dataset_files.h"

#include "common/calls.h"
#include "common/mapping.h"
#include "worker/isolation.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(chunk_windows, .init = scratch_enter, .fini = scratch_leave, .timeout = 60);

enum { ROWS = 100000, MEBIBYTE = 1 << 20 };

/* What a child found, as its exit status. */
enum finding { AS_EXPECTED, OTHER_ROWS, OTHER_ERROR, NO_LIMIT, LIMIT_TOO_WIDE, MANY_MAPPINGS };

/* How much address space the process has, in bytes. */
static rlim_t address_space(void)
{
	unsigned long pages = 0;
	FILE *statm = fopen("/proc/self/statm", "r");
	if (statm == NULL || fscanf(statm, "%lu", &pages) != 1)
		_exit(NO_LIMIT);
	fclose(statm);
	return pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

static void limit_address_space(rlim_t limit)
{
	if (setrlimit(RLIMIT_AS, &(struct rlimit){limit, RLIM_INFINITY}) != 0)
		_exit(NO_LIMIT);
}

/* Can the whole file be mapped? Then windows would not be needed, and the test would prove nothing. */
static bool file_fits(const struct dataset *dataset)
{
	struct mapping mapping;
	int descriptor = open(dataset->path, O_RDONLY);
	bool fits = mapping_open(&mapping, descriptor, 0, (size_t)dataset->identity.bytes);
	close(descriptor);
	return fits;
}

static void expect_child(pid_t child, rlim_t room)
{
	int status;
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == AS_EXPECTED, "status %x with room for %llu bytes",
	        (unsigned)status, (unsigned long long)room);
}

/* Reads the file in a process that may take only so much more address space. */
static void expect_same_rows(const struct dataset_file *file, rlim_t room, uint64_t cache_bytes)
{
	pid_t child = fork();
	if (child == 0) {
		limit_address_space(address_space() + room);
		if (file_fits(&file->dataset))
			_exit(LIMIT_TOO_WIDE);
		_exit(dataset_file_is_read(file, 1, cache_bytes) ? AS_EXPECTED : OTHER_ROWS);
	}
	expect_child(child, room);
}

Test(chunk_windows, show_the_rows_of_an_array)
{
	struct dataset_file file;
	dataset_file_init_npy(&file, "a.npy", ROWS, 4, ELEMENT_F8, false);
	expect_same_rows(&file, MEBIBYTE / 2, 0);
	dataset_file_release(&file);
}

Test(chunk_windows, show_the_rows_of_an_array_in_fortran_order)
{
	struct dataset_file file;
	dataset_file_init_npy(&file, "a.npy", ROWS, 4, ELEMENT_F8, true);
	expect_same_rows(&file, MEBIBYTE / 2, 0);
	dataset_file_release(&file);
}

Test(chunk_windows, show_the_rows_of_a_csv)
{
	struct dataset_file file;
	dataset_file_init_csv(&file, "a.csv", ROWS, 2, CSV_PLAIN, 0);
	expect_same_rows(&file, MEBIBYTE, 0);
	dataset_file_release(&file);
}

/* The text has 12 MB; a window has 4 MiB, and a leaf about 3 kB. */
enum { ROOM_FOR_MANY_LEAVES = 8 * MEBIBYTE };

static void count_mappings(void *context, const struct call *call)
{
	unsigned *count = context;
	*count += call->kind == CALL_MMAP;
}

/* Reads a CSV whose text does not fit, with fewer mappings than it has leaves. */
static enum finding read_in_few_mappings(const struct dataset_file *file)
{
	unsigned mappings = 0;
	limit_address_space(address_space() + ROOM_FOR_MANY_LEAVES);
	if (file_fits(&file->dataset))
		return LIMIT_TOO_WIDE;
	calls_watch((struct call_watcher){count_mappings, &mappings}, NULL);
	if (!dataset_file_is_read(file, 1, 0))
		return OTHER_ROWS;
	return mappings < file->leaf_count ? AS_EXPECTED : MANY_MAPPINGS;
}

/* A window for each leaf made an epoch over 274 MB take 54 s instead of 10. */
Test(chunk_windows, have_many_leaves_of_a_csv)
{
	struct dataset_file file;
	dataset_file_init_csv(&file, "a.csv", 4 * ROWS, 2, CSV_PLAIN, 0);
	pid_t child = fork();
	if (child == 0)
		_exit(read_in_few_mappings(&file));
	expect_child(child, ROOM_FOR_MANY_LEAVES);
	dataset_file_release(&file);
}

Test(chunk_windows, show_the_rows_of_a_csv_when_there_is_no_room_to_cache_what_may_be_cached)
{
	struct dataset_file file;
	dataset_file_init_csv(&file, "a.csv", ROWS, 2, CSV_PLAIN, 7);
	expect_same_rows(&file, MEBIBYTE, UINT64_MAX);
	dataset_file_release(&file);
}

Test(chunk_windows, show_the_rows_of_a_csv_with_newlines_in_fields)
{
	struct dataset_file file;
	dataset_file_init_csv(&file, "a.csv", ROWS, 2, CSV_QUOTED, 0);
	expect_same_rows(&file, MEBIBYTE, 0);
	dataset_file_release(&file);
}

Test(chunk_windows, are_made_longer_for_a_record_that_does_not_end_in_them)
{
	struct dataset_file file;
	dataset_file_init_csv(&file, "a.csv", 5000, 2, CSV_LONG, 0);
	expect_same_rows(&file, MEBIBYTE, 0);
	dataset_file_release(&file);
}

Test(chunk_windows, are_not_kept_from_growing_by_numbers_that_are_cached)
{
	struct dataset_file file;
	dataset_file_init_csv(&file, "a.csv", 10000, 20, CSV_LONG, 0);
	for (rlim_t room = MEBIBYTE * 5 / 8; room < 2 * MEBIBYTE; room += MEBIBYTE / 8)
		expect_same_rows(&file, room, UINT64_MAX);
	dataset_file_release(&file);
}

/* Loads a CSV through windows, then has no room for any more of them. */
static enum finding lose_all_room(const struct dataset_file *file)
{
	struct assignment assignment = dataset_file_assign(file, 1, 0);
	struct chunk_facts facts;
	struct worker_error error;
	struct leaf_rows rows;
	assignment.cache_bytes = 0;
	limit_address_space(address_space() + MEBIBYTE);
	struct chunk *chunk = chunk_new(&assignment, &facts, &error);
	if (chunk == NULL)
		return OTHER_ROWS;
	limit_address_space(0);
	if (chunk_leaf(chunk, 0, &rows, &error))
		return LIMIT_TOO_WIDE;
	return error.stage == STAGE_SYSTEM && error.system_error == ENOMEM ? AS_EXPECTED : OTHER_ERROR;
}

Test(chunk_windows, say_that_there_is_no_room_and_not_that_the_file_was_changed)
{
	struct dataset_file file;
	dataset_file_init_csv(&file, "a.csv", ROWS, 2, CSV_PLAIN, 0);
	pid_t child = fork();
	if (child == 0)
		_exit(lose_all_room(&file));
	expect_child(child, 0);
	dataset_file_release(&file);
}

/* FIRST_OVERHANG is that of worker/chunk_csv.c. */
enum { LEAVES = 8, LEAF_BYTES = 100000, FIRST_OVERHANG = 65536 };

/*
 * A CSV of eight leaves with a record at its start that ends so many bytes behind what is mapped at first; up to there
 * its last number looks whole.
 */
static void write_file_with_long_record(size_t behind)
{
	FILE *out = fopen("long.csv", "w");
	cr_assert_not_null(out);
	int padding = (int)(LEAF_BYTES + FIRST_OVERHANG + behind - strlen("1,,123456789\n"));
	fprintf(out, "1,%0*d,123456789\n", padding, 0);
	while (ftell(out) + 10 <= LEAVES * LEAF_BYTES)
		fputs("2,0,34567\n", out);
	while (ftell(out) < LEAVES * LEAF_BYTES)
		putc('\n', out);
	cr_assert_eq(fclose(out), 0);
}

/* Is the first leaf shown to have that one record, whole? */
static enum finding look_at_long_record(const struct assignment *assignment)
{
	struct chunk_facts facts;
	struct worker_error error;
	struct leaf_rows rows;
	double numbers[2];
	limit_address_space(address_space() + MEBIBYTE * 5 / 8);
	if (file_fits(&assignment->dataset))
		return LIMIT_TOO_WIDE;
	struct chunk *chunk = chunk_new(assignment, &facts, &error);
	if (chunk == NULL || !chunk_leaf(chunk, 0, &rows, &error))
		return OTHER_ERROR;
	for (int j = 0; j < 2; j++)
		memcpy(&numbers[j], rows.base + rows.offsets[j], sizeof numbers[j]);
	return rows.rows == 1 && numbers[0] == 1 && numbers[1] == 123456789 ? AS_EXPECTED : OTHER_ROWS;
}

Test(chunk_windows, cut_no_number_in_two)
{
	uint32_t columns[] = {0, 2};
	char path[] = "long.csv";
	if (ISOLATION_SANITIZED)
		cr_skip_test("a sanitizer takes more address space than there is room for");
	for (size_t behind = 0; behind < 15; behind++) {
		write_file_with_long_record(behind);
		struct assignment assignment = {
		        .dataset =
		                {.path = path, .file_columns = 3, .features = 1, .columns = columns, .delimiter = ','},
		        .leaf_count = LEAVES,
		        .leaves = {0, LEAVES},
		        .bytes = {0, LEAVES * LEAF_BYTES},
		        .quotes = true,
		};
		dataset_identify(&assignment.dataset);
		pid_t child = fork();
		if (child == 0)
			_exit(look_at_long_record(&assignment));
		expect_child(child, MEBIBYTE * 5 / 8);
	}
}
