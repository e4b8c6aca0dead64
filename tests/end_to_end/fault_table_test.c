/* Is the list of faults that the tests go through the one that the program knows? */
#include "tests/end_to_end/fault_table.h"

#include "tests/end_to_end/fault_run.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(fault_table, .init = fault_lab_enter, .fini = fault_lab_leave, .timeout = 110);

static bool is_tested(const char *kind, const char *site)
{
	for (size_t i = 0; i < fault_row_count; i++)
		for (size_t j = 0; j < WORKER_SITES; j++)
			if (strcmp(fault_rows[i].kind, kind) == 0 && strcmp(worker_sites[j].name, site) == 0 &&
			        strchr(fault_rows[i].sites, worker_sites[j].letter) != NULL)
				return true;
	for (size_t i = 0; i < faults_elsewhere_count; i++)
		if (strcmp(faults_elsewhere[i].kind, kind) == 0 && strcmp(faults_elsewhere[i].site, site) == 0)
			return true;
	return false;
}

/* Does the program take a fault of that kind at that site? */
static bool is_possible(const char *kind, const char *site)
{
	char faults[128];
	struct run_options options = {.directory = fault_lab()};
	snprintf(faults, sizeof faults, "faults=[{\"kind\": \"%s\", \"site\": \"%s\"}]", kind, site);
	struct run_result result =
	        run_program(RUN_ARGV(coordinator_path(), "--config", "run.json", "--check", "--set", faults), &options);
	cr_assert(result.exit_code == 0 || result.exit_code == 78, "%s: %s", faults, result.err);
	bool possible = result.exit_code == 0;
	run_result_release(&result);
	return possible;
}

/* Kinds and sites are those of the published schema, of which another test shows that the program knows no others. */
Test(fault_table, every_kind_is_tested_at_every_site_where_the_program_takes_it)
{
	json_t *schema = json_from_file("configs/run.schema.json");
	json_t *kinds = json_at(schema, "properties.faults.items.properties.kind.enum"), *kind;
	json_t *sites = json_at(schema, "properties.faults.items.properties.site.enum"), *site;
	size_t i, j, pairs = 0;
	json_array_foreach(kinds, i, kind)
	{
		json_array_foreach(sites, j, site)
		{
			const char *kind_name = json_string_value(kind), *site_name = json_string_value(site);
			bool possible = is_possible(kind_name, site_name), tested = is_tested(kind_name, site_name);
			cr_expect_eq(possible, tested, "%s at %s is %s", kind_name, site_name,
			        possible ? "possible, and nobody tests it" : "tested, and not possible");
			pairs += possible;
		}
	}
	cr_expect(pairs > 100, "only %zu pairs", pairs);
	json_decref(schema);
}

static struct run_result run_with_checkpoints(const char *setting, const char *more)
{
	struct run_options options = {.directory = fault_lab()};
	return run_program(
	        RUN_ARGV(coordinator_path(), "--config", "run.json", "--json", "--set", "checkpoint.path=state",
	                "--set", "checkpoint.every_epochs=1", "--set", setting, more),
	        &options);
}

static void expect_no_draft(const char *faults)
{
	char *draft = path_join(fault_lab(), "state.forkfit-draft");
	cr_expect_not(file_exists(draft), "%s", faults);
	free(draft);
}

Test(fault_table, a_coordinator_that_is_killed_at_a_checkpoint_goes_on)
{
	static const char *const steps[] = {"draft", "write", "rename", "done"};
	for (size_t step = 0; step < sizeof steps / sizeof *steps; step++) {
		for (unsigned epoch = 1; epoch <= 3; epoch++) {
			char faults[160];
			snprintf(faults, sizeof faults,
			        "faults=[{\"kind\": \"kill\", \"site\": \"coordinator.checkpoint.%s\", \"epoch\": %u}]",
			        steps[step], epoch);
			struct run_result killed = run_with_checkpoints(faults, NULL);
			cr_expect_eq(killed.signal, SIGKILL, "%s:\n%s", faults, killed.err);
			cr_expect(session_ends(killed.pid, 5), "%s: a worker is left", faults);
			cr_expect_str_empty(killed.out);
			run_result_release(&killed);
			struct run_result next = run_with_checkpoints("faults=[]", "--resume");
			expect_identical(&next, faults);
			expect_no_draft(faults);
			run_result_release(&next);
		}
	}
}

Test(fault_table, the_result_does_not_hang_on_a_checkpoint)
{
	for (unsigned epoch = 1; epoch <= 3; epoch++) {
		char faults[160];
		snprintf(faults, sizeof faults,
		        "faults=[{\"kind\": \"no_space\", \"site\": \"coordinator.checkpoint.write\", \"epoch\": %u}]",
		        epoch);
		struct run_result result = run_with_checkpoints(faults, NULL);
		cr_expect_str_eq(result.out, fault_free_result(), "%s", faults);
		/* A later checkpoint makes up for one that is missing. */
		cr_expect_eq(result.exit_code, epoch == 3 ? 73 : 0, "%s:\n%s", faults, result.err);
		cr_expect_not_null(strstr(result.err, "cannot write state: No space left"), "%s", result.err);
		expect_no_draft(faults);
		run_result_release(&result);
	}
}
