#include "coordinator/coordinates.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

TestSuite(coordinates, .timeout = 10);

/* Data with columns of very different sizes and places; the last is the target. */
enum { FEATURES = 3, COLUMNS = FEATURES + 1, ROWS = 40 };

static double data[ROWS][COLUMNS];

static double draw(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-52 - 1.0;
}

static void draw_data(void)
{
	static const double centre[COLUMNS] = {1000.0, -0.003, 5.0, 42.0};
	static const double spread[COLUMNS] = {30.0, 0.002, 1.0, 700.0};
	uint64_t state = 3;
	for (size_t i = 0; i < ROWS; i++)
		for (size_t j = 0; j < COLUMNS; j++)
			data[i][j] = centre[j] + spread[j] * draw(&state);
}

/* Coordinates with the data's statistics, standardised or not. */
static struct coordinates coordinates_of_data(bool standardized)
{
	double means[COLUMNS] = {0}, variances[COLUMNS] = {0};
	struct coordinates coordinates;
	draw_data();
	for (size_t j = 0; j < COLUMNS; j++) {
		for (size_t i = 0; i < ROWS; i++)
			means[j] += data[i][j] / ROWS;
		for (size_t i = 0; i < ROWS; i++)
			variances[j] += (data[i][j] - means[j]) * (data[i][j] - means[j]) / ROWS;
	}
	cr_assert(coordinates_init(&coordinates, FEATURES));
	coordinates_set_statistics(&coordinates, means, variances);
	if (standardized)
		coordinates_standardize(&coordinates);
	return coordinates;
}

/* The loss by its definition, from parameters in the user's units. */
static double loss_of(const double *user)
{
	double sum = 0;
	for (size_t i = 0; i < ROWS; i++) {
		double error = user[FEATURES] - data[i][FEATURES];
		for (size_t j = 0; j < FEATURES; j++)
			error += user[j] * data[i][j];
		sum += error * error;
	}
	return sum / ROWS;
}

/* What the workers' sums give: the loss's gradient by what they were sent. */
static void sent_gradient(const struct coordinates *coordinates, const double *trained, double *gradient)
{
	double sent[COLUMNS];
	coordinates_sent_from_trained(coordinates, trained, sent);
	memset(gradient, 0, COLUMNS * sizeof(double));
	for (size_t i = 0; i < ROWS; i++) {
		double error = sent[FEATURES] - (data[i][FEATURES] - coordinates->centre[FEATURES]);
		for (size_t j = 0; j < FEATURES; j++)
			error += sent[j] * (data[i][j] - coordinates->centre[j]);
		for (size_t j = 0; j < FEATURES; j++)
			gradient[j] += 2.0 / ROWS * error * (data[i][j] - coordinates->centre[j]);
		gradient[FEATURES] += 2.0 / ROWS * error;
	}
}

static const double some_parameters[COLUMNS] = {0.7, -300.0, 12.5, 3.25};

static void expect_near(double found, double expected, double relative, const char *what)
{
	double size = fabs(expected);
	cr_expect(fabs(found - expected) <= relative * size, "%s: %.17g, not %.17g", what, found, expected);
}

Test(coordinates, are_the_users_own_unless_standardized)
{
	struct coordinates coordinates = coordinates_of_data(false);
	double trained[COLUMNS], sent[COLUMNS], user[COLUMNS], gradient[COLUMNS];
	coordinates_trained_from_user(&coordinates, some_parameters, trained);
	coordinates_sent_from_trained(&coordinates, trained, sent);
	coordinates_user_from_trained(&coordinates, trained, user);
	coordinates_trained_gradient(&coordinates, some_parameters, gradient);
	cr_expect_arr_eq(trained, some_parameters, sizeof trained);
	cr_expect_arr_eq(sent, some_parameters, sizeof sent);
	cr_expect_arr_eq(user, some_parameters, sizeof user);
	cr_expect_arr_eq(gradient, some_parameters, sizeof gradient);
	coordinates_release(&coordinates);
}

