#include "tests/unit/kernel_clones.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

/* With 301 and 700 rows are so long that CLONE_AVX512_ZEN5 goes through them one by one: of f8, and of f4, too. */
const uint32_t kernel_feature_counts[] = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 31, 32, 33, 45, 64, 72, 100, 301, 700};
const size_t kernel_feature_count = sizeof kernel_feature_counts / sizeof *kernel_feature_counts;

size_t kernel_row_count(int i)
{
	return i < KERNEL_ROW_COUNTS - 1 ? (size_t)i : 1000;
}

void numbers_fill(uint64_t *state, double *numbers, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		numbers[i] = random_below(state, 8) == 0 ? -0.0 : (double)(int64_t)random_next(state) * 0x1p-60;
}

void sum_leaf(struct kernels *kernels, const struct leaf_rows *leaf, struct sums *sums)
{
	sums->width = sums_width(kernels->kernel, kernels->features);
	sums->present = kernels_sum_leaf(kernels, leaf, sums->values);
}

bool sums_equal(const struct sums *one, const struct sums *other)
{
	if (one->present != other->present || one->width != other->width)
		return false;
	for (size_t i = 0; one->present && i < one->width; i++)
		if (memcmp(&one->values[i], &other->values[i], sizeof one->values[i]) != 0 &&
		        !(isnan(one->values[i]) && isnan(other->values[i])))
			return false;
	return true;
}

void clones_init(struct clones *clones, uint64_t *state, uint32_t d, bool skip_missing)
{
	clones->last = kernel_best_clone() < CLONE_AVX512 ? kernel_best_clone() : CLONE_COUNT - 1;
	numbers_fill(state, clones->parameters, d + 1);
	numbers_fill(state, clones->centre, d + 1);
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++)
		cr_assert(kernels_init(&clones->kernels[clone], d, skip_missing, clone));
}

void clones_choose(struct clones *clones, enum kernel kernel)
{
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++)
		kernels_choose(&clones->kernels[clone], kernel, clones->parameters, clones->centre);
}

void clones_release(struct clones *clones)
{
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++)
		kernels_release(&clones->kernels[clone]);
}

void layouts_init(struct layouts *layouts, const double *table, size_t rows, uint32_t d)
{
	cr_assert(row_layout_count <= sizeof layouts->laid / sizeof *layouts->laid);
	for (size_t i = 0; i < row_layout_count; i++)
		layouts->laid[i] = rows_lay(&row_layouts[i], table, rows, d);
}

void layouts_release(struct layouts *layouts)
{
	for (size_t i = 0; i < row_layout_count; i++)
		rows_release(&layouts->laid[i]);
}

void assert_everywhere(struct clones *clones, const struct layouts *layouts, const struct sums *expected)
{
	for (enum kernel_clone clone = 0; clone <= clones->last; clone++) {
		for (size_t i = 0; i < row_layout_count; i++) {
			struct sums sums;
			sum_leaf(&clones->kernels[clone], &layouts->laid[i].leaf, &sums);
			cr_assert(sums_equal(&sums, expected), "kernel %d, clone %d, %u features, %zu rows, %s",
			        (int)clones->kernels[clone].kernel, (int)clone, clones->kernels[clone].features,
			        layouts->laid[i].leaf.rows, row_layouts[i].name);
		}
	}
}
