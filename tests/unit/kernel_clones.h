/* A leaf summed by every clone of the kernels that this processor runs, its best or not, wherever its rows lie. */
#ifndef FORKFIT_TESTS_KERNEL_CLONES_H
#define FORKFIT_TESTS_KERNEL_CLONES_H

#include "worker/kernels.h"

#include "tests/unit/row_layouts.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	KERNEL_FEATURES_MAX = 8200, /* of so many in Fortran order, no cache has room for the shortest run */
	KERNEL_WIDTH_MAX = KERNEL_FEATURES_MAX + 3
};

/* Numbers of features, such that each way through the rows is taken, by rows with and without a rest. */
extern const uint32_t kernel_feature_counts[];
extern const size_t kernel_feature_count;

/* From 0 to 40, then 1000. */
enum { KERNEL_ROW_COUNTS = 42 };

size_t kernel_row_count(int i);

/* Numbers with all their digits, so that every rounding shows; some are zeros of either sign. */
void numbers_fill(uint64_t *state, double *numbers, uint32_t count);

struct sums {
	bool present;
	size_t width;
	double values[KERNEL_WIDTH_MAX];
};

void sum_leaf(struct kernels *kernels, const struct leaf_rows *leaf, struct sums *sums);

/* Whose NaN a sum of two has is the compiler's choice, and nobody is shown its sign. */
bool sums_equal(const struct sums *one, const struct sums *other);

/* A kernel for each, all with the same centre and parameters. */
struct clones {
	enum kernel_clone last;
	struct kernels kernels[CLONE_COUNT];
	double parameters[KERNEL_FEATURES_MAX + 1];
	double centre[KERNEL_FEATURES_MAX + 1];
};

/* With random centre and parameters. */
void clones_init(struct clones *clones, uint64_t *state, uint32_t d, bool skip_missing);
void clones_choose(struct clones *clones, enum kernel kernel);
void clones_release(struct clones *clones);

/* The table in every layout. */
struct layouts {
	struct laid_rows laid[32];
};

void layouts_init(struct layouts *layouts, const double *table, size_t rows, uint32_t d);
void layouts_release(struct layouts *layouts);

/* Do all clones have these sums for all layouts? */
void assert_everywhere(struct clones *clones, const struct layouts *layouts, const struct sums *expected);

#endif
