/* The sum over the leaves is the same to the bit however they are cut into runs. */
#include "common/tree.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 3 };

/* Leaves with a vector each, of magnitudes so different that the order of additions shows in the sum. */
static struct {
	uint32_t count;
	bool present[LEAVES_MAX];
	double vectors[LEAVES_MAX][WIDTH];
	bool has_root;
	double root[WIDTH]; /* the sum, by the recursion below */
} data;

/* The definition in common/tree.h, as it stands there. False: the node is absent. */
static bool sum_node(uint32_t level, uint32_t index, double *sum)
{
	double right[WIDTH];
	if (level == 0) {
		if (index >= data.count || !data.present[index])
			return false;
		memcpy(sum, data.vectors[index], sizeof data.vectors[index]);
		return true;
	}
	bool has_left = sum_node(level - 1, 2 * index, sum);
	bool has_right = sum_node(level - 1, 2 * index + 1, right);
	if (has_left && has_right)
		for (int i = 0; i < WIDTH; i++)
			sum[i] += right[i];
	else if (has_right)
		memcpy(sum, right, sizeof right);
	return has_left || has_right;
}

static void make_data(uint64_t *state, uint32_t count, unsigned absent_percent)
{
	data.count = count;
	for (uint32_t leaf = 0; leaf < count; leaf++) {
		data.present[leaf] = random_below(state, 100) >= absent_percent;
		for (int i = 0; i < WIDTH; i++) {
			double mantissa = (double)(int64_t)random_next(state);
			data.vectors[leaf][i] = mantissa * (double)(UINT64_C(1) << random_below(state, 40));
		}
	}
	data.has_root = sum_node(TREE_ROOT_LEVEL, 0, data.root);
}

/* A worker's part: sums the leaves [begin, end) on its stack. */
static void sum_run(struct tree_stack *stack, uint32_t begin, uint32_t end)
{
	tree_stack_reset(stack, WIDTH, begin);
	for (uint32_t leaf = begin; leaf < end; leaf++) {
		if (!data.present[leaf])
			continue;
		struct tree_node node = {0, leaf};
		memcpy(tree_stack_place(stack, node), data.vectors[leaf], sizeof data.vectors[leaf]);
		tree_stack_push(stack, node);
		cr_assert(stack->count < TREE_NODES_MAX);
	}
	tree_stack_settle(stack, end);
}

/* Two stacks, as at the two ends of a pipe. */
static struct tree_stack worker, coordinator;

static void begin_suite(void)
{
	cr_assert(tree_stack_init(&worker, WIDTH) && tree_stack_init(&coordinator, WIDTH));
}

static void end_suite(void)
{
	tree_stack_release(&worker);
	tree_stack_release(&coordinator);
}

TestSuite(tree, .init = begin_suite, .fini = end_suite, .timeout = 60);

/* The sum by way of `runs` workers, whose chunks end at ends[0], ends[1], …, data.count. */
static const double *sum_in_runs(const uint32_t *ends, size_t runs)
{
	uint32_t begin = 0;
	tree_stack_reset(&coordinator, WIDTH, 0);
	for (size_t run = 0; run < runs; run++) {
		sum_run(&worker, begin, ends[run]);
		for (size_t i = 0; i < worker.count; i++) {
			memcpy(tree_stack_place(&coordinator, worker.nodes[i]), worker.vectors + i * WIDTH,
			        WIDTH * sizeof(double));
			tree_stack_push(&coordinator, worker.nodes[i]);
		}
		begin = ends[run];
	}
	return tree_stack_root(&coordinator);
}

static bool is_root(const double *sum)
{
	if (sum == NULL)
		return !data.has_root;
	return data.has_root && memcmp(sum, data.root, sizeof data.root) == 0;
}

static bool adds_up_for_workers(uint32_t workers)
{
	uint32_t ends[LEAVES_MAX];
	for (uint32_t i = 0; i < workers; i++)
		ends[i] = (uint32_t)leaves_chunk(data.count, workers, i).end;
	return is_root(sum_in_runs(ends, workers));
}

