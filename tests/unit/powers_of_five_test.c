#include "common/powers_of_five.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <string.h>

TestSuite(powers_of_five, .timeout = 20);

/* Whole numbers of 32-bit digits, the lowest first. 5^342 has 795 bits, and times a table entry 923. */
enum { DIGITS = 32 };

struct whole {
	uint32_t digit[DIGITS];
};

static void whole_multiply(struct whole *number, uint32_t factor)
{
	uint64_t carry = 0;
	for (int i = 0; i < DIGITS; i++) {
		carry += (uint64_t)number->digit[i] * factor;
		number->digit[i] = (uint32_t)carry;
		carry >>= 32;
	}
	cr_assert_eq(carry, 0);
}

static void whole_shift_left(struct whole *number, int bits)
{
	for (int i = 0; i < bits; i++)
		whole_multiply(number, 2);
}

static void whole_add(struct whole *number, const struct whole *other)
{
	uint64_t carry = 0;
	for (int i = 0; i < DIGITS; i++) {
		carry += (uint64_t)number->digit[i] + other->digit[i];
		number->digit[i] = (uint32_t)carry;
		carry >>= 32;
	}
}

static int whole_compare(const struct whole *a, const struct whole *b)
{
	for (int i = DIGITS - 1; i >= 0; i--) {
		if (a->digit[i] != b->digit[i])
			return a->digit[i] < b->digit[i] ? -1 : 1;
	}
	return 0;
}

static int whole_bits(const struct whole *number)
{
	for (int bit = 32 * DIGITS - 1; bit >= 0; bit--) {
		if (number->digit[bit / 32] >> (bit % 32) & 1)
			return bit + 1;
	}
	return 0;
}

static struct whole whole_power_of_five(int exponent)
{
	struct whole power = {{1}};
	for (int i = 0; i < exponent; i++)
		whole_multiply(&power, 5);
	return power;
}

static struct whole whole_product(const struct whole *number, struct power_of_five entry)
{
	const uint32_t parts[] = {
	        (uint32_t)entry.low, (uint32_t)(entry.low >> 32), (uint32_t)entry.high, (uint32_t)(entry.high >> 32)};
	struct whole sum = {{0}};
	for (int i = 0; i < 4; i++) {
		struct whole part = *number;
		whole_multiply(&part, parts[i]);
		memmove(part.digit + i, part.digit, (size_t)(DIGITS - i) * sizeof part.digit[0]);
		memset(part.digit, 0, (size_t)i * sizeof part.digit[0]);
		whole_add(&sum, &part);
	}
	return sum;
}

Test(powers_of_five, every_entry_from_0_up_is_the_power_shifted_to_128_bits_and_cut_off)
{
	for (int q = 0; q <= POWER_OF_FIVE_MAX; q++) {
		struct power_of_five entry = powers_of_five[q - POWER_OF_FIVE_MIN];
		struct whole power = whole_power_of_five(q);
		int bits = whole_bits(&power);
		for (int bit = 0; bit < 128; bit++) {
			int from = bits - 1 - bit; /* the table's bits from the top, against the power's */
			bool expected = from >= 0 && (power.digit[from / 32] >> (from % 32) & 1);
			bool found = (bit < 64 ? entry.high >> (63 - bit) : entry.low >> (127 - bit)) & 1;
			cr_assert_eq(found, expected, "5^%d, bit %d from the top", q, bit);
		}
	}
}

Test(powers_of_five, every_entry_below_0_is_the_reciprocal_rounded_to_the_side_it_should)
{
	for (int q = POWER_OF_FIVE_MIN; q < 0; q++) {
		struct power_of_five entry = powers_of_five[q - POWER_OF_FIVE_MIN];
		cr_assert(entry.high >> 63, "5^%d: the top bit is not set", q);
		struct whole power = whole_power_of_five(-q);
		struct whole one = {{1}};
		whole_shift_left(&one, 127 + whole_bits(&power));
		/* Rounded down: entry · 5^-q <= 2^(127+z) < (entry + 1) · 5^-q. Rounded up: one more. */
		struct whole product = whole_product(&power, entry);
		if (q < -27) {
			cr_assert(whole_compare(&product, &one) <= 0, "5^%d is too large", q);
			whole_add(&product, &power);
			cr_assert(whole_compare(&product, &one) > 0, "5^%d is too small", q);
		} else {
			cr_assert(whole_compare(&product, &one) >= 0, "5^%d is too small", q);
			whole_add(&one, &power);
			cr_assert(whole_compare(&product, &one) < 0, "5^%d is too large", q);
		}
	}
}
