/*
 * Numbers of a CSV against strtod, by the ten million. They are read as a worker reads them, many records in one text,
 * because what is read fast depends on what is around it.
 */
#include "tests/unit/csv_numbers.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>

TestSuite(soak_csv_numbers, .timeout = 600);

Test(soak_csv_numbers, ten_million_random_numbers_have_the_bits_of_strtod)
{
	uint64_t state = 11;
	for (int i = 0; i < 10000; i++)
		csv_numbers_check(&state, csv_numbers_draw_ordinary, 1000);
}

Test(soak_csv_numbers, a_million_numbers_between_two_doubles_have_the_bits_of_strtod)
{
	uint64_t state = 12;
	for (int i = 0; i < 1000; i++)
		csv_numbers_check(&state, csv_numbers_draw_hard, 1000);
}
