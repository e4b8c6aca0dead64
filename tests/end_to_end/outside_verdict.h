/* Is a run that something from outside has broken into what it must be? */
#ifndef FORKFIT_TESTS_END_TO_END_OUTSIDE_VERDICT_H
#define FORKFIT_TESTS_END_TO_END_OUTSIDE_VERDICT_H

#include "tests/end_to_end/harness.h"
#include "tests/end_to_end/outside_run.h"

/* Workers follow a coordinator that is killed within this time. */
#define OUTSIDE_FOLLOW_S 0.1

struct outside_ending {
	const struct outside_run *run;
	const struct run_result *result;
	struct outside_report report;
	const char *directory; /* in which it ran */
	const char *reference; /* what an undisturbed run prints */
};

/* Fails the test, in words that say which run it was, for everything that is wrong. */
void outside_judge(const struct outside_ending *ending, enum outside_verdict verdict);

#endif
