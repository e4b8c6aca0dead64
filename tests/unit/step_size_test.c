#include "coordinator/step_size.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(step_size, .timeout = 60);

enum { REFLECTIONS = 3, PRODUCTS_MAX = 48, DIMENSIONS_MAX = 2000 };

/* A symmetric matrix with known eigenvalues: Q·diag(spectrum)·Qᵀ, Q a product of reflections at random planes. */
struct matrix {
	size_t dimensions;
	double spectrum[DIMENSIONS_MAX];
	double normals[REFLECTIONS][DIMENSIONS_MAX]; /* of length 1 */
	size_t reflections;                          /* 0: diagonal */
	double largest;
	double trace;
};

/* spectrum(i, n): the i-th of n eigenvalues. */
typedef double (*spectrum_function)(size_t i, size_t n);

static double random_even(uint64_t *state)
{
	return (double)(random_next(state) >> 11) * 0x1p-52 - 1.0;
}

static double product_of(const double *a, const double *b, size_t count)
{
	double sum = 0;
	for (size_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

static void matrix_init(struct matrix *matrix, size_t n, spectrum_function spectrum, size_t reflections, uint64_t seed)
{
	uint64_t state = seed;
	matrix->dimensions = n;
	matrix->reflections = reflections;
	matrix->largest = matrix->trace = 0;
	for (size_t i = 0; i < n; i++) {
		matrix->spectrum[i] = spectrum(i, n);
		matrix->trace += matrix->spectrum[i];
		matrix->largest = fmax(matrix->largest, matrix->spectrum[i]);
	}
	for (size_t r = 0; r < reflections; r++) {
		double *normal = matrix->normals[r];
		for (size_t i = 0; i < n; i++)
			normal[i] = random_even(&state);
		double length = sqrt(product_of(normal, normal, n));
		for (size_t i = 0; i < n; i++)
			normal[i] /= length;
	}
}

static void reflect(const struct matrix *matrix, size_t r, double *vector)
{
	double twice = 2 * product_of(matrix->normals[r], vector, matrix->dimensions);
	for (size_t i = 0; i < matrix->dimensions; i++)
		vector[i] -= twice * matrix->normals[r][i];
}

static void multiply(const struct matrix *matrix, const double *vector, double *product)
{
	memcpy(product, vector, matrix->dimensions * sizeof(double));
	for (size_t r = 0; r < matrix->reflections; r++)
		reflect(matrix, r, product);
	for (size_t i = 0; i < matrix->dimensions; i++)
		product[i] *= matrix->spectrum[i];
	for (size_t r = matrix->reflections; r-- > 0;)
		reflect(matrix, r, product);
}

/* After each product the bounds must hold; returns those after the last. *products: how many there were. */
static struct step_bounds bounds_of(const struct matrix *matrix, size_t *products)
{
	struct step_size *step = step_size_new(matrix->dimensions);
	struct step_bounds bounds = {0, 0};
	static double product[DIMENSIONS_MAX];
	const double *direction;
	cr_assert(step != NULL);
	for (*products = 0; (direction = step_size_direction(step)) != NULL; ++*products) {
		multiply(matrix, direction, product);
		step_size_take_product(step, product);
		bounds = step_size_bounds(step, matrix->trace);
		cr_assert(bounds.lower <= matrix->largest * (1 + 1e-9) && matrix->largest <= bounds.upper * (1 + 1e-9),
		        "n %zu, after %zu products: %.17g <= %.17g <= %.17g", matrix->dimensions, *products + 1,
		        bounds.lower, matrix->largest, bounds.upper);
	}
	step_size_free(step);
	return bounds;
}

static double even(size_t i, size_t n)
{
	return (double)(i + 1) / (double)n;
}

static double geometric(size_t i, size_t n)
{
	return n == 1 ? 1.0 : pow(1e-12, (double)i / (double)(n - 1));
}

static double multiple(size_t i, size_t n)
{
	(void)n;
	return (double)(i % 3 + 1);
}

static double half_zero(size_t i, size_t n)
{
	return i < (n + 1) / 2 ? 3.0 + (double)i : 0.0;
}

static double rank_one(size_t i, size_t n)
{
	(void)n;
	return i == 0 ? 7.0 : 0.0;
}

static double identity(size_t i, size_t n)
{
	(void)i;
	(void)n;
	return 1.0;
}

static double two_near_the_top(size_t i, size_t n)
{
	(void)n;
	return i == 0 ? 1.0 : i == 1 ? 0.999999 : 0.5;
}

static double one_far_above(size_t i, size_t n)
{
	return i == 0 ? 1e12 : 1.0 + (double)i / (double)n;
}

static double tiny(size_t i, size_t n)
{
	return 1e-200 * even(i, n);
}

static double huge(size_t i, size_t n)
{
	return 1e200 * even(i, n);
}

/* The most crowded top that there is at these sizes: eigenvalues of a path's Laplacian. */
static double crowded(size_t i, size_t n)
{
	return 2 - 2 * cos(3.14159265358979 * (double)(n - i) / (double)(n + 1));
}

static const struct {
	char name[24];
	spectrum_function spectrum;
} spectra[] = {
        {"even", even},
        {"geometric", geometric},
        {"multiple", multiple},
        {"half zero", half_zero},
        {"rank one", rank_one},
        {"identity", identity},
        {"two near the top", two_near_the_top},
        {"one far above", one_far_above},
        {"tiny", tiny},
        {"huge", huge},
        {"crowded", crowded},
};

enum { SPECTRA = sizeof spectra / sizeof *spectra };

Test(step_size, brackets_the_largest_eigenvalue_and_meets_it_after_as_many_products_as_dimensions)
{
	static struct matrix matrix;
	for (size_t s = 0; s < SPECTRA; s++) {
		for (size_t n = 1; n <= 60; n++) {
			for (size_t reflections = 0; reflections <= REFLECTIONS; reflections += REFLECTIONS) {
				size_t products;
				matrix_init(&matrix, n, spectra[s].spectrum, reflections, 100 * n + s);
				struct step_bounds bounds = bounds_of(&matrix, &products);
				cr_expect_leq(products, n < PRODUCTS_MAX ? n : PRODUCTS_MAX);
				cr_expect(n > PRODUCTS_MAX || bounds.upper <= 1.0001 * bounds.lower,
				        "%s, n %zu, %zu reflections: upper %g, lower %g", spectra[s].name, n,
				        reflections, bounds.upper, bounds.lower);
			}
		}
	}
}

Test(step_size, brackets_the_largest_eigenvalue_of_large_matrices_closely)
{
	static const size_t sizes[] = {300, 2000};
	static struct matrix matrix;
	for (size_t s = 0; s < SPECTRA; s++) {
		for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
			size_t products;
			matrix_init(&matrix, sizes[k], spectra[s].spectrum, REFLECTIONS, s + 1);
			struct step_bounds bounds = bounds_of(&matrix, &products);
			cr_expect_leq(products, PRODUCTS_MAX);
			cr_expect(bounds.upper < 1.15 * bounds.lower, "%s, n %zu: upper %g, lower %g", spectra[s].name,
			        sizes[k], bounds.upper, bounds.lower);
		}
	}
}

Test(step_size, needs_one_product_for_the_identity)
{
	static struct matrix matrix;
	size_t products;
	matrix_init(&matrix, 40, identity, 0, 1);
	struct step_bounds bounds = bounds_of(&matrix, &products);
	cr_expect_eq(products, 1);
	cr_expect_float_eq(bounds.lower, 1, 1e-14);
	cr_expect_float_eq(bounds.upper, 1, 2e-9);
}

Test(step_size, asks_for_directions_of_length_1_at_right_angles)
{
	enum { SIZE = 30 };
	static struct matrix matrix;
	double directions[SIZE][SIZE], product[SIZE];
	const double *direction;
	size_t count = 0;
	struct step_size *step = step_size_new(SIZE);
	matrix_init(&matrix, SIZE, geometric, REFLECTIONS, 1);
	while ((direction = step_size_direction(step)) != NULL) {
		cr_assert_lt(count, SIZE);
		memcpy(directions[count++], direction, sizeof directions[0]);
		multiply(&matrix, direction, product);
		step_size_take_product(step, product);
	}
	step_size_free(step);
	cr_expect_gt(count, 5);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j <= i; j++)
			cr_expect_float_eq(product_of(directions[i], directions[j], SIZE), i == j ? 1 : 0, 1e-13);
}

