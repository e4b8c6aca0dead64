#include "coordinator/activity.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(activity, .timeout = 30);

static struct activity activity;

static void begin(void)
{
	activity_init(&activity);
}

static void end(void)
{
	activity_release(&activity);
}

static void add(uint32_t worker, uint64_t from, uint64_t to, bool lost)
{
	cr_assert(activity_add(&activity, worker, (struct range){from, to}, lost));
}

Test(activity, tells_how_much_of_each_bin_was_used, .init = begin, .fini = end)
{
	char text[ACTIVITY_BINS + 1];
	uint64_t bin = activity.bin_ns;
	add(1, 0, bin, false);
	add(1, 2 * bin, 2 * bin + 1, false); /* hardly anything is more than nothing */
	add(1, 3 * bin + bin / 2, 5 * bin, false);
	add(1, bin, 2 * bin, true);
	cr_assert_eq(activity_bins(&activity, 5 * bin), 5);
	activity_digits(&activity, 1, false, 5, text);
	cr_expect_str_eq(text, "90159");
	activity_digits(&activity, 1, true, 5, text);
	cr_expect_str_eq(text, "09000");
	activity_digits(&activity, 0, false, 5, text);
	cr_expect_str_eq(text, "00000");
	cr_expect_eq(activity.workers[1].busy_ns, bin + 1 + bin + bin / 2);
}

Test(activity, has_bounded_memory_for_runs_of_any_length, .init = begin, .fini = end)
{
	uint64_t day = UINT64_C(86400000000000);
	add(0, 0, 1000000, false);
	add(0, 365 * day, 365 * day + 1000, true);
	uint32_t bins = activity_bins(&activity, 365 * day + 1000);
	cr_expect(bins > ACTIVITY_BINS / 2 && bins <= ACTIVITY_BINS, "%u", bins);
	cr_expect_float_eq(activity.workers[0].busy[0], 1e6, 1);
	cr_expect_float_eq(activity.workers[0].lost[bins - 1], 1000, 1);
}

Test(activity, knows_of_workers_that_it_has_no_room_for, .init = begin, .fini = end)
{
	add(ACTIVITY_WORKERS + 5, 0, 1000, false);
	cr_expect_eq(activity.count, ACTIVITY_WORKERS + 6);
	cr_expect_eq(activity.allocated, 0);
}
