/* A short and repeatable portion of what `make fuzz` does. */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

TestSuite(fuzz, .timeout = 120);

Test(fuzz, odd_csv_files_are_read_as_by_a_reader_that_goes_byte_by_byte)
{
	char command[4096];
	snprintf(command, sizeof command, "/usr/bin/python3 tests/fuzz/csv_fuzz.py --runs 100 '%s' 2>&1",
	        coordinator_path());
	FILE *script = popen(command, "r");
	char said[4096];
	cr_assert_not_null(script);
	size_t length = fread(said, 1, sizeof said - 1, script);
	said[length] = '\0';
	int status = pclose(script);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%s", said);
}
