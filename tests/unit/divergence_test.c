#include "coordinator/divergence.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(divergence, .timeout = 10);

enum { NEVER = 0 };

/* Even in [-1, 1). */
static double noise(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-52 - 1.0;
}

/* In which epoch of Σ coefficient_i · ratio_i^t training counts as diverging. */
static int epoch_seen(const double *coefficients, const double *ratios, int modes, double target_square, int epochs)
{
	struct divergence divergence;
	divergence_init(&divergence, target_square);
	for (int t = 0; t < epochs; t++) {
		double loss = 0;
		for (int i = 0; i < modes; i++)
			loss += coefficients[i] * pow(ratios[i], t);
		if (divergence_seen(&divergence, loss))
			return t + 1;
	}
	return NEVER;
}

Test(divergence, never_takes_noise_around_a_minimum_for_it)
{
	static const double sizes[] = {1e-16, 1e-14, 1e-12, 1e-11};
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct divergence divergence;
		uint64_t state = i;
		divergence_init(&divergence, 1.0);
		for (int epoch = 0; epoch < 1000000; epoch++) {
			double loss = 0.5 * (1.0 + sizes[i] * noise(&state));
			cr_assert_not(divergence_seen(&divergence, loss), "noise %g, epoch %d", sizes[i], epoch);
		}
	}
}

/* Noise with a memory: each loss is the last one and a little. Runs of ten rises come often, of a little each. */
Test(divergence, never_takes_a_random_walk_of_rounding_for_it)
{
	struct divergence divergence;
	uint64_t state = 5;
	double loss = 0.5;
	int rises = 0, longest = 0;
	divergence_init(&divergence, 1.0);
	for (int epoch = 0; epoch < 1000000; epoch++) {
		double before = loss;
		loss += 1e-14 * noise(&state);
		rises = loss > before ? rises + 1 : 0;
		longest = rises > longest ? rises : longest;
		cr_assert_not(divergence_seen(&divergence, loss), "epoch %d", epoch);
	}
	cr_expect_gt(longest, 10);
}

/* With y = w·x + b exactly, the loss at the minimum is the rounding of the target squared, and rises by any factor. */
Test(divergence, never_takes_the_noise_of_a_perfect_fit_for_it)
{
	static const double scales[] = {1e-6, 1, 1e6}; /* of the target */
	for (size_t i = 0; i < sizeof scales / sizeof *scales; i++) {
		struct divergence divergence;
		uint64_t state = i;
		double square = scales[i] * scales[i];
		divergence_init(&divergence, square);
		for (int epoch = 0; epoch < 1000000; epoch++) {
			int place = epoch % 20; /* twenty rises in a row, then back down */
			double loss = square * 1e-30 * (1 + place + 0.5 * noise(&state));
			cr_assert_not(divergence_seen(&divergence, loss), "scale %g, epoch %d", scales[i], epoch);
		}
	}
}

Test(divergence, never_takes_a_falling_loss_for_it)
{
	const double coefficients[] = {1e6, 3, 0.2}, ratios[] = {0.5, 0.999, 1.0};
	cr_expect_eq(epoch_seen(coefficients, ratios, 3, 10, 100000), NEVER);
}

Test(divergence, sees_a_loss_that_rises_slowly)
{
	const double coefficient = 1, ratio = 1.0001;
	int epoch = epoch_seen(&coefficient, &ratio, 1, 1, 1000);
	cr_expect(epoch > 1 && epoch <= 20, "in epoch %d", epoch);
}

/* A mode that the step makes unstable, but that the first parameters hardly contain. */
Test(divergence, sees_a_loss_that_falls_before_it_rises)
{
	const double coefficients[] = {1, 0.1, 1e-9}, ratios[] = {0.9, 1.0, 1.05};
	int epoch = epoch_seen(coefficients, ratios, 3, 1, 10000);
	cr_expect(epoch > 100 && epoch < 1000, "in epoch %d", epoch);
}

Test(divergence, sees_a_perfect_fit_run_away)
{
	const double coefficient = 1e-30, ratio = 1.1;
	int epoch = epoch_seen(&coefficient, &ratio, 1, 1, 10000);
	cr_expect(epoch > 10 && epoch < 200, "in epoch %d", epoch);
}

Test(divergence, wants_the_rise_to_last)
{
	struct divergence divergence;
	divergence_init(&divergence, 1);
	for (int epoch = 0; epoch < 1000; epoch++)
		cr_assert_not(divergence_seen(&divergence, epoch % 10 == 0 ? 0.5 : 1 + epoch % 10), "epoch %d", epoch);
}

Test(divergence, sees_a_loss_that_is_not_finite_at_once)
{
	const double losses[] = {INFINITY, -INFINITY, NAN};
	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
		struct divergence divergence;
		divergence_init(&divergence, 1);
		cr_expect(divergence_seen(&divergence, losses[i]), "first loss %g", losses[i]);
		divergence_init(&divergence, 1);
		cr_expect_not(divergence_seen(&divergence, 1));
		cr_expect(divergence_seen(&divergence, losses[i]), "second loss %g", losses[i]);
	}
}
