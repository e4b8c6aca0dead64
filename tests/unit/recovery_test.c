/* What is done about a lost worker, and when it is not done any more. */
#include "coordinator/recovery.h"

#include <criterion/criterion.h>

#define SECOND UINT64_C(1000000000)

TestSuite(recovery, .timeout = 10);

static struct recovery made(enum recovery_policy policy, uint32_t max_restarts, double window_s)
{
	struct recovery recovery;
	cr_assert(recovery_init(&recovery, policy, max_restarts, window_s));
	return recovery;
}

Test(recovery, follows_the_policy)
{
	static const struct {
		enum recovery_policy policy;
		enum recovery_decision decision;
	} rows[] = {
	        {RECOVERY_RESPAWN, DECIDE_RESTART},
	        {RECOVERY_REDISTRIBUTE, DECIDE_REDISTRIBUTE},
	        {RECOVERY_DROP, DECIDE_DROP},
	        {RECOVERY_ABORT, DECIDE_END},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct recovery recovery = made(rows[i].policy, 5, 10);
		cr_expect_eq(recovery_decide(&recovery, SECOND, 1), rows[i].decision);
		recovery_release(&recovery);
	}
}

/* Catches the mutation one_restart_too_many. */
Test(recovery, restarts_as_often_as_is_allowed_within_the_window_and_then_ends)
{
	for (uint32_t allowed = 0; allowed < 20; allowed++) {
		struct recovery recovery = made(RECOVERY_RESPAWN, allowed, 10);
		for (uint32_t i = 0; i < allowed; i++)
			cr_expect_eq(recovery_decide(&recovery, i, 1), DECIDE_RESTART, "restart %u of %u", i, allowed);
		cr_expect_eq(recovery_decide(&recovery, 10 * SECOND, 1), DECIDE_END_INTENSITY, "allowed %u", allowed);
		recovery_release(&recovery);
	}
}

Test(recovery, forgets_restarts_that_are_older_than_the_window)
{
	struct recovery recovery = made(RECOVERY_RESPAWN, 2, 10);
	/* Three in any ten seconds would be too many: these are eleven seconds apart, two by two. */
	for (uint64_t i = 0; i < 100; i++) {
		cr_expect_eq(recovery_decide(&recovery, i * 11 * SECOND, 1), DECIDE_RESTART);
		cr_expect_eq(recovery_decide(&recovery, (i * 11 + 1) * SECOND, 1), DECIDE_RESTART);
	}
	cr_expect_eq(recovery_decide(&recovery, 99 * 11 * SECOND + 2 * SECOND, 1), DECIDE_END_INTENSITY);
	recovery_release(&recovery);
}

/* Catches the mutation poison_unbounded. */
Test(recovery, gives_rows_up_that_end_every_worker_even_where_restarts_are_plenty)
{
	struct recovery recovery = made(RECOVERY_RESPAWN, 1000000, 10);
	for (uint32_t deaths = 1; deaths < POISON_DEATHS; deaths++)
		cr_expect_eq(recovery_decide(&recovery, 0, deaths), DECIDE_RESTART);
	cr_expect_eq(recovery_decide(&recovery, 0, POISON_DEATHS), DECIDE_END_POISON);
	recovery_release(&recovery);
}
