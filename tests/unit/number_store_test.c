#include "worker/number_store.h"

#include <criterion/criterion.h>
#include <stdint.h>

TestSuite(number_store, .timeout = 20);

enum { MEBIBYTE = 1 << 20 };

/* Fills a portion, and checks afterwards that nobody else has written into it. */
static void fill(double *numbers, size_t count, double with)
{
	for (size_t i = 0; i < count; i++)
		numbers[i] = with;
}

static bool is_filled(const double *numbers, size_t count, double with)
{
	for (size_t i = 0; i < count; i++)
		if (numbers[i] != with)
			return false;
	return true;
}

Test(number_store, gives_portions_that_do_not_overlap)
{
	enum { PORTIONS = 500 };
	struct number_store store;
	double *portions[PORTIONS];
	number_store_init(&store, UINT64_MAX);
	for (size_t i = 0; i < PORTIONS; i++) {
		size_t count = 1 + i * i % 40000;
		portions[i] = number_store_take(&store, count, (PORTIONS - i) * (i % 3) * 10000);
		cr_assert(portions[i] != NULL);
		fill(portions[i], count, (double)i);
	}
	for (size_t i = 0; i < PORTIONS; i++)
		cr_assert(is_filled(portions[i], 1 + i * i % 40000, (double)i), "portion %zu", i);
	number_store_release(&store);
}

Test(number_store, takes_no_more_memory_than_the_maximum)
{
	static const size_t likely[] = {0, 100, 100000, SIZE_MAX};
	for (size_t i = 0; i < sizeof likely / sizeof likely[0]; i++) {
		struct number_store store;
		size_t taken = 0;
		number_store_init(&store, 5 * MEBIBYTE);
		for (double *numbers; (numbers = number_store_take(&store, 1000, likely[i])) != NULL; taken += 1000)
			fill(numbers, 1000, 1);
		cr_assert_leq(taken * sizeof(double), 5 * MEBIBYTE);
		cr_assert_gt(taken * sizeof(double), 4 * MEBIBYTE);
		number_store_release(&store);
	}
}

Test(number_store, has_nothing_to_give_without_an_allowance)
{
	struct number_store store;
	number_store_init(&store, 0);
	cr_assert_null(number_store_take(&store, 1, 0));
	number_store_release(&store);
}

Test(number_store, refuses_what_no_memory_could_hold)
{
	struct number_store store;
	number_store_init(&store, UINT64_MAX);
	cr_assert_null(number_store_take(&store, SIZE_MAX / sizeof(double), 0));
	cr_assert_null(number_store_take(&store, SIZE_MAX, SIZE_MAX));
	cr_assert(number_store_take(&store, 1, SIZE_MAX) != NULL);
	number_store_release(&store);
}
