#include "coordinator/step_size.h"

#include "common/random.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* With 48 products ε is at most 0.08 for 65535 columns; a pass over the data each, before epochs by the hundred. */
enum { PRODUCTS_MAX = 48 };

/* Below this, relative to the products' size, a remainder is rounding error: the Krylov space is complete. */
static const double breakdown = 1e-13;

struct step_size {
	size_t dimensions;
	size_t steps; /* products taken */
	size_t steps_max;
	bool complete;                 /* no further direction: the Ritz values are eigenvalues */
	double unit;                   /* a power of two that products are multiplied by, lest their squares overflow */
	double *basis;                 /* steps_max + 1 vectors of `dimensions` */
	double *remainder;             /* dimensions */
	double alpha[PRODUCTS_MAX];    /* the tridiagonal matrix: diagonal … */
	double beta[PRODUCTS_MAX + 1]; /* … and beside it: beta[i] between rows i - 1 and i */
};

/*
 * Close to normal: the sum of twelve even numbers in [0, 1), less six. Only additions, so that every machine and
 * libm draws the same vector.
 */
static double draw(uint64_t *state)
{
	double sum = -6.0;
	for (int i = 0; i < 12; i++)
		sum += random_fraction(random_next(state));
	return sum;
}

static double dot(const double *a, const double *b, size_t count)
{
	double sum = 0.0;
	for (size_t i = 0; i < count; i++)
		sum += a[i] * b[i];
	return sum;
}

static void divide(double *vector, double by, size_t count)
{
	for (size_t i = 0; i < count; i++)
		vector[i] /= by;
}

struct step_size *step_size_new(size_t dimensions)
{
	struct step_size *step = calloc(1, sizeof *step);
	if (step == NULL)
		return NULL;
	step->dimensions = dimensions;
	step->steps_max = dimensions < PRODUCTS_MAX ? dimensions : PRODUCTS_MAX;
	step->basis = calloc((step->steps_max + 1) * dimensions, sizeof(double));
	step->remainder = calloc(dimensions, sizeof(double));
	if (step->basis == NULL || step->remainder == NULL) {
		step_size_free(step);
		return NULL;
	}
	uint64_t state = 1;
	for (size_t i = 0; i < dimensions; i++)
		step->basis[i] = draw(&state);
	divide(step->basis, sqrt(dot(step->basis, step->basis, dimensions)), dimensions);
	return step;
}

void step_size_free(struct step_size *step)
{
	if (step == NULL)
		return;
	free(step->basis);
	free(step->remainder);
	free(step);
}

const double *step_size_direction(const struct step_size *step)
{
	if (step->complete || step->steps == step->steps_max)
		return NULL;
	return step->basis + step->steps * step->dimensions;
}

/* Takes the parts along all earlier directions out of the remainder, twice, for rounding leaves some of it. */
static void orthogonalize(struct step_size *step)
{
	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; i <= step->steps; i++) {
			const double *direction = step->basis + i * step->dimensions;
			double part = dot(step->remainder, direction, step->dimensions);
			for (size_t j = 0; j < step->dimensions; j++)
				step->remainder[j] -= part * direction[j];
		}
	}
}

/* The power of two that brings the largest element near 1: no bit of a result but its exponent depends on it. */
static double choose_unit(const double *product, size_t count)
{
	enum { EXPONENT_MAX = 1000 }; /* whose powers and their inverses are normal doubles */
	double largest = 0.0;
	int exponent;
	for (size_t i = 0; i < count; i++)
		largest = fmax(largest, fabs(product[i]));
	frexp(largest, &exponent);
	exponent = exponent > EXPONENT_MAX ? EXPONENT_MAX : exponent < -EXPONENT_MAX ? -EXPONENT_MAX : exponent;
	return ldexp(1.0, -exponent);
}

void step_size_take_product(struct step_size *step, const double *product)
{
	const double *direction = step->basis + step->steps * step->dimensions;
	if (step->steps == 0)
		step->unit = choose_unit(product, step->dimensions);
	for (size_t i = 0; i < step->dimensions; i++)
		step->remainder[i] = product[i] * step->unit;
	double size = sqrt(dot(step->remainder, step->remainder, step->dimensions));
	step->alpha[step->steps] = dot(step->remainder, direction, step->dimensions);
	orthogonalize(step);
	double norm = sqrt(dot(step->remainder, step->remainder, step->dimensions));
	step->steps++;
	step->beta[step->steps] = norm;
	if (!(norm > breakdown * size)) {
		step->complete = true;
		return;
	}
	double *next = step->basis + step->steps * step->dimensions;
	memcpy(next, step->remainder, step->dimensions * sizeof(double));
	divide(next, norm, step->dimensions);
}

/* How many eigenvalues of the tridiagonal matrix are below x: signs of the pivots (Sylvester's law of inertia). */
static size_t eigenvalues_below(const struct step_size *step, double x)
{
	size_t below = 0;
	double pivot = 1.0;
	for (size_t i = 0; i < step->steps; i++) {
		double off = i == 0 ? 0.0 : step->beta[i];
		pivot = step->alpha[i] - x - (off == 0.0 ? 0.0 : off * off / pivot);
		if (pivot == 0.0)
			pivot = -1e-300;
		if (pivot < 0.0)
			below++;
	}
	return below;
}

/* The largest eigenvalue of the tridiagonal matrix, by bisection within Gershgorin's discs. */
static double largest_ritz_value(const struct step_size *step)
{
	double low = step->alpha[0], high = step->alpha[0];
	for (size_t i = 0; i < step->steps; i++) {
		double left = i == 0 ? 0.0 : step->beta[i];
		double right = i + 1 == step->steps ? 0.0 : step->beta[i + 1];
		high = fmax(high, step->alpha[i] + left + right);
		low = fmax(low, step->alpha[i]);
	}
	while (high - low > 4e-16 * fabs(high)) {
		double middle = low + (high - low) / 2;
		if (middle <= low || middle >= high)
			break;
		if (eigenvalues_below(step, middle) < step->steps)
			low = middle;
		else
			high = middle;
	}
	return high;
}

/*
 * At least ln(x), by at most 0.31: for 1 <= m < 2, ln(m) <= m - 1. A library's log() may differ in the last bit from
 * machine to machine, and the step with it.
 */
static double logarithm_bound(double x)
{
	int exponent;
	double mantissa = frexp(x, &exponent); /* in [1/2, 1) */
	return (exponent - 1) * 0.6931471805599454 + (2.0 * mantissa - 1.0);
}

struct step_bounds step_size_bounds(const struct step_size *step, double trace)
{
	struct step_bounds bounds;
	bounds.lower = largest_ritz_value(step);
	/* The other Ritz values' sum is the tridiagonal matrix's trace less the largest. */
	double others = -bounds.lower;
	for (size_t i = 0; i < step->steps; i++)
		others += step->alpha[i];
	double by_trace = trace * step->unit - others;
	double root =
	        logarithm_bound(1.648 * sqrt((double)step->dimensions) / 1e-9) / (2.0 * (double)step->steps - 1.0);
	double by_chance = root < 1.0 ? bounds.lower / (1.0 - root * root) : INFINITY;
	/* A complete Krylov space of a start vector that has a part along every eigenvector contains the largest. */
	if (step->complete)
		by_chance = bounds.lower;
	bounds.upper = fmin(by_trace, by_chance);
	/* Rounding in the products may have taken a little away. */
	bounds.upper = fmax(bounds.upper, bounds.lower) * (1.0 + 1e-9);
	bounds.lower /= step->unit;
	bounds.upper /= step->unit;
	return bounds;
}