Test(coordinates, are_standardized_by_the_formulas)
{
	static const double means[3] = {10, -4, 100}, variances[3] = {4, 0.25, 9};
	static const double user[3] = {3, 5, 7};
	struct coordinates coordinates;
	double trained[3], sent[3];
	cr_assert(coordinates_init(&coordinates, 2));
	coordinates_set_statistics(&coordinates, means, variances);
	coordinates_standardize(&coordinates);
	coordinates_trained_from_user(&coordinates, user, trained);
	cr_expect_eq(trained[0], 3 * 2.0);
	cr_expect_eq(trained[1], 5 * 0.5);
	cr_expect_eq(trained[2], 7.0 + 3 * 10.0 + 5 * -4.0 - 100.0);
	coordinates_sent_from_trained(&coordinates, trained, sent);
	cr_expect_eq(sent[0], 3);
	cr_expect_eq(sent[1], 5);
	cr_expect_eq(sent[2], trained[2]);
	coordinates_release(&coordinates);
}

Test(coordinates, come_back_from_trained_to_the_user)
{
	struct coordinates coordinates = coordinates_of_data(true);
	double trained[COLUMNS], user[COLUMNS];
	coordinates_trained_from_user(&coordinates, some_parameters, trained);
	cr_expect(trained[0] != some_parameters[0] && trained[FEATURES] != some_parameters[FEATURES]);
	coordinates_user_from_trained(&coordinates, trained, user);
	for (size_t j = 0; j < COLUMNS; j++)
		expect_near(user[j], some_parameters[j], 1e-12, "a parameter");
	coordinates_release(&coordinates);
}

Test(coordinates, change_in_place)
{
	struct coordinates coordinates = coordinates_of_data(true);
	double apart[COLUMNS], here[COLUMNS];
	memcpy(here, some_parameters, sizeof here);
	coordinates_trained_from_user(&coordinates, here, here);
	coordinates_trained_from_user(&coordinates, some_parameters, apart);
	cr_expect_arr_eq(here, apart, sizeof here);
	coordinates_user_from_trained(&coordinates, here, here);
	coordinates_user_from_trained(&coordinates, apart, apart);
	cr_expect_arr_eq(here, apart, sizeof here);
	coordinates_sent_from_trained(&coordinates, some_parameters, apart);
	memcpy(here, some_parameters, sizeof here);
	coordinates_sent_from_trained(&coordinates, here, here);
	cr_expect_arr_eq(here, apart, sizeof here);
	coordinates_release(&coordinates);
}

/* The workers subtract the centre themselves, and know no scale. */
Test(coordinates, send_what_predicts_the_same_from_centred_data)
{
	struct coordinates coordinates = coordinates_of_data(true);
	double trained[COLUMNS], sent[COLUMNS];
	coordinates_trained_from_user(&coordinates, some_parameters, trained);
	coordinates_sent_from_trained(&coordinates, trained, sent);
	for (size_t i = 0; i < ROWS; i++) {
		double by_user = some_parameters[FEATURES] - data[i][FEATURES];
		double by_sent = sent[FEATURES] - (data[i][FEATURES] - coordinates.centre[FEATURES]);
		for (size_t j = 0; j < FEATURES; j++) {
			by_user += some_parameters[j] * data[i][j];
			by_sent += sent[j] * (data[i][j] - coordinates.centre[j]);
		}
		cr_expect(fabs(by_user - by_sent) < 1e-9, "row %zu: %g, not %g", i, by_sent, by_user);
	}
	coordinates_release(&coordinates);
}

