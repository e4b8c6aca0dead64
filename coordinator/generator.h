/*
 * Datasets whose truth is known: y = w·x + b + noise, features and noise from the standard normal distribution. Pure,
 * and the same bits on every machine: whole numbers, and of floating-point arithmetic only what IEEE 754 rounds in one
 * way (+ - × ÷ √); the logarithm that it takes is made of these.
 *
 * Random bits come from xoshiro256++ (Blackman, Vigna: Scrambled linear pseudorandom number generators, 2021), its
 * state from the seed by SplitMix64, as they say. Normal numbers come from Marsaglia's polar method (1964), two at a
 * time. First the truth is drawn: the weights, then the intercept, multiples of 1/4 from -10 to 10 without 0. Then, row
 * by row, x_1 … x_d and the noise.
 */
#ifndef FORKFIT_COORDINATOR_GENERATOR_H
#define FORKFIT_COORDINATOR_GENERATOR_H

#include <stdbool.h>
#include <stdint.h>

struct generator {
	uint64_t state[4];
	bool has_spare; /* the second of two normal numbers */
	double spare;
	uint32_t features; /* d */
	double noise;      /* its standard deviation */
	double *weights;   /* d */
	double intercept;
};

/* False: out of memory. */
bool generator_init(struct generator *generator, uint64_t seed, uint32_t features, double noise);
void generator_release(struct generator *generator);

/* The next row: d features, then the target. */
void generator_row(struct generator *generator, double *row);

/* The next number of the standard normal distribution. */
double generator_normal(struct generator *generator);

#endif
