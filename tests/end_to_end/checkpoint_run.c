#include "tests/end_to_end/checkpoint_run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char *directory;

enum { ROWS = 2000 };

void checkpoint_run_write_data(const char *path, int rows, int different)
{
	FILE *file = fopen(path, "w");
	cr_assert(file != NULL);
	fputs("a,b,c,y\n", file);
	for (int row = 0; row < rows; row++) {
		int noise = row * 7919 % 101;
		int target = 3 * (row % 13) - 2 * (row % 29) + row % 7 + noise % 10 + 100;
		/* As long as the right one. */
		if (row >= rows - different)
			target = target < 999 ? target + 1 : target - 1;
		fprintf(file, "%d,%d,%d.5,%d\n", row % 13, row % 29, row % 7, target);
	}
	cr_assert(fclose(file) == 0);
}

void checkpoint_run_enter(void)
{
	char text[512];
	coordinator_path(); /* as long as a relative one is right */
	directory = directory_new();
	cr_assert(chdir(directory) == 0);
	checkpoint_run_write_data("data.csv", ROWS, 0);
	snprintf(text, sizeof text,
	        "{ \"dataset\": { \"path\": \"data.csv\" },\n"
	        "  \"workers\": 2,\n"
	        "  \"training\": { \"epochs\": %d, \"tolerance\": 0 },\n"
	        "  \"checkpoint\": { \"path\": \"" CHECKPOINT "\", \"every_epochs\": %d } }\n",
	        CHECKPOINT_EPOCHS, CHECKPOINT_EVERY);
	file_write("run.json", text);
}

void checkpoint_run_leave(void)
{
	if (chdir("/") == 0)
		directory_remove(directory);
	free(directory);
}

char *checkpoint_run_output(const char *const argv[])
{
	struct run_result result = run_program(argv, NULL);
	cr_assert(result.exit_code == 0, "exit code %d, signal %d: %s", result.exit_code, result.signal, result.err);
	cr_assert(session_ends(result.pid, 1));
	char *output = strdup(result.out);
	cr_assert(output != NULL && result.out_length > 0);
	run_result_release(&result);
	return output;
}

unsigned checkpoint_run_epoch(const char *path)
{
	char *text = file_read(path, NULL);
	const char *line = strstr(text, "\nepoch ");
	cr_assert(line != NULL, "no epoch in %s:\n%s", path, text);
	unsigned epoch = (unsigned)strtoul(line + 7, NULL, 10);
	free(text);
	return epoch;
}
