#include "worker/kernels_lanes.h"

#include <math.h>

/*
 * The sum and a product, rounded once, out of operations that round each time: S. Boldo and G. Melquiond, Emulation of
 * a FMA and correctly rounded sums: proved algorithms using rounding to odd (IEEE Transactions on Computers 57, 2008).
 * The product is split by T. J. Dekker's algorithm, and a sum by D. E. Knuth's. All this holds while nothing overflows
 * and no error of a product underflows; what might, goes to the C library.
 */

#if defined(__SSE2__)

#include <emmintrin.h>

/* Two numbers, and what was lost when they were rounded. */
struct rounded {
	__m128d value, error;
};

INLINE struct rounded sum_of(__m128d a, __m128d b)
{
	const __m128d sum = a + b, of_b = sum - a, of_a = sum - of_b;
	return (struct rounded){sum, (a - of_a) + (b - of_b)};
}

/* The upper half of the digits. */
INLINE __m128d upper(__m128d value)
{
	const __m128d scaled = value * _mm_set1_pd(0x1.0000002p+27); /* 2^27 + 1 */
	return scaled - (scaled - value);
}

INLINE struct rounded product_of(__m128d a, __m128d b)
{
	const __m128d product = a * b, a1 = upper(a), a2 = a - a1, b1 = upper(b), b2 = b - b1;
	return (struct rounded){product, ((a1 * b1 - product) + a1 * b2 + a2 * b1) + a2 * b2};
}

/* Rounded to odd: of the two numbers next to the sum, if it is none itself, the one whose last digit is 1. */
INLINE __m128d odd_sum_of(__m128d a, __m128d b)
{
	const __m128i one = _mm_set1_epi64x(1);
	const __m128d zero = _mm_setzero_pd();
	const struct rounded sum = sum_of(a, b);
	const __m128i bits = _mm_castpd_si128(sum.value), is_even = _mm_sub_epi64(_mm_and_si128(bits, one), one);
	const __m128i is_inexact = _mm_castpd_si128(_mm_cmpneq_pd(sum.error, zero));
	/* -1 towards zero, 1 away from it */
	const __m128d signs_differ = _mm_xor_pd(_mm_cmpgt_pd(sum.error, zero), _mm_cmpgt_pd(sum.value, zero));
	const __m128i step = _mm_or_si128(_mm_castpd_si128(signs_differ), one);
	return _mm_castsi128_pd(_mm_add_epi64(bits, _mm_and_si128(step, _mm_and_si128(is_even, is_inexact))));
}

INLINE __m128d chosen(__m128d mask, __m128d yes, __m128d no)
{
	return _mm_or_pd(_mm_and_pd(mask, yes), _mm_andnot_pd(mask, no));
}

/*
 * An overflow on the way comes out as NaN: an infinite number has no finite error. Of a product that is very small not
 * all may be there, unless a factor is 0.
 */
INLINE void fuse_two(const double *a, const double *b, double *sum)
{
	const __m128d x = _mm_loadu_pd(a), y = _mm_loadu_pd(b), before = _mm_loadu_pd(sum), zero = _mm_setzero_pd();
	const struct rounded product = product_of(x, y);
	const struct rounded low = sum_of(before, product.error), high = sum_of(product.value, low.value);
	const __m128d is_nothing = _mm_or_pd(_mm_cmpeq_pd(x, zero), _mm_cmpeq_pd(y, zero));
	const __m128d all = chosen(is_nothing, product.value + before, high.value + odd_sum_of(low.error, high.error));
	const __m128d size = _mm_andnot_pd(_mm_set1_pd(-0.0), product.value);
	const __m128d is_there = _mm_or_pd(is_nothing, _mm_cmpge_pd(size, _mm_set1_pd(0x1p-900)));
	if (_mm_movemask_pd(_mm_and_pd(is_there, _mm_cmpeq_pd(all, all))) == 3) {
		_mm_storeu_pd(sum, all);
		return;
	}
	for (int i = 0; i < 2; i++)
		sum[i] = fma(a[i], b[i], sum[i]);
}

void lanes_fuse(const lanes *a, const lanes *b, lanes *sum)
{
	const double *x = (const double *)a, *y = (const double *)b;
	double *z = (double *)sum;
	fuse_two(x, y, z);
	fuse_two(x + 2, y + 2, z + 2);
}

#else

void lanes_fuse(const lanes *a, const lanes *b, lanes *sum)
{
	for (int i = 0; i < LANES; i++)
		(*sum)[i] = fma((*a)[i], (*b)[i], (*sum)[i]);
}

#endif