/* How many leaves are absent, in percent, in the data that the tests go through. */
static const unsigned absent_percents[] = {0, 5, 50, 95, 100};
enum { ABSENT_PERCENTS = sizeof absent_percents / sizeof *absent_percents };

static const uint32_t large_counts[] = {1000, 4095, 4096};
enum { LARGE_COUNTS = sizeof large_counts / sizeof *large_counts };

/* Catches the mutation tree_order. */
Test(tree, has_the_same_root_for_any_number_of_workers)
{
	uint64_t state = 1;
	for (uint32_t count = 1; count <= 70; count++) {
		for (int i = 0; i < ABSENT_PERCENTS; i++) {
			make_data(&state, count, absent_percents[i]);
			for (uint32_t workers = 1; workers <= count + 1; workers++)
				cr_assert(adds_up_for_workers(workers), "%u leaves, %u workers", count, workers);
		}
	}
}

/* Catches the mutation tree_order. */
Test(tree, has_the_same_root_for_every_way_to_cut_it)
{
	uint64_t state = 2;
	for (uint32_t count = 1; count <= 12; count++) {
		for (int i = 0; i < ABSENT_PERCENTS; i++) {
			make_data(&state, count, absent_percents[i]);
			/* A bit for each place between two leaves: cut, or not. */
			for (uint32_t cuts = 0; cuts < 1U << (count - 1); cuts++) {
				uint32_t ends[12];
				size_t runs = 0;
				for (uint32_t leaf = 1; leaf <= count; leaf++)
					if (leaf == count || (cuts >> (leaf - 1) & 1) != 0)
						ends[runs++] = leaf;
				cr_assert(is_root(sum_in_runs(ends, runs)), "%u leaves, cuts %x", count, cuts);
			}
		}
	}
}

Test(tree, has_the_same_root_for_any_number_of_workers_on_large_data)
{
	static const uint32_t workers[] = {1, 2, 3, 4, 5, 7, 8, 39, 64, 100, 999, 1000};
	uint64_t state = 3;
	for (int i = 0; i < LARGE_COUNTS; i++) {
		for (int j = 0; j < ABSENT_PERCENTS; j++) {
			make_data(&state, large_counts[i], absent_percents[j]);
			for (size_t k = 0; k < sizeof workers / sizeof *workers; k++)
				cr_assert(adds_up_for_workers(workers[k]), "%u leaves, %u workers", large_counts[i],
				        workers[k]);
			cr_assert(adds_up_for_workers(large_counts[i]));
		}
	}
}

static int compare(const void *one, const void *other)
{
	uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
	return (a > b) - (a < b);
}

Test(tree, has_the_same_root_for_random_cuts_of_large_data)
{
	uint64_t state = 4;
	for (int i = 0; i < 100; i++) {
		uint32_t ends[70];
		uint32_t count = large_counts[i % LARGE_COUNTS];
		size_t runs = 1 + random_below(&state, 70);
		make_data(&state, count, absent_percents[random_below(&state, ABSENT_PERCENTS)]);
		for (size_t run = 0; run + 1 < runs; run++)
			ends[run] = random_below(&state, count + 1); /* some runs are empty */
		ends[runs - 1] = count;
		qsort(ends, runs, sizeof *ends, compare);
		cr_assert(is_root(sum_in_runs(ends, runs)), "case %d", i);
	}
}

Test(tree, would_show_another_order_of_additions)
{
	uint64_t state = 5;
	make_data(&state, 1000, 0);
	double naive[WIDTH] = {0};
	for (uint32_t leaf = 0; leaf < data.count; leaf++)
		for (int i = 0; i < WIDTH; i++)
			naive[i] += data.vectors[leaf][i];
	for (int i = 0; i < WIDTH; i++)
		cr_expect_neq(naive[i], data.root[i]);
}

Test(tree, has_no_root_when_all_leaves_are_absent)
{
	uint64_t state = 6;
	make_data(&state, 100, 100);
	cr_expect(!data.has_root);
	cr_expect_null(sum_in_runs((uint32_t[]){40, 100}, 2));
	tree_stack_reset(&coordinator, WIDTH, 0);
	cr_expect_null(tree_stack_root(&coordinator));
}

