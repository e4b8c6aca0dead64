/* What training calculates, against the same formulas in a few plain loops. */
#include "coordinator/trainer.h"

#include "common/leaves.h"
#include "coordinator/signals.h"
#include "tests/unit/config_reading.h"
#include "tests/unit/leftovers.h"
#include "tests/unit/npy_file.h"
#include "tests/unit/random.h"
#include "tests/unit/recorded_events.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(trainer, .init = scratch_enter, .fini = scratch_leave, .timeout = 60);

enum { ROWS = 61, FEATURES = 2, COLUMNS = FEATURES + 1, EPOCHS_MAX = 2000 };

static double data[ROWS][COLUMNS];

/*
 * y = 3·x0 - 2·x1 + 5 and some noise, with columns that lie a little off zero: few epochs do. A round of processes that
 * share a busy CPU takes its time.
 */
static void write_data(void)
{
	uint64_t state = 11;
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t j = 0; j < COLUMNS; j++)
			data[i][j] = (double)(random_next(&state) >> 11) * 0x1p-52 - 0.75;
		data[i][2] += 3 * data[i][0] - 2 * data[i][1] + 5;
	}
	npy_file_write_doubles("d.npy", data[0], ROWS, COLUMNS);
}

struct run {
	struct training_result result;
	double losses[EPOCHS_MAX];
	uint32_t epochs;
};

/* Trains with overrides (up to a NULL) of the defaults. */
static void train(struct run *run, const char *const *overrides, uint32_t workers)
{
	struct recorded_events events;
	struct loader loader;
	struct error error = {0};
	size_t descriptors = descriptors_open();
	struct reading reading = read_config("{\"dataset\": {\"path\": \"d.npy\"}}", overrides);
	cr_assert(reading.ok, "%s", reading.error.message);
	cr_assert(loader_open(&loader, &reading.config, &error), "%s", error.message);
	recorded_events_init(&events);
	struct checkpointer checkpointer;
	cr_assert(checkpointer_init(&checkpointer, &reading.config, &loader, workers, &events.stream, NULL, &error));
	cr_assert(trainer_run(
	                  &reading.config, &loader, workers, &checkpointer, &events.stream, NULL, &run->result, &error),
	        "%s", error.message);
	checkpointer_release(&checkpointer);
	run->epochs = 0;
	for (size_t i = 0; i < events.count; i++) {
		const struct event *event = &events.items[i].event;
		if (event->type == EVENT_EPOCH_DONE && run->epochs < EPOCHS_MAX)
			run->losses[run->epochs++] = event->epoch_done.loss;
	}
	recorded_events_release(&events);
	loader_release(&loader);
	reading_release(&reading);
	cr_expect(no_child_is_left());
	cr_expect_eq(descriptors_open(), descriptors);
}

struct setting {
	enum aggregation how;
	bool standardize;
	uint32_t workers;
};

static void overrides_of(const struct setting *setting, char texts[2][48])
{
	snprintf(texts[0], 48, "training.aggregation=%s", aggregation_name(setting->how));
	snprintf(texts[1], 48, "training.standardize=%s", setting->standardize ? "true" : "false");
}

static void find_statistics(double *means, double *deviations)
{
	for (size_t j = 0; j < COLUMNS; j++) {
		double variance = 0;
		means[j] = 0;
		for (size_t i = 0; i < ROWS; i++)
			means[j] += data[i][j] / ROWS;
		for (size_t i = 0; i < ROWS; i++)
			variance += (data[i][j] - means[j]) * (data[i][j] - means[j]) / ROWS;
		deviations[j] = sqrt(variance);
	}
}

/* The data as training sees it. */
static void transform(const struct setting *setting, double transformed[ROWS][COLUMNS])
{
	double means[COLUMNS], deviations[COLUMNS];
	find_statistics(means, deviations);
	for (size_t i = 0; i < ROWS; i++) {
		for (size_t j = 0; j < COLUMNS; j++) {
			double centre = setting->standardize ? means[j] : 0;
			double scale = setting->standardize && j < FEATURES ? deviations[j] : 1;
			transformed[i][j] = (data[i][j] - centre) / scale;
		}
	}
}

/*
 * The combined gradient and loss at p, or with `curvature` the Hessian times p: per worker 2/m·Σ e·z and Σ e²/m, then
 * their mean by rows, their mean, or their sum.
 */
