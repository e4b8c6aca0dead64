#include "coordinator/doubt.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(doubt, .timeout = 10);

static const double numbers[] = {1, 2, 3};
static const double not_a_number[] = {1, NAN, 3};
static const double infinite[] = {1, 2, INFINITY};

Test(doubt, numbers_are_believed)
{
	struct doubt doubt = {0};
	cr_assert_eq(doubt_take(&doubt, numbers, 3), DOUBT_NONE);
	cr_assert_eq(doubt_take(&doubt, numbers, 3), DOUBT_NONE);
}

/* Catches the mutation nan_believed. */
Test(doubt, what_is_no_number_is_doubted_once)
{
	struct doubt doubt = {0};
	cr_assert_eq(doubt_take(&doubt, infinite, 3), DOUBT_RAISED);
	cr_assert_eq(doubt_take(&doubt, infinite, 3), DOUBT_CONFIRMED);
}

Test(doubt, numbers_refute_it)
{
	struct doubt doubt = {0};
	cr_assert_eq(doubt_take(&doubt, not_a_number, 3), DOUBT_RAISED);
	cr_assert_eq(doubt_take(&doubt, numbers, 3), DOUBT_REFUTED);
	cr_assert_eq(doubt_take(&doubt, numbers, 3), DOUBT_NONE, "once, however many replicas there are");
}

Test(doubt, another_answer_without_numbers_confirms_nothing)
{
	struct doubt doubt = {0};
	cr_assert_eq(doubt_take(&doubt, not_a_number, 3), DOUBT_RAISED);
	cr_assert_eq(doubt_take(&doubt, infinite, 3), DOUBT_RAISED);
	cr_assert_eq(doubt_take(&doubt, infinite, 3), DOUBT_CONFIRMED);
}
