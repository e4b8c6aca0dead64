/*
 * The clones for processors with AVX-512, which have registers of eight numbers. They do the very operations of the
 * others, but only where it is worth it: when the kernel has products that are not squared, for all rows of a narrow
 * tile whose rows or columns lie side by side and of a wide one in Fortran order, and for wide rows in C order as far
 * as eight of them are there. What they leave is the AVX2 clone's. Only the kernels include this.
 *
 * What is told of AMD's processors was measured when products were rounded before they were added, and a row's had four
 * sums. Since then eight numbers of f4 take three and a half operations instead of more than seven.
 */
#ifndef FORKFIT_WORKER_KERNELS_AVX512_H
#define FORKFIT_WORKER_KERNELS_AVX512_H

#include "worker/kernels.h"

/*
 * The most features with which wide rows in C order may be summed eight at a time; and, of f8, with which eight rows
 * fit into registers.
 */
enum { KERNELS_EIGHTS_FEATURES = 128, KERNELS_REGISTER_FEATURES = 16 };

/*
 * On Intel's processors rows in Fortran order are summed in runs of at most so many, unless all columns stay in
 * registers, or take more than half of a second-level cache of 2 MiB. What is known of a run's rows takes so many
 * bytes.
 */
enum {
	KERNELS_RUN_ROWS = 64,
	KERNELS_RUN_FEATURES_FEWEST = 17,
	KERNELS_RUN_FEATURES_MOST = 2048,
	KERNELS_RUN_ROWS_BYTES = KERNELS_RUN_ROWS * 9 * sizeof(double)
};

/* Each adds a tile's first rows to the leaf's sums, and returns how many. */
size_t kernels_sum_narrow_avx512(struct kernels *kernels, const struct leaf_rows *tile);
size_t kernels_sum_wide_avx512(struct kernels *kernels, const struct leaf_rows *tile);
size_t kernels_sum_wide_eights_avx512(struct kernels *kernels, const struct leaf_rows *tile);
size_t kernels_sum_column_runs_avx512(struct kernels *kernels, const struct leaf_rows *tile);
size_t kernels_sum_columns_avx512(struct kernels *kernels, const struct leaf_rows *tile);

#endif