Test(coordinates, turn_gradients_into_derivatives_by_the_trained_parameters)
{
	for (int standardized = 0; standardized <= 1; standardized++) {
		struct coordinates coordinates = coordinates_of_data(standardized);
		double trained[COLUMNS], gradient[COLUMNS];
		coordinates_trained_from_user(&coordinates, some_parameters, trained);
		sent_gradient(&coordinates, trained, gradient);
		coordinates_trained_gradient(&coordinates, gradient, gradient);
		for (size_t j = 0; j < COLUMNS; j++) {
			/* Of a quadratic the central difference is the derivative, whatever its width. */
			double there[COLUMNS], user[COLUMNS], width = 1.0;
			memcpy(there, trained, sizeof there);
			there[j] = trained[j] + width;
			coordinates_user_from_trained(&coordinates, there, user);
			double difference = loss_of(user);
			there[j] = trained[j] - width;
			coordinates_user_from_trained(&coordinates, there, user);
			difference -= loss_of(user);
			expect_near(gradient[j], difference / (2 * width), 1e-6, "a derivative");
		}
		coordinates_release(&coordinates);
	}
}

Test(coordinates, measure_the_same_largest_gradient_standardized_or_not)
{
	for (size_t largest = 0; largest < COLUMNS; largest++) {
		double found[2];
		for (int standardized = 0; standardized <= 1; standardized++) {
			struct coordinates coordinates = coordinates_of_data(standardized);
			double user[COLUMNS] = {0, 0, 0, coordinates.mean[FEATURES]};
			double trained[COLUMNS], gradient[COLUMNS];
			/* Far out along one axis, so that each component is the largest once. */
			user[largest] += 100.0 / (largest < FEATURES ? coordinates.deviation[largest] : 1e-3);
			for (size_t j = 0; j < FEATURES; j++)
				user[FEATURES] -= user[j] * coordinates.mean[j];
			coordinates_trained_from_user(&coordinates, user, trained);
			sent_gradient(&coordinates, trained, gradient);
			found[standardized] = coordinates_largest_gradient(&coordinates, gradient);
			coordinates_release(&coordinates);
		}
		cr_expect(found[0] > 0.1);
		expect_near(found[0], found[1], 1e-9, "the largest gradient");
	}
}

Test(coordinates, measure_the_gradient_in_deviations_of_the_target)
{
	static const double means[3] = {10, -4, 100}, variances[3] = {4, 0.25, 9};
	static const struct {
		double sent[3];
		double largest;
	} rows[] = {
	        {{2, 0, 0}, 2.0 / 2 / 3},
	        {{0, -2, 0}, 2.0 / 0.5 / 3},
	        {{0, 0, -6}, 6.0 / 3},
	};
	struct coordinates coordinates;
	cr_assert(coordinates_init(&coordinates, 2));
	coordinates_set_statistics(&coordinates, means, variances);
	coordinates_standardize(&coordinates);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_expect_eq(coordinates_largest_gradient(&coordinates, rows[i].sent), rows[i].largest);
	coordinates_release(&coordinates);
}

Test(coordinates, let_no_gradient_that_is_not_a_number_pass_for_small)
{
	static const double gradients[][2] = {{NAN, 0}, {0, NAN}, {NAN, 1}, {1, NAN}};
	struct coordinates coordinates;
	cr_assert(coordinates_init(&coordinates, 1));
	for (size_t i = 0; i < sizeof gradients / sizeof *gradients; i++)
		cr_expect(isnan(coordinates_largest_gradient(&coordinates, gradients[i])), "row %zu", i);
	coordinates_release(&coordinates);
}

Test(coordinates, give_a_constant_column_the_deviation_1)
{
	static const double means[2] = {7, 8}, variances[2] = {0, 0};
	static const double user[2] = {3, 5};
	struct coordinates coordinates;
	double trained[2];
	cr_assert(coordinates_init(&coordinates, 1));
	coordinates_set_statistics(&coordinates, means, variances);
	coordinates_standardize(&coordinates);
	cr_expect_eq(coordinates.deviation[0], 1);
	cr_expect_eq(coordinates.deviation[1], 1);
	coordinates_trained_from_user(&coordinates, user, trained);
	cr_expect(trained[0] == 3 && trained[1] == 5 + 3 * 7 - 8);
	coordinates_release(&coordinates);
}
