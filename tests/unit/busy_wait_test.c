#include "common/busy_wait.h"

#include "common/clock.h"
#include "worker/scheduling.h"

#include <criterion/criterion.h>
#include <unistd.h>

TestSuite(busy_wait, .timeout = 20);

static void learn(struct busy_wait *wait, unsigned times, uint64_t waited_ns)
{
	while (times-- > 0)
		busy_wait_learn(wait, waited_ns);
}

/* How many that come soon it takes until waiting awake pays. */
static unsigned taken(struct busy_wait *wait)
{
	unsigned times = 0;
	for (; !busy_wait_pays(wait); times++)
		busy_wait_learn(wait, 0);
	return times;
}

Test(busy_wait, pays_after_what_came_soon)
{
	struct busy_wait wait = {0};
	cr_expect(!busy_wait_pays(&wait), "nothing is known yet");
	learn(&wait, 1, BUSY_WAIT_NS);
	cr_expect(!busy_wait_pays(&wait));
	learn(&wait, 1, BUSY_WAIT_NS - 1);
	cr_expect(busy_wait_pays(&wait));
	learn(&wait, 1, BUSY_WAIT_NS);
	cr_expect(!busy_wait_pays(&wait));
}

Test(busy_wait, is_not_held_against_those_who_slept)
{
	struct busy_wait wait = {0};
	learn(&wait, 100000, UINT64_MAX);
	cr_expect_eq(taken(&wait), 1);
}

Test(busy_wait, comes_back_later_each_time_it_went_wrong)
{
	struct busy_wait wait = {0};
	unsigned before = taken(&wait);
	for (unsigned i = 0; i < 12; i++) {
		learn(&wait, 1, BUSY_WAIT_NS);
		unsigned now = taken(&wait);
		cr_expect_eq(now, 2 * before, "%u, then %u", before, now);
		before = now;
	}
	for (unsigned i = 0; i < 100; i++) {
		learn(&wait, 1, BUSY_WAIT_NS);
		cr_expect_eq(taken(&wait), before, "there is a limit");
	}
}

Test(busy_wait, comes_back_soon_when_it_has_gone_well)
{
	struct busy_wait wait = {0};
	for (unsigned i = 0; i < 20; i++) {
		taken(&wait);
		learn(&wait, 1, BUSY_WAIT_NS);
	}
	taken(&wait);
	learn(&wait, 10000, 0);
	cr_expect(busy_wait_pays(&wait), "all the time");
	learn(&wait, 1, BUSY_WAIT_NS);
	cr_expect_leq(taken(&wait), 2);
}

Test(busy_wait, ends_when_bytes_are_there_and_leaves_them)
{
	int ends[2];
	char byte = 0;
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(write(ends[1], "x", 1), 1);
	scheduling_wait_awake(ends[0], UINT64_MAX); /* or for ever */
	cr_expect_eq(read(ends[0], &byte, 1), 1);
	cr_expect_eq(byte, 'x');
	close(ends[0]);
	close(ends[1]);
}

Test(busy_wait, ends_in_time_where_nothing_comes)
{
	int ends[2];
	cr_assert_eq(pipe(ends), 0);
	uint64_t end_ns = clock_now_ns() + BUSY_WAIT_NS;
	scheduling_wait_awake(ends[0], end_ns);
	cr_expect_geq(clock_now_ns(), end_ns);
	close(ends[1]);
	scheduling_wait_awake(ends[0], clock_now_ns() + BUSY_WAIT_NS); /* at the pipe's end, too */
	close(ends[0]);
	scheduling_wait_awake(ends[0], UINT64_MAX); /* and at once where there is no pipe */
}
