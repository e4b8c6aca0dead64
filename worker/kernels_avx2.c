/* The clone for processors that have AVX2 and fused multiply-add. The Makefile compiles it for them. */
#include "worker/kernels_by_four.h"

#if defined(__AVX2__) && defined(__FMA__)

void kernels_sum_avx2(struct kernels *kernels, const struct leaf_rows *tile)
{
	sum_by_four(kernels, tile);
}

#endif
