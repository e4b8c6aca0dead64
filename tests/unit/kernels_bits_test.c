/* The sums of a leaf are the same to the bit, however its rows lie in memory and whatever the processor can do. */
#include "tests/unit/guard_page.h"
#include "tests/unit/kernel_clones.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(kernels_bits, .timeout = 120);

/* From 1 to 19, then one strip of 32 rows in Fortran order and what may be behind it. */
enum { MOST_ROWS = 44 };

static size_t more_rows(size_t rows)
{
	if (rows == 19)
		return 32;
	return rows == 32 ? MOST_ROWS : rows + 1;
}

/* The table's sums in any layout, by any clone, are what the baseline has where it lies row by row. */
static void assert_the_same(struct clones *clones, const double *table, size_t rows)
{
	struct layouts layouts;
	layouts_init(&layouts, table, rows, clones->kernels[0].features);
	for (enum kernel kernel = 0; kernel < KERNEL_STREAM; kernel++) {
		struct sums sums;
		clones_choose(clones, kernel);
		sum_leaf(&clones->kernels[CLONE_BASELINE], &layouts.laid[0].leaf, &sums);
		assert_everywhere(clones, &layouts, &sums);
	}
	layouts_release(&layouts);
}

/* Catches the mutation contraction. */
Test(kernels_bits, are_the_same_for_every_layout_and_instruction_set)
{
	uint64_t state = 1;
	for (int i = 0; i < (int)kernel_feature_count; i++) {
		struct clones clones;
		uint32_t d = kernel_feature_counts[i];
		clones_init(&clones, &state, d, false);
		for (int j = 0; j < KERNEL_ROW_COUNTS; j++) {
			double *table = rows_random(&state, kernel_row_count(j), d);
			assert_the_same(&clones, table, kernel_row_count(j));
			free(table);
		}
		clones_release(&clones);
	}
}

/* Then nothing is subtracted from the features, or it is of some: a clone may do both in ways of their own. */
Test(kernels_bits, are_the_same_where_centres_are_zero)
{
	uint64_t state = 11;
	for (int i = 0; i < (int)kernel_feature_count; i++) {
		struct clones clones;
		uint32_t d = kernel_feature_counts[i];
		clones_init(&clones, &state, d, false);
		for (int j = 0; j < KERNEL_ROW_COUNTS; j += i % 3 + 1) {
			double *table = rows_random(&state, kernel_row_count(j), d);
			for (uint32_t k = 0; k < d; k++)
				clones.centre[k] = random_below(&state, 2) == 0 ? 0.0 : -0.0;
			if (j % 4 == 0)
				clones.centre[random_below(&state, d)] = 0.75;
			assert_the_same(&clones, table, kernel_row_count(j));
			free(table);
		}
		clones_release(&clones);
	}
}

Test(kernels_bits, are_the_same_for_very_many_columns)
{
	uint64_t state = 5;
	struct clones clones;
	double *table = rows_random(&state, 41, KERNEL_FEATURES_MAX);
	clones_init(&clones, &state, KERNEL_FEATURES_MAX, false);
	assert_the_same(&clones, table, 41);
	clones_release(&clones);
	free(table);
}

/* Makes some of the numbers infinite, or NaN. */
static void spoil(uint64_t *state, double *numbers, size_t count)
{
	static const double others[] = {(double)INFINITY, -(double)INFINITY, (double)NAN};
	for (size_t i = 0; i < count; i++)
		if (random_below(state, 64) == 0)
			numbers[i] = others[random_below(state, 3)];
}

/* Also where rows are missing at the end, for which 0 times an infinite number must not stand in. */
Test(kernels_bits, are_the_same_where_numbers_are_infinite_or_none)
{
	uint64_t state = 6;
	for (uint32_t d = 1; d < 40; d++) {
		for (size_t rows = 1; rows <= MOST_ROWS; rows = more_rows(rows)) {
			struct clones clones;
			double *table = rows_random(&state, rows, d);
			clones_init(&clones, &state, d, false);
			if (rows % 2 == 1)
				spoil(&state, clones.parameters, d + 1);
			if (rows % 3 == 0)
				spoil(&state, clones.centre, d + 1);
			if (rows % 4 == 0)
				clones.parameters[d] = (double)INFINITY;
			if (rows % 5 == 0)
				spoil(&state, table, rows * (d + 1));
			assert_the_same(&clones, table, rows);
			clones_release(&clones);
			free(table);
		}
	}
}

#if defined(__x86_64__)
/* As CPUID tells it: what is behind 15 is in a field of its own. */
static unsigned processor_family(void)
{
	unsigned version = 0, other;
	cr_assert(__get_cpuid(1, &version, &other, &other, &other));
	return (version >> 8 & 0xf) + (version >> 20 & 0xff);
}
#endif

Test(kernels_bits, have_a_clone_for_what_this_processor_can_do)
{
#if defined(__x86_64__)
	const bool has_avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
	                        __builtin_cpu_supports("avx512dq");
	const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	const enum kernel_clone by_four = has_avx2 ? CLONE_AVX2 : CLONE_BASELINE;
	const enum kernel_clone of_amd = processor_family() > 25 ? CLONE_AVX512_ZEN5 : CLONE_AVX512_ZEN4;
	const enum kernel_clone by_eight = __builtin_cpu_is("amd") ? of_amd : CLONE_AVX512;
	cr_expect_eq(kernel_best_clone(), has_avx512 ? by_eight : by_four);
#endif
	cr_expect(kernel_best_clone() < CLONE_COUNT);
}

