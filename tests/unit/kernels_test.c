/* The kernels calculate what common/sums.h says they do. */
#include "worker/kernels.h"

#include "tests/unit/random.h"
#include "tests/unit/row_layouts.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(kernels, .timeout = 60);

static const uint32_t feature_counts[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 31, 64, 100};
enum {
	FEATURE_COUNTS = sizeof feature_counts / sizeof *feature_counts,
	FEATURES_MAX = 100,
	WIDTH_MAX = FEATURES_MAX + 3
};

/* From 0 to 40, then 1000. */
enum { ROW_COUNTS = 42 };

static size_t row_count(int i)
{
	return i < ROW_COUNTS - 1 ? (size_t)i : 1000;
}

/* What a leaf is summed with: a centre and parameters, whole numbers or not. */
struct problem {
	uint32_t d;
	size_t rows;
	double *table;
	double parameters[FEATURES_MAX + 1];
	double centre[FEATURES_MAX + 1];
};

static struct problem whole_problem(uint64_t *state, uint32_t d, size_t rows)
{
	struct problem problem = {.d = d, .rows = rows, .table = rows_random_whole(state, rows, d, 8)};
	for (uint32_t j = 0; j <= d; j++) {
		problem.parameters[j] = (double)random_below(state, 9) - 4;
		problem.centre[j] = (double)random_below(state, 5) - 2;
	}
	return problem;
}

static struct problem real_problem(uint64_t *state, uint32_t d, size_t rows)
{
	struct problem problem = {.d = d, .rows = rows, .table = rows_random(state, rows, d)};
	for (uint32_t j = 0; j <= d; j++) {
		problem.parameters[j] = (double)(int64_t)random_next(state) * 0x1p-62;
		problem.centre[j] = (double)(int64_t)random_next(state) * 0x1p-60;
	}
	return problem;
}

static bool sum_with(const struct problem *problem, enum kernel kernel, const double *parameters, double *out)
{
	struct kernels kernels;
	struct laid_rows laid = rows_lay(&row_layouts[0], problem->table, problem->rows, problem->d);
	cr_assert(kernels_init(&kernels, problem->d, false, kernel_best_clone()));
	kernels_choose(&kernels, kernel, parameters, problem->centre);
	bool present = kernels_sum_leaf(&kernels, &laid.leaf, out);
	kernels_release(&kernels);
	rows_release(&laid);
	return present;
}

/* A sum in more digits than it needs, and how large its terms are, by which its error is to be judged. */
struct wide_sum {
	long double value;
	long double magnitude;
};

static void add(struct wide_sum *sum, long double term, long double magnitude)
{
	sum->value += term;
	sum->magnitude += magnitude;
}

/* e of a row, and the sizes of what it is made of. */
static struct wide_sum error_of(const struct problem *problem, enum kernel kernel, const double *row)
{
	struct wide_sum e = {0, 0};
	uint32_t d = problem->d;
	for (uint32_t j = 0; j < d; j++) {
		long double x = (long double)row[j] - problem->centre[j];
		add(&e, problem->parameters[j] * x, fabsl(problem->parameters[j] * x));
	}
	add(&e, problem->parameters[d], fabsl((long double)problem->parameters[d]));
	if (kernel == KERNEL_CURVATURE)
		return e;
	long double y = (long double)row[d] - problem->centre[d];
	add(&e, -y, fabsl(y));
	return e;
}

