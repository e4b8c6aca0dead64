/* The sums of a leaf are the same to the bit, however its rows lie in memory and whatever the processor can do. */
#include "worker/kernels.h"

#include "tests/unit/guard_page.h"
#include "tests/unit/random.h"
#include "tests/unit/row_layouts.h"

#include <criterion/criterion.h>
#if defined(__x86_64__)
#include <cpuid.h>
#endif
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(kernels_bits, .timeout = 120);

/* With 301 and 700 rows are so long that CLONE_AVX512_ZEN5 goes through them one by one: of f8, and of f4, too. */
static const uint32_t feature_counts[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 31, 32, 33, 45, 64, 72, 100, 301, 700};
enum {
	FEATURE_COUNTS = sizeof feature_counts / sizeof *feature_counts,
	FEATURES_MAX = 8200, /* of so many in Fortran order, no cache has room for the shortest run */
	WIDTH_MAX = FEATURES_MAX + 3
};

/* From 0 to 40, then 1000. */
enum { ROW_COUNTS = 42 };

static size_t row_count(int i)
{
	return i < ROW_COUNTS - 1 ? (size_t)i : 1000;
}

/* From 1 to 19, then one strip of 32 rows in Fortran order and what may be behind it. */
enum { MOST_ROWS = 44 };

static size_t more_rows(size_t rows)
{
	if (rows == 19)
		return 32;
	return rows == 32 ? MOST_ROWS : rows + 1;
}

/* Numbers with all their digits, so that every rounding shows; some are zeros of either sign. */
static void fill(uint64_t *state, double *numbers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		numbers[i] = random_below(state, 8) == 0 ? -0.0 : (double)(int64_t)random_next(state) * 0x1p-60;
}

struct sums {
	bool present;
	size_t width;
	double values[WIDTH_MAX];
};

static void sum_leaf(struct kernels *kernels, const struct leaf_rows *leaf, struct sums *sums)
{
	sums->width = sums_width(kernels->kernel, kernels->features);
	sums->present = kernels_sum_leaf(kernels, leaf, sums->values);
}

/* Whose NaN a sum of two has is the compiler's choice, and nobody is shown its sign. */
static bool equal(const struct sums *one, const struct sums *other)
{
	if (one->present != other->present || one->width != other->width)
		return false;
	for (size_t i = 0; one->present && i < one->width; i++)
		if (memcmp(&one->values[i], &other->values[i], sizeof one->values[i]) != 0 &&
		        !(isnan(one->values[i]) && isnan(other->values[i])))
			return false;
	return true;
}

/* A kernel with random centre and parameters for every clone that this processor runs, its best or not. */
struct clones {
	enum kernel_clone last;
	struct kernels kernels[CLONE_COUNT];
	double parameters[FEATURES_MAX + 1];
	double centre[FEATURES_MAX + 1];
};

static void clones_init(struct clones *clones, uint64_t *state, uint32_t d, bool skip_missing)
{
	clones->last = kernel_best_clone() < CLONE_AVX512 ? kernel_best_clone() : CLONE_COUNT - 1;
	fill(state, clones->parameters, d + 1);
	fill(state, clones->centre, d + 1);
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++)
		cr_assert(kernels_init(&clones->kernels[clone], d, skip_missing, clone));
}

static void clones_choose(struct clones *clones, enum kernel kernel)
{
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++)
		kernels_choose(&clones->kernels[clone], kernel, clones->parameters, clones->centre);
}

static void clones_release(struct clones *clones)
{
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++)
		kernels_release(&clones->kernels[clone]);
}

/* The table in every layout. */
struct layouts {
	struct laid_rows laid[32];
};

static void layouts_init(struct layouts *layouts, const double *table, size_t rows, uint32_t d)
{
	cr_assert(row_layout_count <= sizeof layouts->laid / sizeof *layouts->laid);
	for (size_t i = 0; i < row_layout_count; i++)
		layouts->laid[i] = rows_lay(&row_layouts[i], table, rows, d);
}

static void layouts_release(struct layouts *layouts)
{
	for (size_t i = 0; i < row_layout_count; i++)
		rows_release(&layouts->laid[i]);
}

/* Do all clones have these sums for all layouts? */
static void assert_everywhere(struct clones *clones, const struct layouts *layouts, const struct sums *expected)
{
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++) {
		for (size_t i = 0; i < row_layout_count; i++) {
			struct sums sums;
			sum_leaf(&clones->kernels[clone], &layouts->laid[i].leaf, &sums);
			cr_assert(equal(&sums, expected), "kernel %d, clone %d, %u features, %zu rows, %s",
			        (int)clones->kernels[clone].kernel, (int)clone, clones->kernels[clone].features,
			        layouts->laid[i].leaf.rows, row_layouts[i].name);
		}
	}
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
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct clones clones;
		uint32_t d = feature_counts[i];
		clones_init(&clones, &state, d, false);
		for (int j = 0; j < ROW_COUNTS; j++) {
			double *table = rows_random(&state, row_count(j), d);
			assert_the_same(&clones, table, row_count(j));
			free(table);
		}
		clones_release(&clones);
	}
}