/* The largest node that starts with leaf `begin` and does not go beyond `end`. */
static struct tree_node largest_node(uint32_t begin, uint32_t end)
{
	uint32_t level = 0;
	while (level < TREE_ROOT_LEVEL && begin % (2U << level) == 0 && begin + (2U << level) <= end)
		level++;
	return (struct tree_node){level, begin >> level};
}

/* Are these the maximal aligned nodes of the run, but for those without data? */
static bool nodes_are_maximal(const struct tree_stack *stack, uint32_t begin, uint32_t end)
{
	size_t found = 0;
	for (uint32_t at = begin; at < end;) {
		double sum[WIDTH];
		struct tree_node node = largest_node(at, end);
		at = (uint32_t)tree_node_leaves(node).end;
		if (!sum_node(node.level, node.index, sum))
			continue;
		if (found == stack->count || stack->nodes[found].level != node.level ||
		        stack->nodes[found].index != node.index ||
		        memcmp(stack->vectors + found * WIDTH, sum, sizeof sum) != 0)
			return false;
		found++;
	}
	return found == stack->count;
}

Test(tree, leaves_a_run_as_its_maximal_aligned_nodes)
{
	uint64_t state = 7;
	for (int i = 0; i < ABSENT_PERCENTS; i++) {
		make_data(&state, 70, absent_percents[i]);
		for (uint32_t begin = 0; begin <= data.count; begin++) {
			for (uint32_t end = begin; end <= data.count; end++) {
				sum_run(&worker, begin, end);
				cr_assert(nodes_are_maximal(&worker, begin, end), "leaves %u to %u", begin, end);
			}
		}
	}
}

Test(tree, leaves_a_long_run_as_a_handful_of_nodes)
{
	static const struct range runs[] = {{0, LEAVES_MAX}, {1, LEAVES_MAX}, {0, LEAVES_MAX - 1}, {1, LEAVES_MAX - 1},
	        {2047, 2049}, {1365, 2730}, {0, 2048}, {2048, LEAVES_MAX}};
	uint64_t state = 8;
	make_data(&state, LEAVES_MAX, 0);
	size_t most = 0;
	for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
		uint32_t begin = (uint32_t)runs[i].begin, end = (uint32_t)runs[i].end;
		sum_run(&worker, begin, end);
		cr_expect(nodes_are_maximal(&worker, begin, end), "leaves %u to %u", begin, end);
		most = worker.count > most ? worker.count : most;
	}
	cr_expect_eq(most, 2 * (TREE_ROOT_LEVEL - 1)); /* of the run without first and last leaf */
}

Test(tree, can_be_used_again_for_vectors_of_another_width)
{
	static const double numbers[] = {1, 2, 4};
	for (size_t width = WIDTH; width > 0; width--) {
		tree_stack_reset(&worker, width, 0);
		for (uint32_t leaf = 0; leaf < 3; leaf++) {
			struct tree_node node = {0, leaf};
			double *place = tree_stack_place(&worker, node);
			for (size_t i = 0; i < width; i++)
				place[i] = numbers[leaf] * (double)(i + 1);
			tree_stack_push(&worker, node);
		}
		const double *root = tree_stack_root(&worker);
		for (size_t i = 0; i < width; i++)
			cr_expect_eq(root[i], 7 * (double)(i + 1));
	}
}

Test(tree, has_the_leaves_below_a_node_side_by_side)
{
	static const struct {
		struct tree_node node;
		struct range leaves;
	} cases[] = {{{0, 0}, {0, 1}}, {{0, 4095}, {4095, 4096}}, {{3, 5}, {40, 48}}, {{11, 1}, {2048, 4096}},
	        {{TREE_ROOT_LEVEL, 0}, {0, LEAVES_MAX}}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct range leaves = tree_node_leaves(cases[i].node);
		cr_expect(leaves.begin == cases[i].leaves.begin && leaves.end == cases[i].leaves.end, "case %zu", i);
	}
}

Test(tree, refuses_vectors_too_wide_to_be_counted)
{
	struct tree_stack stack;
	cr_expect(!tree_stack_init(&stack, SIZE_MAX / sizeof(double) / TREE_NODES_MAX + 1));
}