/* Adds a row to the sums; they are those of common/sums.h, in its order. */
static void add_row(const struct problem *problem, enum kernel kernel, const double *row, struct wide_sum *sums)
{
	uint32_t d = problem->d;
	struct wide_sum e = error_of(problem, kernel, row);
	long double square = e.value * e.value, square_magnitude = e.magnitude * e.magnitude;
	switch (kernel) {
	case KERNEL_MEANS:
	case KERNEL_MOMENTS:
		for (uint32_t j = 0; j <= d; j++) {
			long double x = (long double)row[j] - problem->parameters[j];
			long double term = kernel == KERNEL_MOMENTS ? x * x : x;
			add(&sums[j], term, fabsl(term));
		}
		break;
	case KERNEL_METRICS:
		add(&sums[0], square, square_magnitude);
		add(&sums[1], fabsl(e.value), e.magnitude);
		break;
	default:
		for (uint32_t j = 0; j < d; j++) {
			long double x = (long double)row[j] - problem->centre[j];
			add(&sums[j], e.value * x, e.magnitude * fabsl(x));
		}
		add(&sums[d], e.value, e.magnitude);
		add(&sums[d + 1], square, square_magnitude);
		break;
	}
	add(&sums[sums_width(kernel, d) - 1], 1, 0);
}

/* Is the sum of the leaf as good as this, relative to the sizes of its terms? */
static bool is_near(const struct problem *problem, enum kernel kernel, long double tolerance)
{
	struct wide_sum expected[WIDTH_MAX] = {{0, 0}};
	double sums[WIDTH_MAX];
	size_t width = sums_width(kernel, problem->d);
	for (size_t r = 0; r < problem->rows; r++)
		add_row(problem, kernel, problem->table + r * (problem->d + 1), expected);
	cr_assert(sum_with(problem, kernel, problem->parameters, sums));
	for (size_t i = 0; i < width; i++)
		if (!(fabsl(sums[i] - expected[i].value) <= tolerance * expected[i].magnitude))
			return false;
	return true;
}

static void expect_near(struct problem (*make)(uint64_t *, uint32_t, size_t), uint64_t state, long double tolerance)
{
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		for (int j = 1; j < ROW_COUNTS; j++) {
			struct problem problem = make(&state, feature_counts[i], row_count(j));
			for (enum kernel kernel = 0; kernel < KERNEL_STREAM; kernel++)
				cr_assert(is_near(&problem, kernel, tolerance), "kernel %d, %u features, %zu rows",
				        (int)kernel, problem.d, problem.rows);
			free(problem.table);
		}
	}
}

Test(kernels, calculate_their_sums)
{
	expect_near(real_problem, 1, 1e-13L);
}

Test(kernels, calculate_sums_of_whole_numbers_exactly)
{
	expect_near(whole_problem, 2, 0);
}

/* Sums of whole numbers have no rounding errors, so the difference is exact. */
Test(kernels, have_in_curvature_the_difference_of_two_gradients)
{
	uint64_t state = 3;
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		double before[WIDTH_MAX], after[WIDTH_MAX], change[WIDTH_MAX];
		double moved[FEATURES_MAX + 1], direction[FEATURES_MAX + 1];
		struct problem problem = whole_problem(&state, feature_counts[i], 37);
		for (uint32_t j = 0; j <= problem.d; j++) {
			direction[j] = (double)random_below(&state, 7) - 3;
			moved[j] = problem.parameters[j] + direction[j];
		}
		cr_assert(sum_with(&problem, KERNEL_GRADIENT, problem.parameters, before));
		cr_assert(sum_with(&problem, KERNEL_GRADIENT, moved, after));
		cr_assert(sum_with(&problem, KERNEL_CURVATURE, direction, change));
		for (uint32_t j = 0; j <= problem.d; j++)
			cr_assert_eq(change[j], after[j] - before[j], "%u features, sum %u", problem.d, j);
		free(problem.table);
	}
}

Test(kernels, do_not_look_at_the_target_for_curvature)
{
	uint64_t state = 4;
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		double sums[WIDTH_MAX], other[WIDTH_MAX];
		struct problem problem = real_problem(&state, feature_counts[i], 21);
		cr_assert(sum_with(&problem, KERNEL_CURVATURE, problem.parameters, sums));
		for (size_t r = 0; r < problem.rows; r++)
			problem.table[r * (problem.d + 1) + problem.d] = NAN;
		problem.centre[problem.d] = INFINITY;
		cr_assert(sum_with(&problem, KERNEL_CURVATURE, problem.parameters, other));
		cr_expect_arr_eq(
		        sums, other, sums_width(KERNEL_CURVATURE, problem.d) * sizeof *sums, "%u features", problem.d);
		free(problem.table);
	}
}