static double combine(
        const struct setting *setting, double z[ROWS][COLUMNS], const double *p, bool curvature, double *out)
{
	double loss = 0;
	uint32_t leaf_count = leaves_count(ROWS);
	memset(out, 0, COLUMNS * sizeof *out);
	for (uint32_t worker = 0; worker < setting->workers; worker++) {
		struct range leaves = leaves_chunk(leaf_count, setting->workers, worker);
		uint64_t begin = leaves_units(ROWS, leaf_count, (uint32_t)leaves.begin).begin;
		uint64_t end = leaves_units(ROWS, leaf_count, (uint32_t)leaves.end - 1).end;
		double rows = (double)(end - begin), sums[COLUMNS] = {0}, squares = 0;
		for (uint64_t i = begin; i < end; i++) {
			double e = p[FEATURES] - (curvature ? 0 : z[i][FEATURES]);
			for (size_t j = 0; j < FEATURES; j++)
				e += p[j] * z[i][j];
			for (size_t j = 0; j < FEATURES; j++)
				sums[j] += e * z[i][j];
			sums[FEATURES] += e;
			squares += e * e;
		}
		double weight = setting->how == AGGREGATE_MEAN      ? rows / ROWS
		                : setting->how == AGGREGATE_AVERAGE ? 1.0 / setting->workers
		                                                    : 1.0;
		for (size_t j = 0; j < COLUMNS; j++)
			out[j] += weight * 2 / rows * sums[j];
		loss += weight * squares / rows;
	}
	return loss;
}

static void expect_near(double found, double expected, double tolerance, const char *what)
{
	cr_expect(fabs(found - expected) <= tolerance * fmax(1, fabs(expected)), "%s: %.17g, not %.17g", what, found,
	        expected);
}

/* `epochs` steps from zero in the user's units; compares the losses on the way, and gives the user's parameters. */
static void descend(const struct setting *setting, double rate, const struct run *run, double *user)
{
	double means[COLUMNS], deviations[COLUMNS], z[ROWS][COLUMNS], p[COLUMNS] = {0}, gradient[COLUMNS];
	find_statistics(means, deviations);
	transform(setting, z);
	if (setting->standardize)
		p[FEATURES] = -means[FEATURES];
	for (uint32_t epoch = 0; epoch < run->epochs; epoch++) {
		double loss = combine(setting, z, p, false, gradient);
		expect_near(run->losses[epoch], loss, 1e-10, "a loss");
		for (size_t j = 0; j < COLUMNS; j++)
			p[j] -= rate * gradient[j];
	}
	memcpy(user, p, sizeof p);
	if (!setting->standardize)
		return;
	user[FEATURES] += means[FEATURES];
	for (size_t j = 0; j < FEATURES; j++) {
		user[j] /= deviations[j];
		user[FEATURES] -= user[j] * means[j];
	}
}

static const struct setting settings[] = {
        {AGGREGATE_MEAN, false, 1},
        {AGGREGATE_MEAN, true, 4},
        {AGGREGATE_MEAN, false, 7},
        {AGGREGATE_AVERAGE, false, 4},
        {AGGREGATE_AVERAGE, true, 4},
        {AGGREGATE_AVERAGE, true, 7},
        {AGGREGATE_SUM, false, 4},
        {AGGREGATE_SUM, true, 4},
        {AGGREGATE_SUM, true, 1},
};

Test(trainer, does_what_the_textbook_says)
{
	static struct run run;
	write_data();
	for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
		char texts[2][48];
		double user[COLUMNS];
		overrides_of(&settings[s], texts);
		const char *overrides[] = {texts[0], texts[1], "training.learning_rate=0.02", "training.epochs=20",
		        "training.tolerance=0", NULL};
		train(&run, overrides, settings[s].workers);
		cr_assert_eq(run.epochs, 20);
		descend(&settings[s], 0.02, &run, user);
		for (size_t j = 0; j < COLUMNS; j++)
			expect_near(run.result.parameters[j], user[j], 1e-10, "a parameter");
		cr_expect_eq(run.result.learning_rate, 0.02);
		cr_expect(run.result.epochs == 20 && run.result.stop_reason == STOP_EPOCHS);
		training_result_release(&run.result);
	}
}

/* The largest eigenvalue of the Hessian, by many multiplications. */
static double largest_eigenvalue(const struct setting *setting)
{
	double z[ROWS][COLUMNS], v[COLUMNS] = {0.3, 0.5, 0.8}, product[COLUMNS], length = 0;
	transform(setting, z);
	for (int i = 0; i < 3000; i++) {
		combine(setting, z, v, true, product);
		length = 0;
		for (size_t j = 0; j < COLUMNS; j++)
			length += product[j] * product[j];
		length = sqrt(length);
		for (size_t j = 0; j < COLUMNS; j++)
			v[j] = product[j] / length;
	}
	return length;
}

Test(trainer, chooses_a_step_that_no_component_of_the_error_outgrows)
{
	static struct run run;
	write_data();
	for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
		char texts[2][48];
		overrides_of(&settings[s], texts);
		const char *overrides[] = {texts[0], texts[1], "training.epochs=20", "training.tolerance=0", NULL};
		train(&run, overrides, settings[s].workers);
		double limit = 1 / largest_eigenvalue(&settings[s]), rate = run.result.learning_rate;
		cr_expect(rate <= limit && rate > 0.9 * limit, "setting %zu: %g, limit %g", s, rate, limit);
		for (uint32_t epoch = 1; epoch < run.epochs; epoch++)
			cr_expect(run.losses[epoch] <= run.losses[epoch - 1] * (1 + 1e-14), "epoch %u", epoch);
		training_result_release(&run.result);
	}
}

