#include "coordinator/campaign_report.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(campaign_report, .timeout = 10);

static const struct evidence succeeded = {.has_result = true, .result_is_same = true};
static const struct evidence lost = {.status = 4};
static const struct evidence killed = {.was_signalled = true, .status = 9, .was_resumed = true};

static struct fault at(enum fault_kind kind, enum fault_site site)
{
	struct fault fault = fault_default(kind);
	fault.site = site;
	return fault;
}

/* Six runs: with two faults in one row, with two in two, with a dead coordinator, and one without. */
static struct campaign_tally some_tally(void)
{
	struct campaign_tally tally = {.seed = 7};
	const struct fault twice[] = {at(FAULT_KILL, SITE_COMPUTE), at(FAULT_KILL, SITE_COMPUTE)};
	const struct fault both[] = {at(FAULT_KILL, SITE_COMPUTE), at(FAULT_FLIP, SITE_GRADIENT_WRITE)};
	const struct fault end = at(FAULT_KILL, SITE_COORDINATOR_EPOCH);
	campaign_tally_add(&tally, VERDICT_IDENTICAL, &succeeded, twice, 2);
	campaign_tally_add(&tally, VERDICT_IDENTICAL, &succeeded, both, 2);
	campaign_tally_add(&tally, VERDICT_CLEAN_ERROR, &lost, both, 2);
	campaign_tally_add(&tally, VERDICT_CLEAN_ERROR, &killed, &end, 1);
	campaign_tally_add(&tally, VERDICT_WRONG, &succeeded, both + 1, 1);
	campaign_tally_add(&tally, VERDICT_IDENTICAL, &succeeded, NULL, 0);
	return tally;
}

/* To be freed. */
static char *text_of(void (*report)(FILE *, const struct campaign_tally *))
{
	struct campaign_tally tally = some_tally();
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	report(out, &tally);
	fclose(out);
	return text;
}

Test(campaign_report, the_table_has_a_row_for_each_kind_at_each_site)
{
	char *text = text_of(campaign_report_table);
	cr_assert_str_eq(text,
	        "fault          at                               fired    identical    clean error    wrong    hang    "
	        "leak\n"
	        "kill           compute                              4            2              1        0       0    "
	        "   0\n"
	        "kill           coordinator.epoch                    1            0              1        0       0    "
	        "   0\n"
	        "flip           gradient.write                       3            1              1        1       0    "
	        "   0\n"
	        "all faults     of 6 runs                            8            3              2        1       0    "
	        "   0\n"
	        "\n"
	        "seed 7; a run counts in the row of each of its faults; 1 had none\n"
	        "clean errors: 1 with exit status 4 (workers lost), 1 killed by a fault\n"
	        "resumed from their checkpoints, 1 of these came to the same result\n",
	        "%s", text);
	free(text);
}

Test(campaign_report, the_json_says_the_same)
{
	char *text = text_of(campaign_report_json);
	cr_assert_str_eq(text,
	        "{\n"
	        "  \"seed\": 7,\n"
	        "  \"runs\": 6,\n"
	        "  \"verdicts\": { \"identical\": 3, \"clean_error\": 2, \"wrong\": 1, \"hang\": 0, \"leak\": 0 },\n"
	        "  \"clean_errors\": { \"killed\": 1, \"4\": 1 },\n"
	        "  \"resumed\": 1,\n"
	        "  \"runs_without_fault\": 1,\n"
	        "  \"fired\": 8,\n"
	        "  \"faults\": [\n"
	        "    { \"kind\": \"kill\", \"site\": \"compute\", \"fired\": 4, \"identical\": 2, \"clean_error\": 1, "
	        "\"wrong\": 0, \"hang\": 0, \"leak\": 0 },\n"
	        "    { \"kind\": \"kill\", \"site\": \"coordinator.epoch\", \"fired\": 1, \"identical\": 0, "
	        "\"clean_error\": 1, \"wrong\": 0, \"hang\": 0, \"leak\": 0 },\n"
	        "    { \"kind\": \"flip\", \"site\": \"gradient.write\", \"fired\": 3, \"identical\": 1, "
	        "\"clean_error\": 1, \"wrong\": 1, \"hang\": 0, \"leak\": 0 }\n"
	        "  ]\n"
	        "}\n",
	        "%s", text);
	free(text);
}

Test(campaign_report, only_defects_are_failures)
{
	struct campaign_tally tally = some_tally();
	cr_assert_eq(campaign_tally_failures(&tally), 1);
}