Test(kernels, let_a_missing_value_show_in_the_sum_it_belongs_to)
{
	uint64_t state = 5;
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		uint32_t d = feature_counts[i];
		struct problem problem = real_problem(&state, d, 40);
		uint32_t spoilt = random_below(&state, d + 1);
		double sums[WIDTH_MAX];
		problem.table[random_below(&state, 40) * (d + 1) + spoilt] = NAN;
		cr_assert(sum_with(&problem, KERNEL_MEANS, problem.parameters, sums));
		for (uint32_t j = 0; j <= d + 1; j++)
			cr_assert_eq(isnan(sums[j]) != 0, j == spoilt, "%u features, sum %u", d, j);
		free(problem.table);
	}
}

Test(kernels, leave_out_a_leaf_without_rows)
{
	uint64_t state = 6;
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct problem problem = real_problem(&state, feature_counts[i], 0);
		for (enum kernel kernel = 0; kernel < KERNEL_STREAM; kernel++) {
			double sums[WIDTH_MAX] = {4.5};
			cr_expect(!sum_with(&problem, kernel, problem.parameters, sums));
			cr_expect_eq(sums[0], 4.5, "something was written");
		}
		free(problem.table);
	}
}

Test(kernels, leave_out_a_leaf_of_which_every_row_is_skipped)
{
	double table[3 * 30], sums[WIDTH_MAX] = {4.5};
	const double zeros[3] = {0};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++)
		table[i] = i % 3 == 1 ? (double)NAN : 1;
	struct laid_rows laid = rows_lay(&row_layouts[0], table, 30, 2);
	struct kernels kernels;
	cr_assert(kernels_init(&kernels, 2, true, kernel_best_clone()));
	kernels_choose(&kernels, KERNEL_GRADIENT, zeros, zeros);
	cr_expect(!kernels_sum_leaf(&kernels, &laid.leaf, sums));
	cr_expect_eq(sums[0], 4.5, "something was written");
	kernels_release(&kernels);
	rows_release(&laid);
}

Test(kernels, start_every_leaf_afresh)
{
	uint64_t state = 7;
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct problem problem = real_problem(&state, feature_counts[i], 33);
		struct laid_rows laid = rows_lay(&row_layouts[0], problem.table, problem.rows, problem.d);
		struct kernels kernels;
		cr_assert(kernels_init(&kernels, problem.d, false, kernel_best_clone()));
		for (enum kernel kernel = 0; kernel < KERNEL_STREAM; kernel++) {
			double first[WIDTH_MAX], second[WIDTH_MAX];
			kernels_choose(&kernels, kernel, problem.parameters, problem.centre);
			cr_assert(kernels_sum_leaf(&kernels, &laid.leaf, first));
			cr_assert(kernels_sum_leaf(&kernels, &laid.leaf, second));
			cr_expect_arr_eq(first, second, sums_width(kernel, problem.d) * sizeof *first,
			        "kernel %d, %u features", (int)kernel, problem.d);
		}
		kernels_release(&kernels);
		rows_release(&laid);
		free(problem.table);
	}
}

/* However few rows the last group has. */
Test(kernels, have_infinite_sums_where_numbers_are_too_large)
{
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		uint32_t d = feature_counts[i];
		for (size_t rows = 1; rows < 9; rows++) {
			struct problem problem = {
			        .d = d, .rows = rows, .table = rows_random_whole(&(uint64_t){8}, rows, d, 8)};
			double sums[WIDTH_MAX];
			for (uint32_t j = 0; j <= d; j++)
				problem.table[(rows - 1) * (d + 1) + j] = 1e200;
			cr_assert(sum_with(&problem, KERNEL_MOMENTS, problem.parameters, sums));
			for (uint32_t j = 0; j <= d; j++)
				cr_assert(isinf(sums[j]), "%u features, %zu rows, sum %u", d, rows, j);
			free(problem.table);
		}
	}
}
