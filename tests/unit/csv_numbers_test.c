#include "tests/unit/csv_numbers.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(csv_numbers, .timeout = 60);

Test(csv_numbers, random_numbers_have_the_bits_of_strtod)
{
	uint64_t state = 1;
	for (int i = 0; i < 200; i++)
		csv_numbers_check(&state, csv_numbers_draw_ordinary, 1000);
}

Test(csv_numbers, twenty_thousand_numbers_between_two_doubles_have_the_bits_of_strtod)
{
	uint64_t state = 2;
	for (int i = 0; i < 20; i++)
		csv_numbers_check(&state, csv_numbers_draw_hard, 1000);
}

/* A leaf may end at any byte. */
Test(csv_numbers, have_the_same_bits_wherever_the_text_is_cut)
{
	static const char *const ends[] = {"\n", "\r\n"};
	for (size_t end = 0; end < 2; end++) {
		struct csv_numbers numbers;
		uint64_t state = 3;
		csv_numbers_draw(&numbers, &state, csv_numbers_draw_ordinary, 150, ends[end]);
		for (size_t cut = 0; cut <= numbers.length; cut++)
			csv_numbers_check_cut(&numbers, cut);
		csv_numbers_release(&numbers);
	}
}
