#include "coordinator/campaign_failure.h"

#include "coordinator/campaign_evidence.h"
#include "coordinator/output_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 64 };

static bool out_of_memory(struct error *error)
{
	return error_set(error, EXIT_OS_ERROR, "out of memory");
}

static bool write_file(const char *directory, const char *name, const char *text, struct error *error)
{
	size_t size = strlen(directory) + 1 + strlen(name) + 1;
	char *path = malloc(size);
	if (path == NULL)
		return out_of_memory(error);
	snprintf(path, size, "%s/%s", directory, name);
	bool written = output_file_write(path, text, error);
	free(path);
	return written;
}

/* The path from the root on, to be freed. NULL: no memory, or no such directory as the one this process is in. */
static char *absolute(const char *path)
{
	char here[4096]; /* PATH_MAX of Linux */
	if (path[0] == '/')
		return strdup(path);
	if (getcwd(here, sizeof here) == NULL)
		return NULL;
	size_t size = strlen(here) + 1 + strlen(path) + 1;
	char *whole = malloc(size);
	if (whole != NULL)
		snprintf(whole, size, "%s/%s", here, path);
	return whole;
}

/* The configuration's text, to be freed. NULL: no memory. */
static char *replay_text(const struct campaign_job *job, char *model, char *checkpoint)
{
	struct config config = job->config;
	config.faults = job->fired;
	config.fault_count = job->fired_count;
	config.chaos.rate = 0.0;
	config.dataset.given_path = absolute(job->config.dataset.path);
	/* Some faults happen where a model is written. */
	config.output.given_model = job->config.output.model != NULL ? model : NULL;
	config.checkpoint.given_path = job->config.checkpoint.path != NULL ? checkpoint : NULL;
	config.output.given_events = NULL;
	config.output.given_trace = NULL;
	config.output.given_report = NULL;
	config.output.given_faults = NULL;
	char *text = config.dataset.given_path != NULL ? config_to_json(&config) : NULL;
	free(config.dataset.given_path);
	return text;
}

static char *explanation(const struct campaign_job *job, enum verdict verdict, const char *reason, uint64_t seed,
        const char *replay, const char *messages)
{
	static const char format[] = "%s: %s\n"
	                             "run %" PRIu64 " of the campaign with seed %" PRIu64 "; it %s after %.3f s\n"
	                             "chaos.seed %" PRIu64 ", chaos.rate %.17g, %zu fault%s fired\n"
	                             "to see it again: coordinator --config %s%s\n"
	                             "its standard error:\n%s";
	char status[96] = "was killed by the campaign";
	if (!job->timed_out)
		process_status_text(job->status, status, sizeof status);
	size_t size = sizeof format + 512 + strlen(reason) + strlen(replay) + strlen(messages);
	char *text = malloc(size);
	if (text != NULL)
		snprintf(text, size, format, verdict_name(verdict), reason, job->number, seed, status,
		        (double)(job->ended_ns - job->began_ns) / 1e9, job->config.chaos.seed, job->config.chaos.rate,
		        job->fired_count, job->fired_count == 1 ? "" : "s", replay,
		        job->resumed ? "; then with --resume --set 'faults=[]' behind it" : "", messages);
	return text;
}

bool campaign_failure_write(const char *directory, const struct campaign_job *job, enum verdict verdict,
        const char *reason, uint64_t seed, struct error *error)
{
	char replay[NAME_BYTES], about[NAME_BYTES], model[NAME_BYTES], checkpoint[NAME_BYTES];
	size_t length;
	snprintf(replay, sizeof replay, "run-%06" PRIu64 "-%s.json", job->number, verdict_name(verdict));
	snprintf(about, sizeof about, "run-%06" PRIu64 "-%s.txt", job->number, verdict_name(verdict));
	snprintf(model, sizeof model, "run-%06" PRIu64 "-model.json", job->number);
	snprintf(checkpoint, sizeof checkpoint, "run-%06" PRIu64 "-checkpoint", job->number);
	if (mkdir(directory, 0777) != 0 && errno != EEXIST)
		return error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot make the directory %s", directory);
	char *messages = campaign_evidence_messages(job, &length);
	char *configuration = replay_text(job, model, checkpoint);
	char *text = messages != NULL ? explanation(job, verdict, reason, seed, replay, messages) : NULL;
	bool written = configuration != NULL && text != NULL ? write_file(directory, replay, configuration, error) &&
	                                                               write_file(directory, about, text, error)
	                                                     : out_of_memory(error);
	free(messages);
	free(configuration);
	free(text);
	return written;
}
