/* The command line: words in, choices out. */
#ifndef FORKFIT_COORDINATOR_COMMAND_LINE_H
#define FORKFIT_COORDINATOR_COMMAND_LINE_H

#include "common/error.h"
#include "coordinator/progress.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The first word says which, and its absence the first. Each has its own options and its own --help. */
enum command {
	COMMAND_TRAIN,
	COMMAND_CAMPAIGN,
	COMMAND_PREDICT,
	COMMAND_GENERATE,
	COMMAND_CONVERT,
	COMMAND_COUNT,
	COMMAND_HELP = COMMAND_COUNT, /* an option in place of what the command would do */
	COMMAND_VERSION,
};

struct command_line {
	enum command command;
	const char *help;       /* COMMAND_HELP: the text */
	const char *config;     /* a path, or "-" */
	const char **overrides; /* of --set; the array is owned, its strings are argv's */
	size_t override_count;
	bool quiet;
	bool json;
	bool check;
	bool resume;
	bool explain;
	enum progress_style progress;
	bool bandwidth;
	const char *output;   /* PREDICT, GENERATE: where to; NULL: standard output */
	uint64_t seed;        /* CAMPAIGN, GENERATE */
	const char *paths[2]; /* CONVERT: from, to */
	struct {
		uint64_t runs;
		uint32_t jobs;        /* 0: as many as serve */
		const char *failures; /* NULL: beside the configuration */
	} campaign;
	struct {
		const char *model;
		const char *data;
		uint32_t workers; /* 0: as many as serve */
	} predict;
	struct {
		uint64_t rows;
		uint32_t features;
		double noise; /* standard deviation */
	} generate;
};

/* On failure *error has code EXIT_BAD_USAGE and nothing is to be released. */
bool command_line_parse(int count, char **arguments, struct command_line *line, struct error *error);
void command_line_release(struct command_line *line);

/* What `coordinator COMMAND --help` prints, in at most 24 lines of 80 columns. */
const char *command_help(enum command command);

#endif
