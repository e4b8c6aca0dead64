#include "coordinator/optimizer.h"

#include <criterion/criterion.h>

TestSuite(optimizer, .timeout = 10);

Test(optimizer, steps_against_the_gradient)
{
	const struct optimizer optimizer = {OPTIMIZER_GRADIENT_DESCENT, 0.25};
	const double gradient[3] = {4, -8, 0};
	double parameters[3] = {1, 2, 3};
	optimizer_step(&optimizer, parameters, gradient, 3);
	cr_expect(parameters[0] == 0 && parameters[1] == 4 && parameters[2] == 3);
}

Test(optimizer, changes_only_as_many_parameters_as_it_is_told)
{
	const struct optimizer optimizer = {OPTIMIZER_GRADIENT_DESCENT, 1};
	const double gradient[3] = {1, 1, 1};
	double parameters[3] = {1, 2, 3};
	optimizer_step(&optimizer, parameters, gradient, 2);
	cr_expect(parameters[0] == 0 && parameters[1] == 1 && parameters[2] == 3);
}

/* The minimum of (p - 3)², whose gradient is 2(p - 3). */
Test(optimizer, comes_down_to_the_minimum_of_a_parabola)
{
	const struct optimizer optimizer = {OPTIMIZER_GRADIENT_DESCENT, 0.25};
	double parameter = -100;
	for (int epoch = 0; epoch < 100; epoch++) {
		double gradient = 2 * (parameter - 3);
		optimizer_step(&optimizer, &parameter, &gradient, 1);
	}
	cr_expect_eq(parameter, 3);
}
