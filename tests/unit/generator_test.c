#include "coordinator/generator.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(generator, .timeout = 10);

/* The bits that every machine must find: this is the documented sequence, not what some library makes of it. */
Test(generator, draws_the_same_bits_everywhere)
{
	static const double weights[] = {-3.25, 1.5},
	                    rows[2][3] = {
	                            {0x1.2998d199b2d38p-1, -0x1.7d1f42f9c0604p-1, 0x1.a3deeec672627p+1},
	                            {0x1.8b1ce3c7bd4a1p-3, 0x1.b634289fdeb7ep-5, 0x1.3207f5d6ada0ep+2},
	                    };
	struct generator generator;
	cr_assert(generator_init(&generator, 1, 2, 1.0));
	cr_expect_arr_eq(generator.weights, weights, sizeof weights);
	cr_expect_eq(generator.intercept, 6.25);
	for (int i = 0; i < 2; i++) {
		double row[3];
		generator_row(&generator, row);
		for (int j = 0; j < 3; j++)
			cr_expect_eq(row[j], rows[i][j], "row %d, column %d: %a", i, j, row[j]);
	}
	generator_release(&generator);
}

/* Moments of a million numbers lie within five standard deviations of those of the normal distribution. */
Test(generator, draws_normal_numbers)
{
	enum { NUMBERS = 1000000 };
	struct generator generator;
	double sum = 0, squares = 0, fourths = 0, largest = 0;
	cr_assert(generator_init(&generator, 7, 1, 1.0));
	for (int i = 0; i < NUMBERS; i++) {
		double x = generator_normal(&generator);
		sum += x;
		squares += x * x;
		fourths += x * x * x * x;
		largest = fmax(largest, fabs(x));
	}
	cr_expect_lt(fabs(sum / NUMBERS), 5e-3);
	cr_expect_lt(fabs(squares / NUMBERS - 1.0), 5 * sqrt(2.0 / NUMBERS));
	cr_expect_lt(fabs(fourths / NUMBERS - 3.0), 5 * sqrt(96.0 / NUMBERS));
	cr_expect(largest > 4.0 && largest < 7.0, "%g", largest);
	generator_release(&generator);
}

Test(generator, hides_the_truth_below_no_noise)
{
	struct generator generator;
	double row[4];
	cr_assert(generator_init(&generator, 3, 3, 0.0));
	for (int i = 0; i < 100; i++) {
		generator_row(&generator, row);
		double y = generator.intercept;
		for (int j = 0; j < 3; j++)
			y += generator.weights[j] * row[j];
		cr_expect_eq(row[3], y);
	}
	generator_release(&generator);
}