/* Some of so many rows are to be skipped; the sums are what the baseline has of the others. */
static void assert_the_same_without(uint64_t *state, struct clones *clones, size_t rows)
{
	struct layouts layouts;
	struct kernels plain;
	const uint32_t d = clones->kernels[0].features;
	double *table = rows_random(state, rows, d), *kept;
	size_t left = rows_spoil(state, table, rows, d, &kept);
	struct laid_rows without = rows_lay(&row_layouts[0], kept, left, d);
	cr_assert(kernels_init(&plain, d, false, CLONE_BASELINE));
	layouts_init(&layouts, table, rows, d);
	for (enum kernel kernel = 0; kernel < KERNEL_STREAM; kernel++) {
		struct sums sums;
		kernels_choose(&plain, kernel, clones->parameters, clones->centre);
		clones_choose(clones, kernel);
		sum_leaf(&plain, &without.leaf, &sums);
		assert_everywhere(clones, &layouts, &sums);
	}
	layouts_release(&layouts);
	kernels_release(&plain);
	rows_release(&without);
	free(kept);
	free(table);
}

Test(kernels_bits, are_with_rows_skipped_what_they_are_without_these_rows)
{
	uint64_t state = 2;
	for (int i = 0; i < (int)kernel_feature_count; i++) {
		struct clones clones;
		clones_init(&clones, &state, kernel_feature_counts[i], true);
		for (int j = 0; j < KERNEL_ROW_COUNTS; j += i % 5 + 1)
			assert_the_same_without(&state, &clones, kernel_row_count(j));
		clones_release(&clones);
	}
}

Test(kernels_bits, carry_on_from_tile_to_tile_of_narrow_rows)
{
	uint64_t state = 7;
	for (uint32_t d = 6; d < TILE_WIDE_FEATURES; d++) {
		struct clones clones;
		clones_init(&clones, &state, d, true);
		cr_assert_lt(clones.kernels[0].reader.capacity, 5000);
		assert_the_same_without(&state, &clones, 15000);
		clones_release(&clones);
	}
}

Test(kernels_bits, give_negative_zeros_the_same_sum_everywhere)
{
	uint64_t state = 3;
	for (int i = 0; i < (int)kernel_feature_count; i++) {
		struct clones clones;
		uint32_t d = kernel_feature_counts[i];
		clones_init(&clones, &state, d, false);
		memset(clones.centre, 0, sizeof clones.centre);
		for (uint32_t j = 0; j <= d; j++)
			clones.parameters[j] = j % 2 == 0 ? 0.0 : -0.0;
		for (size_t rows = 1; rows <= MOST_ROWS; rows = more_rows(rows)) {
			struct layouts layouts;
			double *table = rows_random_whole(&state, rows, d, 0);
			for (size_t k = 0; k < rows * (d + 1); k++)
				table[k] = random_below(&state, 8) == 0 ? 0.0 : -0.0;
			layouts_init(&layouts, table, rows, d);
			for (enum kernel kernel = 0; kernel < KERNEL_STREAM; kernel++) {
				clones_choose(&clones, kernel);
				struct sums sums;
				sum_leaf(&clones.kernels[CLONE_BASELINE], &layouts.laid[0].leaf, &sums);
				assert_everywhere(&clones, &layouts, &sums);
				cr_expect_eq(sums.values[0], 0);
			}
			layouts_release(&layouts);
			free(table);
		}
		clones_release(&clones);
	}
}

/* Sums with each clone rows whose first byte is the first behind a guard, or whose last is the last before one. */
static void sum_between_guards(struct clones *clones, const struct laid_rows *laid, const struct guard_page *guard)
{
	const size_t shift = (size_t)(laid->leaf.base - laid->memory);
	const char *bytes = (const char *)laid->leaf.base;
	struct leaf_rows leaf = laid->leaf;
	cr_assert_leq(laid->size, guard->size);
	for (int i = 0; i < 2; i++) {
		leaf.base = (unsigned char *)(i == 0 ? guard_page_place : guard_page_place_first)(
		        guard, bytes, laid->size - shift);
		for (enum kernel_clone clone = 0; clone <= clones->last; clone++) {
			struct sums sums;
			cr_assert(kernels_sum_leaf(&clones->kernels[clone], &leaf, sums.values));
		}
	}
}

Test(kernels_bits, come_from_nothing_outside_of_the_rows)
{
	uint64_t state = 8;
	struct guard_page guard = guard_page_new(1 << 19);
	for (int i = 0; i < (int)kernel_feature_count; i++) {
		struct clones clones;
		const uint32_t d = kernel_feature_counts[i];
		clones_init(&clones, &state, d, false);
		for (size_t rows = 1; rows <= MOST_ROWS; rows = more_rows(rows)) {
			struct layouts layouts;
			double *table = rows_random(&state, rows, d);
			layouts_init(&layouts, table, rows, d);
			for (enum kernel kernel = 0; kernel < KERNEL_STREAM; kernel++) {
				clones_choose(&clones, kernel);
				for (size_t k = 0; k < row_layout_count; k++)
					sum_between_guards(&clones, &layouts.laid[k], &guard);
			}
			layouts_release(&layouts);
			free(table);
		}
		clones_release(&clones);
	}
	guard_page_free(&guard);
}
