#include "coordinator/aggregator.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <float.h>
#include <string.h>

TestSuite(aggregator, .timeout = 30);

enum { LEAVES = 12, WIDTH = 3, MANY_LEAVES = 1000, LEVELS = 10 };

/* What a worker sends: the maximal nodes of its run of leaves. */
struct answer {
	struct tree_node nodes[TREE_NODES_MAX];
	double vectors[TREE_NODES_MAX * WIDTH];
	size_t count;
};

/* leaves: all vectors; one without rows (its last number is 0) is absent. */
static struct answer answer_of(const double (*leaves)[WIDTH], struct range run)
{
	struct answer answer = {.count = 0};
	struct tree_stack stack;
	cr_assert(tree_stack_init(&stack, WIDTH));
	tree_stack_reset(&stack, WIDTH, run.begin);
	for (uint64_t leaf = run.begin; leaf < run.end; leaf++) {
		struct tree_node node = {0, (uint32_t)leaf};
		if (leaves[leaf][WIDTH - 1] == 0)
			continue;
		memcpy(tree_stack_place(&stack, node), leaves[leaf], sizeof leaves[leaf]);
		tree_stack_push(&stack, node);
	}
	tree_stack_settle(&stack, run.end);
	answer.count = stack.count;
	memcpy(answer.nodes, stack.nodes, stack.count * sizeof *stack.nodes);
	memcpy(answer.vectors, stack.vectors, stack.count * WIDTH * sizeof(double));
	tree_stack_release(&stack);
	return answer;
}

static void add_run(struct aggregator *aggregator, const double (*leaves)[WIDTH], uint64_t begin, uint64_t end)
{
	struct answer answer = answer_of(leaves, (struct range){begin, end});
	aggregator_add(aggregator, answer.nodes, answer.vectors, answer.count);
}

/* The tree's sum by its definition; false where no leaf below the node has rows. */
static bool sum_below(const double (*leaves)[WIDTH], size_t count, unsigned level, size_t index, double *sum)
{
	double left[WIDTH], right[WIDTH];
	if (level == 0) {
		if (index >= count || leaves[index][WIDTH - 1] == 0)
			return false;
		memcpy(sum, leaves[index], sizeof left);
		return true;
	}
	bool has_left = sum_below(leaves, count, level - 1, 2 * index, left);
	bool has_right = sum_below(leaves, count, level - 1, 2 * index + 1, right);
	for (size_t i = 0; i < WIDTH; i++)
		sum[i] = has_left && has_right ? left[i] + right[i] : has_left ? left[i] : right[i];
	return has_left || has_right;
}

/* Numbers of very different sizes, so that another order of additions would show; a third of the leaves is absent. */
static void draw_leaves(double (*leaves)[WIDTH], size_t count)
{
	uint64_t state = 7;
	for (size_t i = 0; i < count; i++) {
		bool absent = random_below(&state, 3) == 0;
		for (size_t j = 0; j + 1 < WIDTH; j++) {
			double mantissa = (double)(random_next(&state) >> 11) * 0x1p-52 - 1.0;
			double scale = random_below(&state, 2) == 0 ? 1.0 : 0x1p40;
			leaves[i][j] = absent ? 0 : mantissa * scale;
		}
		leaves[i][WIDTH - 1] = absent ? 0 : 1 + random_below(&state, 100);
	}
}

static void means_of_root(const double (*leaves)[WIDTH], size_t count, double *means)
{
	cr_assert(sum_below(leaves, count, LEVELS, 0, means));
	for (size_t i = 0; i + 1 < WIDTH; i++)
		means[i] /= means[WIDTH - 1];
}

static const double two_leaves[2][WIDTH] = {{6, -1, 2}, {20, 8, 4}};

Test(aggregator, combines_two_workers_as_each_aggregation_says)
{
	static const struct {
		enum aggregation how;
		double result[WIDTH];
	} rows[] = {
	        {AGGREGATE_MEAN, {26.0 / 6, 7.0 / 6, 6}},
	        {AGGREGATE_AVERAGE, {(3.0 + 5.0) / 2, (-0.5 + 2.0) / 2, 6}},
	        {AGGREGATE_SUM, {3.0 + 5.0, -0.5 + 2.0, 6}},
	};
	struct aggregator aggregator;
	cr_assert(aggregator_init(&aggregator, WIDTH));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double result[WIDTH];
		aggregator_begin(&aggregator, rows[i].how, WIDTH);
		add_run(&aggregator, two_leaves, 0, 1);
		add_run(&aggregator, two_leaves, 1, 2);
		cr_assert(aggregator_finish(&aggregator, result));
		cr_expect_arr_eq(
		        result, rows[i].result, sizeof result, "row %zu: %g %g %g", i, result[0], result[1], result[2]);
	}
	aggregator_release(&aggregator);
}

Test(aggregator, does_not_count_workers_without_rows)
{
	static const double leaves[6][WIDTH] = {{0}, {6, -1, 2}, {0}, {0}, {20, 8, 4}, {0}};
	static const struct {
		enum aggregation how;
		double result[WIDTH];
	} rows[] = {
	        {AGGREGATE_MEAN, {26.0 / 6, 7.0 / 6, 6}},
	        {AGGREGATE_AVERAGE, {4, 0.75, 6}},
	        {AGGREGATE_SUM, {8, 1.5, 6}},
	};
	struct aggregator aggregator;
	cr_assert(aggregator_init(&aggregator, WIDTH));
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		double result[WIDTH];
		aggregator_begin(&aggregator, rows[i].how, WIDTH);
		for (uint64_t leaf = 0; leaf < 6; leaf++)
			add_run(&aggregator, leaves, leaf, leaf + 1);
		cr_assert(aggregator_finish(&aggregator, result));
		cr_expect_arr_eq(
		        result, rows[i].result, sizeof result, "row %zu: %g %g %g", i, result[0], result[1], result[2]);
		cr_expect(rows[i].how == AGGREGATE_MEAN || aggregator.workers == 2);
	}
	aggregator_release(&aggregator);
}

