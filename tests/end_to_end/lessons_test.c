/* The pages of configs/lessons, held against what really happens. */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>

TestSuite(lessons, .timeout = 300);

ParameterizedTestParameters(lessons, show_what_happens_and_check_answers)
{
	static unsigned numbers[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10};
	return cr_make_param_array(unsigned, numbers, sizeof numbers / sizeof numbers[0]);
}

ParameterizedTest(unsigned *number, lessons, show_what_happens_and_check_answers)
{
	char text[16];
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer changes what a worker may do and how it dies");
	snprintf(text, sizeof text, "%u", *number);
	struct run_result result = run_program(
	        RUN_ARGV("/usr/bin/python3", "-Xutf8", "tests/end_to_end/lessons.py", coordinator_path(), text),
	        &(struct run_options){.timeout_s = 280});
	cr_expect_eq(result.exit_code, 0, "%s%s", result.out, result.err);
	run_result_release(&result);
}
