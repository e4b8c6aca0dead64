/* What a worker has of the world: two pipes, standard error, and the pages of its own rows. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/inspection_linux.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 4, ROWS = 20000, FEATURES = 9, DESCRIPTORS_MAX = 64, MAPPINGS_MAX = 32 };

TestSuite(worker_world, .init = workspace_open, .fini = workspace_close, .timeout = 120);

struct file {
	char name[8];
	bool fortran;
	char features[32]; /* of the configuration */
	size_t columns;    /* that are used */
};

/* A run that has been through some epochs. */
static struct run *start(const struct file *file)
{
	struct table table = table_new(ROWS, FEATURES, 0.5, 1);
	if (strcmp(file->name, "x.csv") == 0)
		table_write_csv(&table, workspace_path(file->name), (struct csv_style){0});
	else
		table_write_npy(&table, workspace_path(file->name), (struct npy_style){.fortran = file->fortran});
	table_release(&table);
	workspace_configure("{\"dataset\": {\"path\": \"%s\", \"features\": %s}, \"workers\": %d, \"training\": "
	                    "{\"epochs\": 4000000000, \"tolerance\": 0}, \"output\": {\"events\": \"events\"}}",
	        file->name, file->features, WORKERS);
	struct run *run = workspace_start(TRAINING("--quiet"), NULL);
	cr_assert(events_wait(workspace_path("events"), "epoch_done", 3, 60));
	return run;
}

static pid_t worker_pid(unsigned worker)
{
	return events_pid(workspace_path("events"), worker);
}

static void end(struct run *run)
{
	run_signal(run, SIGKILL);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.signal, SIGKILL, "exit code %d: %s", result.exit_code, result.err);
	run_result_release(&result);
}

#define ALL_FEATURES "[0, 1, 2, 3, 4, 5, 6, 7, 8]"

ParameterizedTestParameters(worker_world, leaves_a_worker_three_descriptors)
{
	static struct file files[] = {
	        {"c.npy", false, ALL_FEATURES, FEATURES + 1},
	        {"f.npy", true, ALL_FEATURES, FEATURES + 1},
	        {"x.csv", false, ALL_FEATURES, FEATURES + 1},
	};
	return cr_make_param_array(struct file, files, sizeof files / sizeof files[0]);
}

/* How often the pipe is among the descriptors. */
static size_t count_ends(const struct open_descriptor *descriptors, size_t count, const char *pipe)
{
	size_t ends = 0;
	for (size_t i = 0; i < count; i++)
		ends += strcmp(descriptors[i].target, pipe) == 0;
	return ends;
}

/* Catches the mutations ends_kept_by_parent and sibling_descriptors. */
ParameterizedTest(struct file *file, worker_world, leaves_a_worker_three_descriptors)
{
	struct run *run = start(file);
	struct open_descriptor own[DESCRIPTORS_MAX], all[WORKERS * 3];
	size_t own_count = process_descriptors(run_pid(run), own, DESCRIPTORS_MAX);
	cr_assert(own_count <= DESCRIPTORS_MAX);
	for (unsigned worker = 0; worker < WORKERS; worker++) {
		struct open_descriptor found[DESCRIPTORS_MAX];
		size_t count = process_descriptors(worker_pid(worker), found, DESCRIPTORS_MAX);
		cr_assert(count == 3, "worker %u has %zu descriptors; the last is %d, %s", worker, count,
		        found[count - 1].number, found[count - 1].target);
		for (int i = 0; i < 3; i++)
			cr_assert_eq(found[i].number, i);
		memcpy(all + (size_t)worker * 3, found, 3 * sizeof *found);
	}
	for (size_t i = 0; i < WORKERS * 3; i++) {
		if (i % 3 == 2)
			continue; /* standard error, which all share */
		const char *pipe = all[i].target;
		cr_expect_eq(strncmp(pipe, "pipe:", 5), 0, "%s", pipe);
		cr_expect_eq(count_ends(all, WORKERS * 3, pipe), 1, "%s is open in two places", pipe);
		cr_expect_eq(count_ends(own, own_count, pipe), 1, "the coordinator has %s %zu times", pipe,
		        count_ends(own, own_count, pipe));
	}
	end(run);
}

ParameterizedTestParameters(worker_world, maps_only_the_pages_of_a_workers_own_rows)
{
	static struct file files[] = {
	        {"c.npy", false, ALL_FEATURES, FEATURES + 1},
	        {"f.npy", true, ALL_FEATURES, FEATURES + 1},
	        {"f.npy", true, "[2, 7]", 3},
	};
	return cr_make_param_array(struct file, files, sizeof files / sizeof files[0]);
}

struct pages {
	struct file_mapping mappings[MAPPINGS_MAX];
	size_t count;
	uint64_t bytes;
};

static void expect_read_only(const struct pages *pages, unsigned worker)
{
	for (size_t i = 0; i < pages->count; i++)
		cr_expect(pages->mappings[i].permissions[1] == '-' && pages->mappings[i].permissions[2] == '-',
		        "worker %u may %s", worker, pages->mappings[i].permissions);
}

/* Two chunks may meet inside a page, which then both have. */
static void expect_apart(const struct pages *left, const struct pages *right, uint64_t page)
{
	for (size_t i = 0; i < left->count; i++) {
		for (size_t j = 0; j < right->count; j++) {
			const struct file_mapping *a = &left->mappings[i];
			const struct file_mapping *b = &right->mappings[j];
			uint64_t begin = a->begin > b->begin ? a->begin : b->begin;
			uint64_t last = a->end < b->end ? a->end : b->end;
			cr_expect(last <= begin + page, "bytes %llu to %llu are mapped twice",
			        (unsigned long long)begin, (unsigned long long)last);
		}
	}
}

/* Catches the mutation writable_pages. */
ParameterizedTest(struct file *file, worker_world, maps_only_the_pages_of_a_workers_own_rows)
{
	static struct pages pages[WORKERS];
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	/* In C order the columns that are not used lie between those that are. */
	uint64_t used = (uint64_t)ROWS * 8 * (file->fortran ? file->columns : FEATURES + 1);
	uint64_t windows = file->fortran ? file->columns : 1;
	uint64_t mapped = 0;
	struct run *run = start(file);
	for (unsigned worker = 0; worker < WORKERS; worker++) {
		struct pages *own = &pages[worker];
		own->count =
		        process_mappings(worker_pid(worker), workspace_path(file->name), own->mappings, MAPPINGS_MAX);
		cr_assert(own->count == windows, "worker %u has %zu mappings", worker, own->count);
		for (size_t i = 0; i < own->count; i++)
			mapped += own->mappings[i].end - own->mappings[i].begin;
		expect_read_only(own, worker);
		for (unsigned other = 0; other < worker; other++)
			expect_apart(own, &pages[other], page);
	}
	cr_expect(
	        mapped >= used, "%llu bytes are mapped of %llu", (unsigned long long)mapped, (unsigned long long)used);
	cr_expect(mapped <= used + 2 * page * windows * WORKERS, "%llu bytes are mapped for %llu",
	        (unsigned long long)mapped, (unsigned long long)used);
	end(run);
}
