/* The command line: words in, choices out. */
#ifndef FORKFIT_COORDINATOR_COMMAND_LINE_H
#define FORKFIT_COORDINATOR_COMMAND_LINE_H

#include "common/error.h"
#include "coordinator/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum command { COMMAND_TRAIN, COMMAND_CHECK, COMMAND_CAMPAIGN, COMMAND_HELP, COMMAND_VERSION };

struct command_line {
	enum command command;
	const char *config;     /* a path, or "-" */
	const char **overrides; /* of --set; the array is owned, its strings are argv's */
	size_t override_count;
	bool quiet;
	bool json;
	bool resume;
	enum progress_style progress;
	struct {
		uint64_t runs;
		uint64_t seed;
		uint32_t jobs;        /* 0: as many as serve */
		const char *failures; /* NULL: beside the configuration */
	} campaign;
};

/* On failure *error has code EXIT_BAD_USAGE and nothing is to be released. */
bool command_line_parse(int count, char **arguments, struct command_line *line, struct error *error);
void command_line_release(struct command_line *line);

/* What --help prints. */
extern const char command_line_help[];

#endif