Test(kernels_bits, are_the_same_for_very_many_columns)
{
	uint64_t state = 5;
	struct clones clones;
	double *table = rows_random(&state, 41, FEATURES_MAX);
	clones_init(&clones, &state, FEATURES_MAX, false);
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
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct clones clones;
		clones_init(&clones, &state, feature_counts[i], true);
		for (int j = 0; j < ROW_COUNTS; j += i % 5 + 1)
			assert_the_same_without(&state, &clones, row_count(j));
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
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct clones clones;
		uint32_t d = feature_counts[i];
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
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct clones clones;
		const uint32_t d = feature_counts[i];
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

/* By each clone, which is told what follows, a leaf has the sums that the baseline has of it alone. */
static void assert_leaf(struct clones *clones, struct leaf_rows leaf)
{
	struct leaf_rows alone = leaf;
	struct sums expected;
	alone.following = 0;
	sum_leaf(&clones->kernels[CLONE_BASELINE], &alone, &expected);
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++) {
		struct sums sums;
		sum_leaf(&clones->kernels[clone], &leaf, &sums);
		cr_assert(equal(&sums, &expected), "kernel %d, clone %d, %u features, %zu rows and %zu behind them",
		        (int)clones->kernels[clone].kernel, (int)clone, clones->kernels[clone].features, leaf.rows,
		        leaf.following);
	}
}

/* A leaf's rows: few, or about as many as are summed together, or as leave so many behind it. */
static size_t rows_of_leaf(uint64_t *state, size_t left)
{
	const size_t about = 60 + random_below(state, 10), few = 1 + random_below(state, 12);
	size_t rows = 1 + random_below(state, 150);
	switch (random_below(state, 4)) {
	case 0:
		rows = about;
		break;
	case 1:
		rows = few;
		break;
	case 2:
		rows = left > about ? left - about : left;
		break;
	}
	return rows < left ? rows : left;
}

/* Leaves one after the other, but that one is left out now and then, comes twice, or has become another meanwhile. */
static void sum_in_turn(struct clones *clones, uint64_t *state, const struct leaf_rows *rows, enum kernel kernel)
{
	struct leaf_rows leaf = *rows;
	for (size_t begin = 0; begin < rows->rows; begin += leaf.rows) {
		leaf.base = rows->base + begin * rows->row_stride;
		leaf.rows = rows_of_leaf(state, rows->rows - begin);
		leaf.following = rows->rows - begin - leaf.rows;
		switch (random_below(state, 12)) {
		case 0:
			continue;
		case 1:
			assert_leaf(clones, leaf);
			break;
		case 2:
			fill(state, clones->parameters, clones->kernels[0].features + 1);
			clones_choose(clones, kernel);
			break;
		}
		assert_leaf(clones, leaf);
	}
}

/* A clone may begin with the rows of the leaf that follows, as far as there are some. */
Test(kernels_bits, are_the_same_whatever_leaf_comes_before_or_follows)
{
	enum { ROWS = 1000, TURNS = 3 };
	static const uint32_t counts[] = {3, 16, 17, 20, 45, 100};
	uint64_t state = 9;
	struct guard_page guard = guard_page_new(1 << 21);
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
		struct clones clones;
		double *table = rows_random(&state, ROWS, counts[i]);
		struct layouts layouts;
		clones_init(&clones, &state, counts[i], false);
		layouts_init(&layouts, table, ROWS, counts[i]);
		for (size_t k = 0; k < row_layout_count; k++) {
			const struct laid_rows *laid = &layouts.laid[k];
			const size_t shift = (size_t)(laid->leaf.base - laid->memory);
			struct leaf_rows rows = laid->leaf;
			cr_assert_leq(laid->size, guard.size);
			rows.base = (unsigned char *)guard_page_place(
			        &guard, (const char *)laid->leaf.base, laid->size - shift);
			for (enum kernel kernel = 0; kernel < KERNEL_STREAM; kernel++) {
				clones_choose(&clones, kernel);
				for (int turn = 0; turn < TURNS; turn++)
					sum_in_turn(&clones, &state, &rows, kernel);
			}
		}
		layouts_release(&layouts);
		free(table);
		clones_release(&clones);
	}
	guard_page_free(&guard);
}

