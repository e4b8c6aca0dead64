#include "coordinator/aggregator.h"

#include <stdlib.h>
#include <string.h>

bool aggregator_init(struct aggregator *aggregator, size_t max_width)
{
	*aggregator = (struct aggregator){.width = max_width};
	aggregator->sum = malloc(max_width * sizeof(double));
	if (aggregator->sum != NULL && tree_stack_init(&aggregator->tree, max_width))
		return true;
	aggregator_release(aggregator);
	return false;
}

void aggregator_release(struct aggregator *aggregator)
{
	tree_stack_release(&aggregator->tree);
	free(aggregator->sum);
	aggregator->sum = NULL;
}

void aggregator_begin(struct aggregator *aggregator, enum aggregation how, size_t width)
{
	aggregator->how = how;
	aggregator->width = width;
	aggregator->rows = 0;
	aggregator->workers = 0;
	memset(aggregator->sum, 0, width * sizeof(double));
	tree_stack_reset(&aggregator->tree, width, 0);
}

static void push_nodes(
        struct aggregator *aggregator, const struct tree_node *nodes, const double *vectors, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		double *place = tree_stack_place(&aggregator->tree, nodes[i]);
		memcpy(place, vectors + i * aggregator->width, aggregator->width * sizeof(double));
		tree_stack_push(&aggregator->tree, nodes[i]);
	}
}

void aggregator_add(struct aggregator *aggregator, const struct tree_node *nodes, const double *vectors, size_t count)
{
	if (aggregator->how == AGGREGATE_MEAN || aggregator->how == AGGREGATE_TOTAL) {
		push_nodes(aggregator, nodes, vectors, count);
		return;
	}
	tree_stack_reset(&aggregator->tree, aggregator->width, 0);
	push_nodes(aggregator, nodes, vectors, count);
	const double *root = tree_stack_root(&aggregator->tree);
	if (root == NULL)
		return;
	double rows = root[aggregator->width - 1];
	for (size_t i = 0; i + 1 < aggregator->width; i++)
		aggregator->sum[i] += root[i] / rows;
	aggregator->rows += rows;
	aggregator->workers++;
}

bool aggregator_finish(struct aggregator *aggregator, double *result)
{
	size_t last = aggregator->width - 1;
	if (aggregator->how == AGGREGATE_TOTAL) {
		const double *root = tree_stack_root(&aggregator->tree);
		memset(result, 0, aggregator->width * sizeof(double));
		if (root != NULL)
			memcpy(result, root, aggregator->width * sizeof(double));
		return true;
	}
	if (aggregator->how == AGGREGATE_MEAN) {
		const double *root = tree_stack_root(&aggregator->tree);
		if (root == NULL)
			return false;
		for (size_t i = 0; i < last; i++)
			result[i] = root[i] / root[last];
		result[last] = root[last];
		return true;
	}
	if (aggregator->workers == 0)
		return false;
	double divisor = aggregator->how == AGGREGATE_AVERAGE ? (double)aggregator->workers : 1.0;
	for (size_t i = 0; i < last; i++)
		result[i] = aggregator->sum[i] / divisor;
	result[last] = aggregator->rows;
	return true;
}
