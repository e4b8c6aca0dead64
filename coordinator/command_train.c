#include "coordinator/command.h"
#include "coordinator/config.h"
#include "coordinator/loader.h"
#include "coordinator/standard_output.h"
#include "coordinator/training_run.h"

#include <stdio.h>
#include <stdlib.h>

static bool check(const struct command_line *line, const struct config *config, struct error *error)
{
	struct loader loader;
	if (!loader_open(&loader, config, error))
		return false;
	loader_release(&loader);
	if (!training_run_may_write(line, config, error))
		return false;
	char *text = config_to_json(config);
	if (text == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	puts(text);
	free(text);
	return standard_output_finish(error);
}

bool command_train(const struct command_line *line, struct error *error)
{
	struct config config;
	if (!config_read(line->config, line->overrides, line->override_count, &config, error))
		return false;
	config.bandwidth = line->bandwidth;
	bool done;
	if (line->resume && config.checkpoint.path == NULL)
		done = error_set(error, EXIT_BAD_CONFIGURATION,
		        "%s: checkpoint.path: expected a path, because --resume is given, found null", config.source);
	else if (line->check)
		done = check(line, &config, error);
	else
		done = training_run(line, &config, NULL, error);
	config_release(&config);
	return done;
}