/* As where a window of the file comes to lie where another was. */
Test(kernels_bits, are_not_of_rows_that_were_there_before)
{
	enum { ROWS = 128 };
	const uint32_t d = 20;
	uint64_t state = 10;
	static const size_t between[] = {0, 1, 7, 8, 63};
	for (size_t i = 0; i < sizeof between / sizeof *between; i++) {
		struct clones clones;
		double *table = rows_random(&state, 2 * ROWS, d);
		struct layouts layouts, others;
		clones_init(&clones, &state, d, false);
		clones_choose(&clones, KERNEL_GRADIENT);
		layouts_init(&layouts, table, ROWS, d);
		layouts_init(&others, table + ROWS * (d + 1), ROWS, d);
		for (size_t k = 0; k < row_layout_count; k++) {
			struct leaf_rows first = layouts.laid[k].leaf, other = others.laid[k].leaf, second = first;
			first.rows = 8;
			first.following = ROWS - 8;
			second.base += 8 * first.row_stride;
			second.rows = 64;
			other.rows = between[i];
			assert_leaf(&clones, first);
			assert_leaf(&clones, other);
			memcpy(layouts.laid[k].memory, others.laid[k].memory, others.laid[k].size);
			assert_leaf(&clones, second);
		}
		layouts_release(&layouts);
		layouts_release(&others);
		free(table);
		clones_release(&clones);
	}
}

/* The order of additions that worker/kernels.h fixes, one number at a time. */

static double add_four(const double *four)
{
	return (four[0] + four[2]) + (four[1] + four[3]);
}

static double add_eight(const double *eight)
{
	const double four[] = {eight[0] + eight[4], eight[1] + eight[5], eight[2] + eight[6], eight[3] + eight[7]};
	return add_four(four);
}

static double ordered_error(const struct clones *with, uint32_t d, const double *row)
{
	double prediction = with->parameters[d], eight[8] = {0};
	const uint32_t blocks = d / 8 * 8;
	for (uint32_t j = 0; j < d; j++) {
		const double w = with->parameters[j], x = row[j] - with->centre[j];
		double *sum = d < TILE_WIDE_FEATURES ? &prediction : &eight[j < blocks ? j % 8 : 8 - (d - j)];
		*sum = fma(w, x, *sum);
	}
	if (d >= TILE_WIDE_FEATURES)
		prediction = add_eight(eight) + prediction;
	return prediction - (row[d] - with->centre[d]);
}

/* Σ e·x_j for one feature. */
static double ordered_product(
        const struct clones *with, uint32_t d, const double *table, size_t rows, const double *errors, uint32_t j)
{
	double lane[8] = {0}, sum = 0;
	for (size_t row = 0; row < rows; row += 4) {
		double four[4] = {0};
		for (size_t i = 0; i < 4 && row + i < rows; i++) {
			const double x = table[(row + i) * (d + 1) + j] - with->centre[j];
			four[i % 2] = fma(errors[row + i], x, four[i % 2]);
			lane[(row + i) % 8] = fma(errors[row + i], x, lane[(row + i) % 8]);
		}
		sum += four[0] + four[1];
	}
	return d < TILE_WIDE_FEATURES ? add_eight(lane) : sum;
}

static struct sums ordered_gradient(const struct clones *with, uint32_t d, const double *table, size_t rows)
{
	struct sums sums = {.present = rows > 0, .width = d + 3};
	double errors[1000], total[8] = {0}, square[8] = {0};
	if (rows == 0)
		return sums;
	for (size_t row = 0; row < rows; row++) {
		errors[row] = ordered_error(with, d, table + row * (d + 1));
		total[row % 8] += errors[row];
		square[row % 8] = fma(errors[row], errors[row], square[row % 8]);
	}
	for (uint32_t j = 0; j < d; j++)
		sums.values[j] = ordered_product(with, d, table, rows, errors, j);
	sums.values[d] = add_eight(total);
	sums.values[d + 1] = add_eight(square);
	sums.values[d + 2] = (double)rows;
	return sums;
}

/*
 * So that a result can be calculated again on any machine, with any compiler, from any later version. Catches the
 * mutation lane_order.
 */
Test(kernels_bits, come_from_additions_in_the_order_that_is_written_down)
{
	uint64_t state = 4;
	for (int i = 0; i < FEATURE_COUNTS; i++) {
		struct clones clones;
		uint32_t d = feature_counts[i];
		clones_init(&clones, &state, d, false);
		clones_choose(&clones, KERNEL_GRADIENT);
		for (int j = 0; j < ROW_COUNTS; j++) {
			struct layouts layouts;
			double *table = rows_random(&state, row_count(j), d);
			layouts_init(&layouts, table, row_count(j), d);
			struct sums sums = ordered_gradient(&clones, d, table, row_count(j));
			assert_everywhere(&clones, &layouts, &sums);
			layouts_release(&layouts);
			free(table);
		}
		clones_release(&clones);
	}
}
