/*
 * Datasets for the benches, the same ones each time.
 *
 *   words  what is a number of sane size however it is cut: as f4 in [1, 2), as f8 just above 2^-7
 *   f8     rows of uniform features and a target that is linear in them, but for noise
 *   csv    the same with a header, in so many digits: behind the point, or 17 significant ones
 */
#include "tests/bench/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t next_random(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static double next_uniform(uint64_t *state)
{
	return (double)(next_random(state) >> 11) * 0x1p-53;
}

static void put(const void *bytes, size_t length)
{
	probe_check(fwrite(bytes, 1, length, stdout) == length, "standard output");
}

/* rows × (features + 1) words of eight bytes. */
static void put_words(uint64_t rows, uint64_t features)
{
	uint64_t state = 1;
	for (uint64_t i = 0; i < rows * (features + 1); i++) {
		uint64_t word = (next_random(&state) & 0x007fffff007fffff) | 0x3f8000003f800000;
		put(&word, sizeof word);
	}
}

/* One row: features, then the target. */
static void make_row(uint64_t *state, uint64_t features, double *row)
{
	row[features] = 3.0 + next_uniform(state);
	for (uint64_t j = 0; j < features; j++) {
		row[j] = next_uniform(state);
		row[features] += row[j] * (double)(j + 1) / (double)features;
	}
}

static void put_f8(uint64_t rows, uint64_t features, double *row)
{
	uint64_t state = 1;
	for (uint64_t i = 0; i < rows; i++) {
		make_row(&state, features, row);
		put(row, (features + 1) * sizeof *row);
	}
}

static void put_csv(uint64_t rows, uint64_t features, int digits, double *row)
{
	uint64_t state = 1;
	for (uint64_t j = 0; j < features; j++)
		printf("x%d,", (int)j);
	printf("y\n");
	for (uint64_t i = 0; i < rows; i++) {
		make_row(&state, features, row);
		for (uint64_t j = 0; j <= features; j++) {
			printf(digits == 17 ? "%.*g" : "%.*f", digits, row[j]);
			putchar(j == features ? '\n' : ',');
		}
	}
}

int probe_generate(char **arguments)
{
	uint64_t rows = probe_number(arguments[1]), features = probe_number(arguments[2]);
	int digits = (int)probe_number(arguments[3]);
	double *row = calloc(features + 1, sizeof *row);
	probe_check(row != NULL, "calloc");
	if (strcmp(arguments[0], "words") == 0)
		put_words(rows, features);
	else if (strcmp(arguments[0], "f8") == 0)
		put_f8(rows, features, row);
	else
		put_csv(rows, features, digits, row);
	probe_check(fflush(stdout) == 0, "standard output");
	free(row);
	return 0;
}
