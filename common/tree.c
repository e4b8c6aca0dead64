#include "common/tree.h"

#include <stdlib.h>

/* Four at a time, which compilers do not do by themselves at -O2: leaves of a thousand columns have few rows. */
typedef double doubles4 __attribute__((vector_size(32), aligned(8), may_alias));

bool tree_stack_init(struct tree_stack *stack, size_t max_width)
{
	*stack = (struct tree_stack){.width = max_width};
	if (max_width > SIZE_MAX / sizeof(double) / TREE_NODES_MAX)
		return false;
	stack->vectors = malloc(TREE_NODES_MAX * max_width * sizeof(double));
	return stack->vectors != NULL;
}

void tree_stack_release(struct tree_stack *stack)
{
	free(stack->vectors);
	stack->vectors = NULL;
}

void tree_stack_reset(struct tree_stack *stack, size_t width, uint64_t begin)
{
	stack->width = width;
	stack->begin = stack->end = begin;
	stack->count = 0;
}

struct range tree_node_leaves(struct tree_node node)
{
	return (struct range){(uint64_t)node.index << node.level, ((uint64_t)node.index + 1) << node.level};
}

/* Adds the top vector to the one below it, its left sibling. */
static void merge_top(struct tree_stack *stack)
{
	double *left = stack->vectors + (stack->count - 2) * stack->width;
	const double *right = left + stack->width;
	size_t i = 0;
	for (; i + 4 <= stack->width; i += 4)
		*(doubles4 *)(left + i) += *(const doubles4 *)(right + i);
	for (; i < stack->width; i++)
		left[i] += right[i];
	stack->count--;
}

void tree_stack_settle(struct tree_stack *stack, uint64_t end)
{
	if (end == stack->end)
		return;
	stack->end = end;
	while (stack->count > 0) {
		struct tree_node *top = &stack->nodes[stack->count - 1];
		struct tree_node parent = {top->level + 1, top->index / 2};
		struct range leaves = tree_node_leaves(parent);
		if (leaves.begin < stack->begin || leaves.end > end || top->level == TREE_ROOT_LEVEL)
			return; /* the sibling is not decided within this run */
		/* All leaves of the parent are decided, so the node below the top, if inside the parent, is the
		 * sibling. */
		if (stack->count >= 2 && tree_node_leaves(top[-1]).begin >= leaves.begin) {
			merge_top(stack);
			top--;
		}
		*top = parent;
	}
}

double *tree_stack_place(struct tree_stack *stack, struct tree_node node)
{
	tree_stack_settle(stack, tree_node_leaves(node).begin);
	return stack->vectors + stack->count * stack->width;
}

void tree_stack_push(struct tree_stack *stack, struct tree_node node)
{
	stack->nodes[stack->count++] = node;
	tree_stack_settle(stack, tree_node_leaves(node).end);
}

const double *tree_stack_root(struct tree_stack *stack)
{
	tree_stack_settle(stack, LEAVES_MAX);
	return stack->count == 1 ? stack->vectors : NULL;
}
