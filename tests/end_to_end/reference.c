#include "tests/end_to_end/reference.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { COLUMNS_MAX = REFERENCE_FEATURES_MAX + 1 };

static long double mean_of(const struct table *table, size_t column)
{
	long double sum = 0;
	for (size_t i = 0; i < table->rows; i++)
		sum += *table_at(table, i, column);
	return sum / (long double)table->rows;
}

/* Solves A·x = y in place of y, for d unknowns, by elimination with the largest pivot of each column. */
static void solve(long double a[COLUMNS_MAX][COLUMNS_MAX], long double *y, size_t d)
{
	for (size_t k = 0; k < d; k++) {
		size_t pivot = k;
		for (size_t i = k + 1; i < d; i++)
			if (fabsl(a[i][k]) > fabsl(a[pivot][k]))
				pivot = i;
		cr_assert(a[pivot][k] != 0, "the columns are linearly dependent");
		for (size_t j = 0; j < d; j++) {
			long double swapped = a[k][j];
			a[k][j] = a[pivot][j];
			a[pivot][j] = swapped;
		}
		long double swapped = y[k];
		y[k] = y[pivot];
		y[pivot] = swapped;
		for (size_t i = 0; i < d; i++) {
			long double factor = a[i][k] / a[k][k];
			for (size_t j = k; i != k && j < d; j++)
				a[i][j] -= factor * a[k][j];
			y[i] -= i != k ? factor * y[k] : 0;
		}
	}
	for (size_t k = 0; k < d; k++)
		y[k] /= a[k][k];
}

void reference_fit(const struct table *table, long double *parameters)
{
	static long double products[COLUMNS_MAX][COLUMNS_MAX];
	long double means[COLUMNS_MAX];
	size_t d = table->features;
	cr_assert(d <= REFERENCE_FEATURES_MAX);
	for (size_t j = 0; j <= d; j++)
		means[j] = mean_of(table, j);
	for (size_t j = 0; j < d; j++) {
		for (size_t k = 0; k <= d; k++) {
			long double sum = 0;
			for (size_t i = 0; i < table->rows; i++)
				sum += (*table_at(table, i, j) - means[j]) * (*table_at(table, i, k) - means[k]);
			if (k < d)
				products[j][k] = sum;
			else
				parameters[j] = sum;
		}
	}
	solve(products, parameters, d);
	parameters[d] = means[d];
	for (size_t j = 0; j < d; j++)
		parameters[d] -= parameters[j] * means[j];
}

static long double error_of(const struct table *table, size_t row, const long double *parameters)
{
	size_t d = table->features;
	long double error = parameters[d] - *table_at(table, row, d);
	for (size_t j = 0; j < d; j++)
		error += parameters[j] * *table_at(table, row, j);
	return error;
}

long double reference_gradient(
        const struct table *table, size_t begin, size_t end, const long double *parameters, long double *gradient)
{
	size_t d = table->features;
	long double rows = (long double)(end - begin);
	long double square = 0;
	for (size_t j = 0; j <= d; j++)
		gradient[j] = 0;
	for (size_t i = begin; i < end; i++) {
		long double error = error_of(table, i, parameters);
		square += error * error;
		for (size_t j = 0; j < d; j++)
			gradient[j] += error * *table_at(table, i, j);
		gradient[d] += error;
	}
	for (size_t j = 0; j <= d; j++)
		gradient[j] *= 2 / rows;
	return square / rows;
}

long double reference_descend(const struct table *table, double rate, unsigned epochs, long double *parameters)
{
	size_t d = table->features;
	long double loss = 0;
	long double *gradient = calloc(d + 1, sizeof *gradient);
	cr_assert(gradient != NULL);
	for (size_t j = 0; j <= d; j++)
		parameters[j] = 0;
	for (unsigned epoch = 0; epoch < epochs; epoch++) {
		loss = reference_gradient(table, 0, table->rows, parameters, gradient);
		for (size_t j = 0; j <= d; j++)
			parameters[j] -= rate * gradient[j];
	}
	free(gradient);
	return loss;
}

long double reference_r2(const struct table *table, const long double *parameters)
{
	size_t d = table->features;
	long double mean = mean_of(table, d);
	long double residuals = 0, total = 0;
	for (size_t i = 0; i < table->rows; i++) {
		long double error = error_of(table, i, parameters);
		long double deviation = *table_at(table, i, d) - mean;
		residuals += error * error;
		total += deviation * deviation;
	}
	return 1 - residuals / total;
}
