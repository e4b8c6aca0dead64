#include "coordinator/generator.h"

#include "common/random.h"

#include <math.h>
#include <stdlib.h>

static uint64_t rotate(uint64_t bits, unsigned by)
{
	return bits << by | bits >> (64 - by);
}

static uint64_t next_bits(uint64_t state[4])
{
	uint64_t result = rotate(state[0] + state[3], 23) + state[0];
	uint64_t shifted = state[1] << 17;
	state[2] ^= state[0];
	state[3] ^= state[1];
	state[1] ^= state[2];
	state[0] ^= state[3];
	state[2] ^= shifted;
	state[3] = rotate(state[3], 45);
	return result;
}

/* From -1 to 1, in steps of 2⁻⁵². */
static double next_uniform(uint64_t state[4])
{
	return (double)(next_bits(state) >> 11) * 0x1p-52 - 1.0;
}

/*
 * ln x = e ln 2 + 2 artanh s, with x = m·2^e, m from √½ to √2 and s = (m - 1) / (m + 1). |s| ≤ 0.172, so that the term
 * s²⁵/25 is below the last bit of the first.
 */
static double logarithm(double x)
{
	int exponent;
	double m = frexp(x, &exponent);
	if (m < 0x1.6a09e667f3bcdp-1) {
		m *= 2.0;
		exponent--;
	}
	double s = (m - 1.0) / (m + 1.0), square = s * s, sum = 0.0;
	for (int n = 25; n >= 1; n -= 2)
		sum = sum * square + 1.0 / n;
	return exponent * 0x1.62e42fefa39efp-1 + 2.0 * s * sum;
}

double generator_normal(struct generator *generator)
{
	if (generator->has_spare) {
		generator->has_spare = false;
		return generator->spare;
	}
	double u, v, square;
	do {
		u = next_uniform(generator->state);
		v = next_uniform(generator->state);
		square = u * u + v * v;
	} while (square >= 1.0 || square == 0.0);
	double stretch = sqrt(-2.0 * logarithm(square) / square);
	generator->spare = v * stretch;
	generator->has_spare = true;
	return u * stretch;
}

static double next_coefficient(uint64_t state[4])
{
	double quarters = (double)(next_bits(state) % 80) - 40.0; /* -40 … 39 */
	return (quarters < 0.0 ? quarters : quarters + 1.0) / 4.0;
}

bool generator_init(struct generator *generator, uint64_t seed, uint32_t features, double noise)
{
	*generator = (struct generator){.features = features, .noise = noise};
	generator->weights = malloc(features * sizeof *generator->weights);
	if (generator->weights == NULL)
		return false;
	for (int i = 0; i < 4; i++)
		generator->state[i] = random_next(&seed);
	for (uint32_t j = 0; j < features; j++)
		generator->weights[j] = next_coefficient(generator->state);
	generator->intercept = next_coefficient(generator->state);
	return true;
}

void generator_release(struct generator *generator)
{
	free(generator->weights);
	generator->weights = NULL;
}

void generator_row(struct generator *generator, double *row)
{
	double y = generator->intercept;
	for (uint32_t j = 0; j < generator->features; j++) {
		row[j] = generator_normal(generator);
		y += generator->weights[j] * row[j];
	}
	row[generator->features] = y + generator->noise * generator_normal(generator);
}
