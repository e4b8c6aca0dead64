#include "tests/end_to_end/long_run.h"

#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/event_reader.h"

#include <criterion/criterion.h>

/* Long enough for a busy machine and a sanitizer. */
static const double patience_s = 60;

static void configure(const char *dataset, int workers)
{
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"workers\": %d, \"training\": {\"epochs\": 4000000000, "
	                    "\"tolerance\": 0}, \"recovery\": {\"policy\": \"abort\"}, \"output\": {\"model\": "
	                    "\"model\", \"events\": \"events\"}}",
	        dataset, workers);
}

void long_run_prepare(void)
{
	struct table table = table_new(20000, 9, 0.5, 1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){.repeat = 10});
	table_release(&table);
	configure("x.npy", LONG_RUN_WORKERS);
}

struct run *long_run_start(const char *setting)
{
	/* AddressSanitizer would turn these two signals into an exit. */
	static const char *const environment[] = {"ASAN_OPTIONS=handle_segv=0:handle_sigbus=0", NULL};
	struct run_options options = {.environment = environment};
	struct run *run = workspace_start(TRAINING("--json", "--quiet", "--set", setting), &options);
	cr_assert(events_wait(workspace_path("events"), "epoch_done", 5, patience_s));
	return run;
}

struct run *long_load_start(void)
{
	struct table table = table_new(20000, 9, 0.5, 1);
	table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){.repeat = 50});
	table_release(&table);
	configure("x.csv", 1);
	struct run *run = workspace_start(TRAINING("--json", "--quiet"), NULL);
	cr_assert(events_wait(workspace_path("events"), "worker_forked", 1, patience_s));
	return run;
}

pid_t long_run_pid(unsigned worker)
{
	return events_pid(workspace_path("events"), worker);
}
