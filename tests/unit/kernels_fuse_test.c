/* Where the processor has no fused multiply-add, one made of other operations has the same bits as the C library's. */
#include "worker/kernels_lanes.h"

#include "tests/unit/double_bits.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <math.h>

TestSuite(kernels_fuse, .timeout = 60);

static void assert_fused(const double *a, const double *b, const double *sum)
{
	const lanes x = lanes_at(a), y = lanes_at(b);
	lanes fused = lanes_at(sum);
	lanes_fuse(&x, &y, &fused);
	for (int i = 0; i < LANES; i++) {
		const double expected = fma(a[i], b[i], sum[i]), is = fused[i];
		cr_assert(bits_of(is) == bits_of(expected) || (isnan(is) && isnan(expected)),
		        "%a * %a + %a: %a, not %a", a[i], b[i], sum[i], is, expected);
	}
}

/* One of some kinds: any bits at all, of every size there is in data, with few digits, a float, or at an end. */
static double number(uint64_t *state)
{
	static const double ends[] = {0.0, -0.0, 1.0, -1.0, 0x1p-1074, -0x1p-1074, 0x1p-1022, 0x1p-900, 0x1p+900,
	        0x1p+1000, 0x1.fffffffffffffp+1023, 0x1p-53, 0x1p+53, (double)INFINITY, -(double)INFINITY, (double)NAN};
	const double digits = (double)(int64_t)random_next(state);
	switch (random_below(state, 5)) {
	case 0:
		return double_of(random_next(state));
	case 1:
		return ldexp(digits, (int)random_below(state, 100) - 110);
	case 2:
		return ldexp((double)random_below(state, 2000) - 1000.0, -(int)random_below(state, 120));
	case 3:
		return (double)(float)ldexp(digits, -60);
	default:
		return ends[random_below(state, sizeof ends / sizeof *ends)];
	}
}

Test(kernels_fuse, rounds_any_numbers_as_the_c_library_does)
{
	enum { COUNT = 1000000 };
	uint64_t state = 1;
	for (int i = 0; i < COUNT; i++) {
		double a[LANES], b[LANES], sum[LANES];
		for (int k = 0; k < LANES; k++)
			a[k] = number(&state), b[k] = number(&state), sum[k] = number(&state);
		assert_fused(a, b, sum);
	}
}

Test(kernels_fuse, keeps_the_digits_behind_a_sum_that_nearly_cancels)
{
	enum { COUNT = 500000 };
	uint64_t state = 2;
	for (int i = 0; i < COUNT; i++) {
		double a[LANES], b[LANES], sum[LANES];
		for (int k = 0; k < LANES; k++) {
			a[k] = number(&state), b[k] = number(&state);
			sum[k] = -(a[k] * b[k]) * (1.0 + ((double)random_below(&state, 9) - 4.0) * 0x1p-52);
		}
		assert_fused(a, b, sum);
	}
}

/*
 * What was lost of the product and of the sum often ends with a 1 already, and then must be left as it is. Catches the
 * mutation odd_moved.
 */
Test(kernels_fuse, leaves_alone_what_is_odd)
{
	enum { COUNT = 100000 };
	uint64_t state = 4;
	for (int i = 0; i < COUNT; i++) {
		double a[LANES], b[LANES], sum[LANES];
		for (int k = 0; k < LANES; k++) {
			const int of_a = (int)random_below(&state, 200) - 100;
			const int of_b = (int)random_below(&state, 200) - 100;
			const double sign = random_below(&state, 2) == 0 ? 1.0 : -1.0;
			a[k] = ldexp(sign * 0x1.ffffffffffffdp0, of_a);
			b[k] = ldexp(0x1.fffffffffffffp0, of_b);
			sum[k] = ldexp(1.0 + (double)(random_next(&state) >> 12) * 0x1p-52, of_a + of_b + 2);
		}
		assert_fused(a, b, sum);
	}
}

/*
 * A product that is half a unit in the sum's last place when it is rounded, but is a little less: (1 + u)(1 - u) is
 * 1 - u². Catches the mutation rounded_twice.
 */
Test(kernels_fuse, is_not_rounded_twice_beside_a_tie)
{
	enum { COUNT = 100000 };
	uint64_t state = 3;
	for (int i = 0; i < COUNT; i++) {
		double a[LANES], b[LANES], sum[LANES];
		for (int k = 0; k < LANES; k++) {
			const int scale = (int)random_below(&state, 400) - 200;
			const double u = ldexp(1.0, -28 - (int)random_below(&state, 12));
			sum[k] = ldexp(1.0 + (double)(random_next(&state) >> 12) * 0x1p-52, scale);
			a[k] = ldexp(random_below(&state, 2) == 0 ? 1.0 + u : -1.0 - u, scale - 53);
			b[k] = 1.0 - u;
		}
		assert_fused(a, b, sum);
	}
}
