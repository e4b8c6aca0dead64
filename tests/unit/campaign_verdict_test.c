#include "coordinator/campaign_verdict.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>

TestSuite(campaign_verdict, .timeout = 10);

/* What a run without any defect looks like. */
static struct evidence success(void)
{
	return (struct evidence){.has_result = true, .result_is_same = true};
}

static struct evidence failure(int status)
{
	return (struct evidence){.status = status, .message_lines = 1, .message_is_ours = true};
}

static struct evidence death(int number)
{
	return (struct evidence){.was_signalled = true, .status = number, .result_is_same = true};
}

static enum verdict judge(struct evidence evidence)
{
	char reason[160];
	return verdict_of(&evidence, reason, sizeof reason);
}

Test(campaign_verdict, same_bytes_and_status_0_are_identical)
{
	cr_assert_eq(judge(success()), VERDICT_IDENTICAL);
}

Test(campaign_verdict, other_bytes_with_status_0_are_wrong)
{
	struct evidence evidence = success();
	evidence.result_is_same = false;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

Test(campaign_verdict, a_success_has_nothing_to_say_on_standard_error)
{
	struct evidence evidence = success();
	evidence.message_lines = 1;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

struct status_row {
	int status;
	bool clean;
	bool clean_under_drop; /* a policy that goes on without rows */
};

ParameterizedTestParameters(campaign_verdict, an_error_is_clean_by_its_exit_status)
{
	static struct status_row rows[] = {
	        {1, false, false},
	        {3, false, true},
	        {4, true, true},
	        {64, false, false},
	        {65, false, false},
	        {66, false, false},
	        {71, true, true},
	        {73, true, true},
	        {78, false, false},
	        {130, false, false},
	        {255, false, false},
	};
	return cr_make_param_array(struct status_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct status_row *row, campaign_verdict, an_error_is_clean_by_its_exit_status)
{
	struct evidence evidence = failure(row->status);
	cr_assert_eq(judge(evidence), row->clean ? VERDICT_CLEAN_ERROR : VERDICT_WRONG, "%d", row->status);
	evidence.may_degrade = true;
	cr_assert_eq(judge(evidence), row->clean_under_drop ? VERDICT_CLEAN_ERROR : VERDICT_WRONG, "%d", row->status);
}

Test(campaign_verdict, an_error_without_a_message_is_wrong)
{
	struct evidence evidence = failure(4);
	evidence.message_lines = 0;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

Test(campaign_verdict, an_error_of_two_lines_is_wrong)
{
	struct evidence evidence = failure(4);
	evidence.message_lines = 2;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

Test(campaign_verdict, the_message_of_a_library_is_wrong)
{
	struct evidence evidence = failure(4);
	evidence.message_is_ours = false;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

Test(campaign_verdict, a_result_beside_an_error_is_wrong)
{
	struct evidence evidence = failure(71);
	evidence.has_result = true;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

Test(campaign_verdict, the_result_may_come_beside_a_checkpoint_that_cannot_be_written)
{
	struct evidence evidence = failure(73);
	evidence.has_result = evidence.result_is_same = true;
	cr_assert_eq(judge(evidence), VERDICT_CLEAN_ERROR);
	evidence.result_is_same = false;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

Test(campaign_verdict, a_degraded_result_comes_with_status_4)
{
	struct evidence evidence = failure(4);
	evidence.has_result = evidence.may_degrade = true;
	cr_assert_eq(judge(evidence), VERDICT_CLEAN_ERROR);
}

Test(campaign_verdict, a_crash_is_wrong)
{
	cr_assert_eq(judge(death(SIGSEGV)), VERDICT_WRONG);
}

Test(campaign_verdict, a_coordinator_killed_by_a_fault_is_a_clean_error)
{
	struct evidence evidence = death(SIGKILL);
	evidence.kill_was_asked = true;
	cr_assert_eq(judge(evidence), VERDICT_CLEAN_ERROR);
}

Test(campaign_verdict, half_a_model_of_a_killed_coordinator_is_wrong)
{
	struct evidence evidence = death(SIGKILL);
	evidence.kill_was_asked = evidence.has_result = true;
	evidence.result_is_same = false;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

Test(campaign_verdict, who_did_not_end_in_time_hangs)
{
	struct evidence evidence = death(SIGKILL);
	evidence.timed_out = true;
	cr_assert_eq(judge(evidence), VERDICT_HANG);
}

Test(campaign_verdict, a_process_that_is_left_is_a_leak)
{
	struct evidence evidence = success();
	evidence.processes = 1;
	cr_assert_eq(judge(evidence), VERDICT_LEAK);
}

Test(campaign_verdict, a_descriptor_that_is_left_is_a_leak)
{
	struct evidence evidence = success();
	evidence.descriptors = 1;
	cr_assert_eq(judge(evidence), VERDICT_LEAK);
}

Test(campaign_verdict, who_ends_early_has_opened_fewer_descriptors)
{
	struct evidence evidence = failure(73);
	evidence.descriptors = -2;
	cr_assert_eq(judge(evidence), VERDICT_CLEAN_ERROR);
}

Test(campaign_verdict, a_file_that_is_left_is_a_leak)
{
	struct evidence evidence = failure(73);
	evidence.files = 1;
	cr_assert_eq(judge(evidence), VERDICT_LEAK);
}

Test(campaign_verdict, a_wrong_result_is_told_before_a_leak)
{
	struct evidence evidence = success();
	evidence.result_is_same = false;
	evidence.processes = 1;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}

Test(campaign_verdict, the_reason_names_what_was_left)
{
	struct evidence evidence = success();
	char reason[160];
	evidence.processes = 2;
	verdict_of(&evidence, reason, sizeof reason);
	cr_assert_str_eq(reason, "it left 2 processes");
}

Test(campaign_verdict, only_two_verdicts_are_no_failure)
{
	static const bool failures[VERDICT_COUNT] = {
	        [VERDICT_WRONG] = true,
	        [VERDICT_HANG] = true,
	        [VERDICT_LEAK] = true,
	};
	for (unsigned verdict = 0; verdict < VERDICT_COUNT; verdict++)
		cr_assert_eq(verdict_is_failure((enum verdict)verdict), failures[verdict]);
}

Test(campaign_verdict, who_is_resumed_has_to_succeed)
{
	struct evidence evidence = success();
	evidence.is_resumed = true;
	cr_assert_eq(judge(evidence), VERDICT_IDENTICAL);
	evidence.result_is_same = false;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
	evidence = failure(4);
	evidence.is_resumed = true;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
	evidence = death(SIGKILL);
	evidence.is_resumed = evidence.kill_was_asked = true;
	cr_assert_eq(judge(evidence), VERDICT_WRONG);
}
