/* Chaos for more seeds than there is time for every day. `make soak` runs it. */
#include "tests/end_to_end/fault_run.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <string.h>

TestSuite(soak_faults, .init = fault_lab_enter, .fini = fault_lab_leave, .timeout = 3600);

/* Rows that end so many workers one after the other end the run: see FAULTS.md. */
enum { DEATHS_IN_A_ROW = 8 };

/* Its process goes on as if nothing had been, if the deadline is long enough. */
static bool is_harmless(const char *kind)
{
	return strcmp(kind, "stop") == 0 || strcmp(kind, "spin") == 0 || strcmp(kind, "slow") == 0 ||
	       strcmp(kind, "short_writes") == 0;
}

static bool has_struck(json_t *fired, unsigned worker, unsigned incarnation)
{
	json_t *fault;
	size_t index;
	json_array_foreach(fired, index, fault)
	{
		if (json_number_at(fault, "worker") == worker && json_number_at(fault, "incarnation") == incarnation &&
		        !is_harmless(json_string_at(fault, "kind")))
			return true;
	}
	return false;
}

/* Has chance ended each of the last eight incarnations of the worker that was struck last? */
static bool eight_in_a_row_were_struck(void)
{
	json_t *fired = faults_fired();
	json_t *last = json_array_get(fired, json_array_size(fired) - 1);
	unsigned worker = (unsigned)json_number_at(last, "worker");
	unsigned incarnation = (unsigned)json_number_at(last, "incarnation");
	bool all = incarnation + 1 >= DEATHS_IN_A_ROW;
	for (unsigned i = 0; all && i < DEATHS_IN_A_ROW; i++)
		all = has_struck(fired, worker, incarnation - i);
	json_decref(fired);
	return all;
}

/* The identical result; or, where eight workers in a row were struck, the error that says so. */
static void expect_survived_or_told(const struct run_result *result, const char *chaos)
{
	if (result->exit_code != 4) {
		expect_identical(result, chaos);
		return;
	}
	cr_expect_not_null(
	        strstr(result->err, "ended every worker that touched them, 8 in a row"), "%s:\n%s", chaos, result->err);
	cr_expect(eight_in_a_row_were_struck(), "%s: not all eight were struck:\n%s", chaos, result->err);
	cr_expect_str_empty(result->out);
}

ParameterizedTestParameters(soak_faults, chaos_under_each_number_of_workers)
{
	static unsigned workers[] = {1, 2, 3, 4, 6};
	return cr_make_param_array(unsigned, workers, sizeof workers / sizeof *workers);
}

ParameterizedTest(unsigned *workers, soak_faults, chaos_under_each_number_of_workers)
{
	static const char kinds[] =
	        "[\"kill\", \"segv\", \"exit\", \"stop\", \"spin\", \"slow\", \"truncate\", \"short_writes\","
	        " \"flip\", \"garbage\", \"duplicate\", \"stale\", \"wrong_worker\", \"oversized\","
	        " \"close\", \"deaf\", \"nan\", \"file_truncated\"]";
	unsigned told = 0;
	for (unsigned seed = 1; seed <= 500; seed++) {
		char chaos[512];
		snprintf(chaos, sizeof chaos, "\"chaos\": { \"seed\": %u, \"rate\": 0.1, \"kinds\": %s }", seed, kinds);
		struct run_result result =
		        fault_run(&(struct fault_run){.workers = *workers, .more = chaos, .timeout_s = 2});
		expect_survived_or_told(&result, chaos);
		told += result.exit_code != 0;
		run_result_release(&result);
	}
	/* Half of the incarnations are struck before they have answered, so hardly one run in a hundred ends so. */
	cr_expect_leq(told, 10);
}
