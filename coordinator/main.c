/*
 * forkfit's coordinator: reads what is asked for, chooses who does it, and says how it went. All errors come up to here
 * as values, are printed here, and become the exit status here.
 */
#include "coordinator/command.h"
#include "coordinator/command_line.h"
#include "coordinator/descriptors.h"
#include "coordinator/standard_output.h"
#include "coordinator/version.h"

#include <stdio.h>

static bool print_help(const struct command_line *line, struct error *error)
{
	fputs(line->help, stdout);
	return standard_output_finish(error);
}

static bool print_version(const struct command_line *line, struct error *error)
{
	(void)line;
	printf("forkfit %s\n", version_text());
	return standard_output_finish(error);
}

typedef bool (*command_function)(const struct command_line *line, struct error *error);

static const command_function functions[] = {
        [COMMAND_TRAIN] = command_train,
        [COMMAND_CAMPAIGN] = command_campaign,
        [COMMAND_PREDICT] = command_predict,
        [COMMAND_GENERATE] = command_generate,
        [COMMAND_CONVERT] = command_convert,
        [COMMAND_HELP] = print_help,
        [COMMAND_VERSION] = print_version,
};
_Static_assert(sizeof functions / sizeof *functions == COMMAND_VERSION + 1, "a function for every command");

int main(int count, char **arguments)
{
	struct command_line line;
	struct error error = {.code = EXIT_OK};
	bool done = descriptors_hold_standard(&error) && command_line_parse(count, arguments, &line, &error);
	if (done) {
		done = functions[line.command](&line, &error);
		command_line_release(&line);
	}
	if (done)
		return EXIT_OK;
	fprintf(stderr, "coordinator: %s\n", error.message);
	return (int)error.code;
}