/* What the bound is for: f(x) = ½·xᵀHx never rises on the way down. */
Test(step_size, gives_a_step_that_never_raises_the_quadratic)
{
	enum { SIZE = 20, EPOCHS = 300 };
	static struct matrix matrix;
	for (size_t s = 0; s < SPECTRA; s++) {
		size_t products;
		double x[SIZE], gradient[SIZE], scale, before = INFINITY;
		uint64_t state = s;
		matrix_init(&matrix, SIZE, spectra[s].spectrum, REFLECTIONS, s);
		struct step_bounds bounds = bounds_of(&matrix, &products);
		scale = 1 / matrix.largest;
		for (size_t i = 0; i < SIZE; i++)
			x[i] = random_even(&state);
		for (int epoch = 0; epoch < EPOCHS; epoch++) {
			multiply(&matrix, x, gradient);
			double loss = 0;
			for (size_t i = 0; i < SIZE; i++)
				loss += 0.5 * x[i] * (gradient[i] * scale);
			cr_assert(loss <= before * (1 + 1e-12) + 1e-28, "%s, epoch %d: %g after %g", spectra[s].name,
			        epoch, loss, before);
			before = loss;
			for (size_t i = 0; i < SIZE; i++)
				x[i] -= gradient[i] / bounds.upper;
		}
	}
}

Test(step_size, gives_the_same_bits_every_time)
{
	static struct matrix matrix;
	size_t products;
	matrix_init(&matrix, 50, even, REFLECTIONS, 1);
	struct step_bounds first = bounds_of(&matrix, &products);
	struct step_bounds second = bounds_of(&matrix, &products);
	cr_expect_eq(memcmp(&first.lower, &second.lower, sizeof(double)), 0);
	cr_expect_eq(memcmp(&first.upper, &second.upper, sizeof(double)), 0);
}

/* The trace comes from the data, with rounding: of the bound no more than that is lost. */
Test(step_size, stands_a_trace_that_is_a_little_too_small)
{
	static struct matrix matrix;
	size_t products;
	matrix_init(&matrix, 10, one_far_above, REFLECTIONS, 1);
	matrix.trace *= 1 - 1e-14;
	struct step_bounds bounds = bounds_of(&matrix, &products);
	cr_expect_geq(bounds.upper, matrix.largest);
}
