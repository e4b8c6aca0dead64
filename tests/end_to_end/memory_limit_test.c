/* Datasets that do not fit into the memory that the program may use. */
#include "tests/end_to_end/control_group.h"
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MEGABYTE (1024UL * 1024)

TestSuite(memory_limit, .init = workspace_open, .fini = workspace_close, .timeout = 120);

enum kind { KIND_CSV, KIND_C_ORDER, KIND_FORTRAN };

/* A file of at least so many bytes; its path. */
static const char *write_dataset(enum kind kind, size_t bytes)
{
	/* A number takes 8 bytes in an array and 12 at least as text. */
	enum { ROWS = 20000, FEATURES = 9, ARRAY_BYTES = ROWS * (FEATURES + 1) * 8, TEXT_BYTES = ARRAY_BYTES / 8 * 12 };
	static const char *const names[] = {"x.csv", "c.npy", "f.npy"};
	struct table table = table_new(ROWS, FEATURES, 0.5, 1);
	const char *path = workspace_path(names[kind]);
	struct stat status;
	if (kind == KIND_CSV)
		table_write_csv(&table, path, (struct csv_style){.repeat = bytes / TEXT_BYTES + 1});
	else
		table_write_npy(&table, path,
		        (struct npy_style){.fortran = kind == KIND_FORTRAN, .repeat = bytes / ARRAY_BYTES + 1});
	table_release(&table);
	cr_assert(stat(path, &status) == 0 && (size_t)status.st_size >= bytes);
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"workers\": 2, \"training\": {\"epochs\": 3, "
	                    "\"tolerance\": 0}}",
	        names[kind]);
	return path;
}

static void expect_same_result(const struct run_result *limited)
{
	struct run_result free_run = workspace_run(TRAINING("--json", "--quiet"), NULL);
	cr_expect_eq(limited->exit_code, 0, "exit code %d: %s", limited->exit_code, limited->err);
	cr_expect_str_eq(limited->out, free_run.out);
	run_result_release(&free_run);
}

ParameterizedTestParameters(memory_limit, does_not_keep_a_larger_file_from_its_result)
{
	static enum kind kinds[] = {KIND_CSV, KIND_C_ORDER, KIND_FORTRAN};
	return cr_make_param_array(enum kind, kinds, sizeof kinds / sizeof kinds[0]);
}

ParameterizedTest(enum kind *kind, memory_limit, does_not_keep_a_larger_file_from_its_result)
{
	/* The address space of the program and of each worker: less than a worker's half of the file. */
	static const struct run_limit limit = {RLIMIT_AS, 64 * MEGABYTE};
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer takes terabytes of address space");
	write_dataset(*kind, 160 * MEGABYTE);
	struct run_options options = {.limits = &limit, .limit_count = 1};
	struct run_result result = workspace_run(TRAINING("--json", "--quiet"), &options);
	expect_same_result(&result);
	run_result_release(&result);
}

/* Pages that are in the page cache already would be charged to nobody. */
static void drop_from_cache(const char *path)
{
	int descriptor = open(path, O_RDONLY);
	cr_assert(descriptor >= 0);
	cr_assert_eq(fsync(descriptor), 0);
	cr_assert_eq(posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED), 0);
	close(descriptor);
}

ParameterizedTestParameters(memory_limit, of_a_control_group_is_kept)
{
	static enum kind kinds[] = {KIND_CSV, KIND_C_ORDER};
	return cr_make_param_array(enum kind, kinds, sizeof kinds / sizeof kinds[0]);
}

ParameterizedTest(enum kind *kind, memory_limit, of_a_control_group_is_kept)
{
	const char *reason;
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer takes more memory than the group has");
	char *group = control_group_new(64 * MEGABYTE, &reason);
	if (group == NULL)
		cr_skip_test("%s", reason);
	drop_from_cache(write_dataset(*kind, 96 * MEGABYTE));
	struct run_result result =
	        workspace_run(RUN_ARGV("sh", "-c", "echo $$ >\"$0/cgroup.procs\" && exec \"$@\"", group,
	                              coordinator_path(), "--config", "run.json", "--json", "--quiet"),
	                NULL);
	expect_same_result(&result);
	run_result_release(&result);
	control_group_remove(group);
}
