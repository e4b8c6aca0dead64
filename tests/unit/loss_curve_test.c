#include "coordinator/loss_curve.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(loss_curve, .timeout = 10);

static struct loss_curve curve;
static char text[4 * LOSS_CURVE_POINTS];

static void expect_drawn(const char *expected)
{
	loss_curve_draw(&curve, text, sizeof text);
	cr_expect_str_eq(text, expected);
}

Test(loss_curve, is_empty_before_the_first_loss)
{
	expect_drawn("");
}

Test(loss_curve, falls_by_one_height_for_each_tenth_of_the_way)
{
	for (int power = 7; power >= 0; power--)
		loss_curve_add(&curve, pow(10, power));
	expect_drawn("█▇▆▅▄▃▂▁");
}

Test(loss_curve, without_height_lies_at_the_bottom)
{
	loss_curve_add(&curve, 3.5);
	loss_curve_add(&curve, 3.5);
	expect_drawn("▁▁");
}

/* What is left to gain shrinks by the same factor in every epoch, whatever the loss ends at. */
Test(loss_curve, comes_down_in_a_straight_line_to_a_loss_that_stays)
{
	for (int epoch = 0; epoch < 8; epoch++)
		loss_curve_add(&curve, 2.24e6 + 1e7 * pow(0.1, epoch));
	expect_drawn("█▇▆▅▄▃▂▁");
}

Test(loss_curve, takes_a_loss_of_zero)
{
	loss_curve_add(&curve, 1);
	loss_curve_add(&curve, 0);
	expect_drawn("█▁");
}

Test(loss_curve, leaves_out_what_is_not_finite)
{
	loss_curve_add(&curve, 1);
	loss_curve_add(&curve, INFINITY);
	loss_curve_add(&curve, NAN);
	loss_curve_add(&curve, 10);
	expect_drawn("▁█");
}

/* Every point belongs to an epoch that is a multiple of the stride, from the first on. */
Test(loss_curve, keeps_points_at_even_distances_however_long_a_run_is)
{
	for (uint64_t epoch = 0; epoch < 100000; epoch++) {
		loss_curve_add(&curve, (double)epoch);
		cr_assert_leq(curve.count, (size_t)LOSS_CURVE_POINTS);
		cr_assert(epoch < LOSS_CURVE_POINTS / 2 || curve.count >= LOSS_CURVE_POINTS / 2);
	}
	for (size_t i = 0; i < curve.count; i++)
		cr_expect_eq(curve.points[i], (double)(i * curve.stride), "point %zu is %g", i, curve.points[i]);
	cr_expect_gt(curve.count * curve.stride, UINT64_C(100000) - curve.stride);
}

Test(loss_curve, is_cut_behind_a_whole_character)
{
	loss_curve_add(&curve, 1);
	loss_curve_add(&curve, 1);
	loss_curve_draw(&curve, text, 6);
	cr_expect_str_eq(text, "▁");
	loss_curve_draw(&curve, text, 7);
	cr_expect_str_eq(text, "▁▁");
	loss_curve_draw(&curve, text, 1);
	cr_expect_str_eq(text, "");
}
