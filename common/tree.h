/*
 * The canonical tree: the one shape in which vectors gathered from the leaves are added.
 *
 * Leaf i is node i of level 0; nodes 2j and 2j+1 of a level are the children of node j of the level above. A node's
 * vector is its left child's plus its right child's, element by element; a node without data is absent, and its
 * parent is its sibling unchanged. Each floating-point addition therefore has the same two operands wherever it is
 * done: a worker does those inside its run of leaves, the coordinator the rest, and the root has the same bits for
 * every cut into chunks. The rounding error grows with the tree's height, as in pairwise summation (Higham, "The
 * accuracy of floating point summation", SIAM J. Sci. Comput. 14(4), 1993).
 *
 * Both ends use the same stack: nodes are pushed from left to right, and siblings merge as soon as it is known what
 * both are. What is left at the end of a run are its maximal aligned nodes. Pure.
 */
#ifndef FORKFIT_COMMON_TREE_H
#define FORKFIT_COMMON_TREE_H

#include "common/leaves.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The level of the root over LEAVES_MAX = 2^12 leaves. */
#define TREE_ROOT_LEVEL 12U

/* A run of leaves has at most two maximal aligned nodes per level; one place more for the node being pushed. */
#define TREE_NODES_MAX (2U * (TREE_ROOT_LEVEL + 1U) + 1U)

struct tree_node {
	uint32_t level;
	uint32_t index; /* within its level */
};

struct tree_stack {
	size_t width;   /* doubles in a vector */
	uint64_t begin; /* the first leaf of the run */
	uint64_t end;   /* all leaves before this one are decided */
	size_t count;
	struct tree_node nodes[TREE_NODES_MAX];
	double *vectors; /* TREE_NODES_MAX × width, row-major: the i-th row belongs to nodes[i] */
};

/* A stack for vectors of up to max_width doubles. False: out of memory. */
bool tree_stack_init(struct tree_stack *stack, size_t max_width);
void tree_stack_release(struct tree_stack *stack);

/* Empties the stack, for a run that starts at leaf `begin` and vectors of `width` doubles, at most max_width. */
void tree_stack_reset(struct tree_stack *stack, size_t width, uint64_t begin);

/* Where the next node's vector (width doubles) is to be written before tree_stack_push. */
double *tree_stack_place(struct tree_stack *stack, struct tree_node node);

/*
 * Pushes `node`, whose vector stands at tree_stack_place. It must lie inside the run and to the right of every node
 * pushed before; the leaves between them are absent.
 */
void tree_stack_push(struct tree_stack *stack, struct tree_node node);

/* Says that the run ends before leaf `end`: leaves not pushed are absent. Merges all that this decides. */
void tree_stack_settle(struct tree_stack *stack, uint64_t end);

/* The sum of the whole tree, for a run that starts at leaf 0: width doubles inside the stack, or NULL without data. */
const double *tree_stack_root(struct tree_stack *stack);

/* The leaves below a node. */
struct range tree_node_leaves(struct tree_node node);

#endif