/* Solves the normal equations by Gauss's elimination. */
static void solve(double *solution)
{
	double m[COLUMNS][COLUMNS + 1] = {{0}};
	for (size_t i = 0; i < ROWS; i++) {
		const double row[COLUMNS + 1] = {data[i][0], data[i][1], 1, data[i][2]};
		for (size_t j = 0; j < COLUMNS; j++)
			for (size_t k = 0; k <= COLUMNS; k++)
				m[j][k] += row[j] * row[k];
	}
	for (size_t p = 0; p < COLUMNS; p++) {
		for (size_t j = 0; j < COLUMNS; j++) {
			double factor = j == p ? 0 : m[j][p] / m[p][p];
			for (size_t k = 0; k <= COLUMNS; k++)
				m[j][k] -= factor * m[p][k];
		}
	}
	for (size_t j = 0; j < COLUMNS; j++)
		solution[j] = m[j][COLUMNS] / m[j][j];
}

Test(trainer, comes_to_the_least_squares_solution)
{
	static struct run run;
	double solution[COLUMNS];
	write_data();
	solve(solution);
	for (int standardize = 0; standardize <= 1; standardize++) {
		const char *overrides[] = {standardize ? "training.standardize=true" : "training.standardize=false",
		        "training.tolerance=1e-12", "training.epochs=2000", NULL};
		train(&run, overrides, 2);
		cr_expect_eq(run.result.stop_reason, STOP_TOLERANCE);
		for (size_t j = 0; j < COLUMNS; j++)
			expect_near(run.result.parameters[j], solution[j], 1e-9, "a parameter");
		training_result_release(&run.result);
	}
}

Test(trainer, measures_how_good_the_fit_is)
{
	static struct run run;
	static const char *const overrides[] = {"training.epochs=7", "training.tolerance=0", NULL};
	double means[COLUMNS], deviations[COLUMNS], squares = 0, magnitudes = 0;
	write_data();
	train(&run, overrides, 5);
	find_statistics(means, deviations);
	const double *p = run.result.parameters;
	for (size_t i = 0; i < ROWS; i++) {
		double e = p[0] * data[i][0] + p[1] * data[i][1] + p[2] - data[i][2];
		squares += e * e;
		magnitudes += fabs(e);
	}
	cr_expect_eq(run.result.rows, ROWS);
	cr_expect_eq(run.result.skipped, 0);
	expect_near(run.result.mse, squares / ROWS, 1e-12, "MSE");
	expect_near(run.result.rmse, sqrt(squares / ROWS), 1e-12, "RMSE");
	expect_near(run.result.mae, magnitudes / ROWS, 1e-12, "MAE");
	expect_near(run.result.r2, 1 - squares / ROWS / (deviations[2] * deviations[2]), 1e-12, "R²");
	expect_near(run.result.loss, run.losses[6], 0, "the last epoch's loss");
	training_result_release(&run.result);
}

Test(trainer, begins_at_the_initial_parameters)
{
	static struct run run;
	static const char *const overrides[] = {
	        "training.epochs=0", "training.initial.w=[1.5, -0.25]", "training.initial.b=4", NULL};
	write_data();
	train(&run, overrides, 2);
	expect_near(run.result.parameters[0], 1.5, 1e-14, "w0");
	expect_near(run.result.parameters[1], -0.25, 1e-14, "w1");
	expect_near(run.result.parameters[2], 4, 1e-14, "b");
	cr_expect(run.result.epochs == 0 && isnan(run.result.loss));
	training_result_release(&run.result);
}

Test(trainer, gives_the_same_bits_for_any_number_of_workers)
{
	static struct run first, run;
	static const char *const overrides[] = {"training.epochs=5", "training.tolerance=0", NULL};
	static const uint32_t workers[] = {2, 3, 5, 8, 13, ROWS};
	write_data();
	train(&first, overrides, 1);
	cr_assert_eq(first.epochs, 5);
	for (size_t i = 0; i < sizeof workers / sizeof *workers; i++) {
		train(&run, overrides, workers[i]);
		cr_assert_eq(run.epochs, first.epochs);
		cr_expect_arr_eq(run.losses, first.losses, first.epochs * sizeof(double), "%u workers", workers[i]);
		cr_expect_arr_eq(run.result.parameters, first.result.parameters, COLUMNS * sizeof(double));
		cr_expect_eq(memcmp(&run.result.mae, &first.result.mae, sizeof(double)), 0);
		cr_expect_eq(memcmp(&run.result.r2, &first.result.r2, sizeof(double)), 0);
		training_result_release(&run.result);
	}
	training_result_release(&first.result);
}