Test(aggregator, takes_a_worker_of_several_nodes_as_one)
{
	static const double leaves[8][WIDTH] = {
	        {1, 0, 1}, {2, 0, 1}, {3, 0, 1}, {4, 0, 1}, {5, 0, 1}, {6, 0, 1}, {7, 0, 1}, {8, 0, 1}};
	struct aggregator aggregator;
	double result[WIDTH];
	cr_assert(aggregator_init(&aggregator, WIDTH));
	aggregator_begin(&aggregator, AGGREGATE_AVERAGE, WIDTH);
	add_run(&aggregator, leaves, 0, 1);
	add_run(&aggregator, leaves, 1, 8); /* leaf 1, node 2-3, node 4-7 */
	cr_assert(aggregator_finish(&aggregator, result));
	cr_expect_eq(result[0], (1.0 + 5.0) / 2);
	aggregator_release(&aggregator);
}

Test(aggregator, says_so_and_writes_nothing_when_no_worker_has_rows)
{
	static const double nothing[2][WIDTH] = {{0}};
	struct aggregator aggregator;
	cr_assert(aggregator_init(&aggregator, WIDTH));
	for (int how = AGGREGATE_MEAN; how <= AGGREGATE_SUM; how++) {
		double result[WIDTH] = {1, 2, 3};
		aggregator_begin(&aggregator, (enum aggregation)how, WIDTH);
		add_run(&aggregator, nothing, 0, 1);
		add_run(&aggregator, nothing, 1, 2);
		cr_expect_not(aggregator_finish(&aggregator, result));
		cr_expect(result[0] == 1 && result[1] == 2 && result[2] == 3);
	}
	aggregator_release(&aggregator);
}

Test(aggregator, begins_each_round_with_nothing)
{
	struct aggregator aggregator;
	cr_assert(aggregator_init(&aggregator, WIDTH));
	for (int how = AGGREGATE_MEAN; how <= AGGREGATE_SUM; how++) {
		double result[WIDTH];
		for (int round = 0; round < 2; round++) {
			aggregator_begin(&aggregator, (enum aggregation)how, WIDTH);
			add_run(&aggregator, two_leaves, 0, 1);
		}
		cr_assert(aggregator_finish(&aggregator, result));
		cr_expect(result[0] == 3 && result[1] == -0.5 && result[2] == 2);
	}
	aggregator_release(&aggregator);
}

Test(aggregator, takes_vectors_narrower_than_the_widest)
{
	static const struct tree_node nodes[2] = {{0, 0}, {0, 1}};
	static const double vectors[2][2] = {{3, 1}, {5, 1}};
	struct aggregator aggregator;
	double result[WIDTH] = {0, 0, 9};
	cr_assert(aggregator_init(&aggregator, WIDTH));
	aggregator_begin(&aggregator, AGGREGATE_SUM, 2);
	aggregator_add(&aggregator, &nodes[0], vectors[0], 1);
	aggregator_add(&aggregator, &nodes[1], vectors[1], 1);
	cr_assert(aggregator_finish(&aggregator, result));
	cr_expect(result[0] == 8 && result[1] == 2 && result[2] == 9);
	aggregator_release(&aggregator);
}

Test(aggregator, gives_the_mean_the_same_bits_for_every_cut_of_the_leaves)
{
	static double leaves[LEAVES][WIDTH];
	double expected[WIDTH], result[WIDTH];
	struct aggregator aggregator;
	cr_assert(aggregator_init(&aggregator, WIDTH));
	draw_leaves(leaves, LEAVES);
	means_of_root(leaves, LEAVES, expected);
	for (unsigned cuts = 0; cuts < 1U << (LEAVES - 1); cuts++) { /* bit i: a cut behind leaf i */
		uint64_t begin = 0;
		aggregator_begin(&aggregator, AGGREGATE_MEAN, WIDTH);
		for (uint64_t leaf = 0; leaf < LEAVES; leaf++) {
			if (leaf + 1 < LEAVES && !(cuts >> leaf & 1))
				continue;
			add_run(&aggregator, leaves, begin, leaf + 1);
			begin = leaf + 1;
		}
		cr_assert(aggregator_finish(&aggregator, result));
		cr_assert_arr_eq(result, expected, sizeof result, "cuts %x", cuts);
	}
	aggregator_release(&aggregator);
}

/* Catches the mutation order_of_arrival. */
Test(aggregator, gives_the_mean_the_same_bits_for_any_number_of_workers)
{
	static double leaves[MANY_LEAVES][WIDTH];
	double expected[WIDTH], result[WIDTH];
	struct aggregator aggregator;
	cr_assert(aggregator_init(&aggregator, WIDTH));
	draw_leaves(leaves, MANY_LEAVES);
	means_of_root(leaves, MANY_LEAVES, expected);
	for (uint32_t workers = 1; workers <= MANY_LEAVES + 24; workers += workers < 40 ? 1 : 41) {
		aggregator_begin(&aggregator, AGGREGATE_MEAN, WIDTH);
		for (uint32_t worker = 0; worker < workers; worker++) {
			struct range run = leaves_chunk(MANY_LEAVES, workers, worker);
			add_run(&aggregator, leaves, run.begin, run.end);
		}
		cr_assert(aggregator_finish(&aggregator, result));
		cr_assert_arr_eq(result, expected, sizeof result, "%u workers", workers);
	}
	aggregator_release(&aggregator);
}
