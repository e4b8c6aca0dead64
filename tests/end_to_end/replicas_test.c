/* Workers that compute the same rows: a lie is outvoted or told, and rows are lost with the last of them only. */
#include "tests/end_to_end/fault_run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(replicas, .init = fault_lab_enter, .fini = fault_lab_leave, .timeout = 110);

/* Catches the mutation replicas_not_compared. */
Test(replicas, a_lie_is_outvoted_by_two_and_told_by_one)
{
	static const char faults[] = "[{\"kind\": \"lie\", \"worker\": 1, \"epoch\": 2}]";
	struct run_result three = fault_run(&(struct fault_run){.faults = faults, .recovery = "\"replicas\": 3"});
	expect_identical(&three, faults);
	cr_expect(fault_has_fired("lie", "compute"));
	run_result_release(&three);
	struct run_result two = fault_run(&(struct fault_run){.faults = faults, .recovery = "\"replicas\": 2"});
	cr_expect_eq(two.exit_code, 4);
	cr_expect_not_null(strstr(two.err, "one of them lies"), "%s", two.err);
	cr_expect_str_empty(two.out);
	run_result_release(&two);
}

/* Under the policy "drop", with three shares: workers 1, 4 and 7 have the same rows. */
struct dropped {
	char faults[200];
	char recovery[64];
	int exit_code; /* 0: the result is identical */
	char message[64];
};

Test(replicas, rows_are_dropped_with_their_last_replica_only)
{
	static const struct dropped cases[] = {
	        {"[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 2}]", "\"replicas\": 2", 0,
	                "the rows of worker 1 have 1 of 2 replicas left"},
	        {"[{\"kind\": \"kill\", \"worker\": 4, \"site\": \"load\"}]", "\"replicas\": 2", 0,
	                "the rows of worker 4 have 1 of 2 replicas left"},
	        {"[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 1, \"site\": \"gradient.write\", \"byte\": 9999}]",
	                "\"replicas\": 2", 0, "have 1 of 2 replicas left"},
	        {"[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 1}, {\"kind\": \"kill\", \"worker\": 4, \"epoch\": "
	         "2}]",
	                "\"replicas\": 2", 4, "the result is degraded: 4 rows were lost"},
	        {"[{\"kind\": \"lie\", \"worker\": 7, \"epoch\": 2}]", "\"replicas\": 3", 0,
	                "have 2 of 3 replicas left"},
	        {"[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 1}, {\"kind\": \"lie\", \"worker\": 7, \"epoch\": "
	         "2}]",
	                "\"replicas\": 3", 4, "one of them lies"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char recovery[128];
		snprintf(recovery, sizeof recovery, "\"policy\": \"drop\", %s", cases[i].recovery);
		struct run_result result =
		        fault_run(&(struct fault_run){.faults = cases[i].faults, .recovery = recovery});
		if (cases[i].exit_code == 0)
			expect_identical(&result, cases[i].faults);
		cr_expect_eq(result.exit_code, cases[i].exit_code, "%s", cases[i].faults);
		cr_expect_not_null(strstr(result.err, cases[i].message), "%s:\n%s", cases[i].faults, result.err);
		run_result_release(&result);
	}
}

/*
 * Worker 1 lies, answers a second time, and is replaced for that before worker 4, on the same rows, has answered: only
 * what its replacement says is compared. Catches the mutation replacement_has_answered.
 */
Test(replicas, the_answer_of_a_worker_that_is_replaced_is_forgotten)
{
	static const char faults[] = "[{\"kind\": \"lie\", \"worker\": 1, \"epoch\": 2},"
	                             " {\"kind\": \"duplicate\", \"worker\": 1, \"epoch\": 2},"
	                             " {\"kind\": \"slow\", \"worker\": 1, \"incarnation\": 1, \"ms\": 150},"
	                             " {\"kind\": \"slow\", \"worker\": 4, \"epoch\": 2, \"ms\": 100}]";
	struct run_result result = fault_run(&(struct fault_run){.faults = faults, .recovery = "\"replicas\": 2"});
	expect_identical(&result, faults);
	cr_expect(fault_has_fired("lie", "compute"));
	cr_expect(fault_has_fired("duplicate", "gradient.write"));
	run_result_release(&result);
}
