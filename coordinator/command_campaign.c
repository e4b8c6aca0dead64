#include "coordinator/campaign.h"
#include "coordinator/campaign_report.h"
#include "coordinator/command.h"
#include "coordinator/config.h"
#include "coordinator/loader.h"
#include "coordinator/machine.h"
#include "coordinator/standard_output.h"
#include "coordinator/training_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In a process of its own, whose standard output and error are the campaign's to look at. */
static int train_in_campaign(
        const struct config *config, bool resume, struct fault_log *log, struct event_sink sink, void *context)
{
	const struct command_line line = {.command = COMMAND_TRAIN, .quiet = true, .json = true, .resume = resume};
	struct run_observer observer = {log, sink};
	struct error error = {.code = EXIT_OK};
	(void)context;
	if (training_run(&line, config, &observer, &error))
		return EXIT_OK;
	fprintf(stderr, "coordinator: %s\n", error.message);
	return (int)error.code;
}

/* "run.json" -> "run.failures", to be freed. */
static char *failures_beside(const char *config)
{
	static const char suffix[] = ".failures", json[] = ".json";
	size_t length = strlen(config);
	if (length > strlen(json) && strcmp(config + length - strlen(json), json) == 0)
		length -= strlen(json);
	char *path = malloc(length + sizeof suffix);
	if (path != NULL)
		sprintf(path, "%.*s%s", (int)length, config, suffix);
	return path;
}

/* A schedule is for a certain number of workers, so "auto" is settled once for all runs. */
static bool settle_workers(struct config *config, struct error *error)
{
	struct loader loader;
	if (!loader_open(&loader, config, error))
		return false;
	bool settled = training_run_workers(config, &loader, &config->workers, error);
	loader_release(&loader);
	return settled;
}

/* A run with faults mostly waits: for workers that sleep or are silent, and for deadlines. */
enum { JOBS_PER_CPU = 8 };

static bool campaign(const struct command_line *line, struct config *config, struct error *error)
{
	static const struct campaign_program program = {train_in_campaign, NULL};
	struct campaign_tally tally;
	char *failures = failures_beside(strcmp(line->config, "-") == 0 ? "campaign" : line->config);
	if (failures == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	struct campaign_options options = {
	        .runs = line->campaign.runs,
	        .seed = line->seed,
	        .jobs = line->campaign.jobs != 0 ? line->campaign.jobs : machine_cpus() * JOBS_PER_CPU,
	        .failures = line->campaign.failures != NULL ? line->campaign.failures : failures,
	        .quiet = line->quiet,
	};
	bool done = settle_workers(config, error);
	if (done) {
		struct error stdout_error;
		done = campaign_run(config, &options, &program, &tally, error);
		if (tally.runs > 0)
			(line->json ? campaign_report_json : campaign_report_table)(stdout, &tally);
		if (!standard_output_finish(&stdout_error) && done) {
			*error = stdout_error;
			done = false;
		}
	}
	free(failures);
	return done;
}

bool command_campaign(const struct command_line *line, struct error *error)
{
	struct config config;
	if (!config_read(line->config, line->overrides, line->override_count, &config, error))
		return false;
	bool done = campaign(line, &config, error);
	config_release(&config);
	return done;
}
