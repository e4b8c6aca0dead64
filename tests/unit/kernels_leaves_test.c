/* The sums of a leaf are the same to the bit, whatever leaves were summed before it and whichever are to come. */
#include "tests/unit/guard_page.h"
#include "tests/unit/kernel_clones.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(kernels_leaves, .timeout = 120);

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
		cr_assert(sums_equal(&sums, &expected),
		        "kernel %d, clone %d, %u features, %zu rows and %zu behind them",
		        (int)clones->kernels[clone].kernel, (int)clone, clones->kernels[clone].features, leaf.rows,
		        leaf.following);
	}
}

/* A leaf's rows: few, or about as many as are summed together, or as leave so many behind it. */
static size_t rows_of_leaf(uint64_t *state, size_t left)
{
	static const size_t together[] = {24, 32, 64};
	const size_t about = together[random_below(state, 3)] - 4 + random_below(state, 10),
	             few = 1 + random_below(state, 12);
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
			numbers_fill(state, clones->parameters, clones->kernels[0].features + 1);
			clones_choose(clones, kernel);
			break;
		}
		assert_leaf(clones, leaf);
	}
}

/* A clone may begin with the rows of the leaf that follows, as far as there are some. */
Test(kernels_leaves, are_the_same_whatever_leaf_comes_before_or_follows)
{
	enum { ROWS = 1000, TURNS = 3 };
	static const uint32_t counts[] = {3, 16, 17, 20, 45, 100, 130};
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
static void check_rows_become_others(uint32_t d)
{
	enum { ROWS = 128 };
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

Test(kernels_leaves, are_not_of_rows_that_were_there_before)
{
	check_rows_become_others(20);
	check_rows_become_others(70);
	check_rows_become_others(130);
}
