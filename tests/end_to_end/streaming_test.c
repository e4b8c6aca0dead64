/* How much memory processes take while they run: it does not grow with the dataset. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/inspection_linux.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <unistd.h>

enum { WORKERS = 2, MEGABYTE_KB = 1024 };

TestSuite(streaming, .init = workspace_open, .fini = workspace_close, .timeout = 120);

static void write_array(const char *name, size_t megabytes, bool fortran)
{
	enum { ROWS = 12500, FEATURES = 9 }; /* a megabyte of 10^6 bytes */
	struct table table = table_new(ROWS, FEATURES, 0.5, 1);
	table_write_npy(&table, workspace_path(name), (struct npy_style){.fortran = fortran, .repeat = megabytes});
	table_release(&table);
}

struct use {
	long worker_kb;      /* anonymous memory of the worker that has the most: not the file's pages */
	long coordinator_kb; /* the most that was ever resident, of whatever kind */
};

/* Reads them in the third epoch, when each worker has gone over all its rows several times. */
static struct use measure(const char *dataset)
{
	struct use use = {0};
	const char *events = workspace_path("events");
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"workers\": %d, \"training\": {\"epochs\": 4000000000, "
	                    "\"tolerance\": 0}, \"output\": {\"events\": \"events\"}}",
	        dataset, WORKERS);
	unlink(events); /* of the run before */
	struct run *run = workspace_start(TRAINING("--quiet"), NULL);
	cr_assert(events_wait(events, "epoch_done", 3, 60));
	use.coordinator_kb = process_memory_kb(run_pid(run), "status", "VmHWM");
	for (unsigned worker = 0; worker < WORKERS; worker++) {
		long kilobytes = process_memory_kb(events_pid(events, worker), "smaps_rollup", "Anonymous");
		cr_assert(kilobytes > 0);
		if (kilobytes > use.worker_kb)
			use.worker_kb = kilobytes;
	}
	run_signal(run, SIGKILL);
	struct run_result result = run_finish(run);
	cr_assert_eq(result.signal, SIGKILL, "exit code %d: %s", result.exit_code, result.err);
	run_result_release(&result);
	cr_assert(use.coordinator_kb > 0);
	return use;
}

ParameterizedTestParameters(streaming, takes_no_more_memory_for_ten_times_the_rows)
{
	static bool orders[] = {false, true};
	return cr_make_param_array(bool, orders, sizeof orders / sizeof orders[0]);
}

ParameterizedTest(bool *fortran, streaming, takes_no_more_memory_for_ten_times_the_rows)
{
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer's own memory comes on top");
	write_array("small.npy", 20, *fortran);
	write_array("large.npy", 200, *fortran);
	struct use small = measure("small.npy");
	struct use large = measure("large.npy");
	cr_expect(large.worker_kb <= small.worker_kb + MEGABYTE_KB, "a worker's private memory: %ld kB, then %ld kB",
	        small.worker_kb, large.worker_kb);
	cr_expect(large.coordinator_kb < 10 * MEGABYTE_KB, "the coordinator's peak: %ld kB", large.coordinator_kb);
}

Test(streaming, keeps_the_coordinator_small_whatever_the_rows_of_a_csv)
{
	enum { ROWS = 20000, FEATURES = 9 };
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer's own memory comes on top");
	struct table table = table_new(ROWS, FEATURES, 0.5, 1);
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){.quoted = true, .repeat = 20});
	struct use use = measure("x.csv");
	cr_expect(use.coordinator_kb < 10 * MEGABYTE_KB, "the coordinator's peak: %ld kB", use.coordinator_kb);
	table_release(&table);
}
