#include "tests/unit/config_reading.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[] = "/tmp/forkfit-config-XXXXXX";

void scratch_enter(void)
{
	cr_assert(mkdtemp(scratch) != NULL && chdir(scratch) == 0);
}

/* What tests make is flat, but for directories that are empty when their files are gone. */
static void remove_all(const char *directory)
{
	DIR *listing = opendir(directory);
	char path[512];
	for (struct dirent *entry; listing && (entry = readdir(listing)) != NULL;) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(path, sizeof path, "%s/%s", directory, entry->d_name);
		if (unlink(path) != 0)
			remove_all(path);
	}
	if (listing)
		closedir(listing);
	rmdir(directory);
}

void scratch_leave(void)
{
	if (chdir("/") == 0)
		remove_all(scratch);
}

void write_file(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");
	cr_assert(file && fwrite(bytes, 1, length, file) == length && fclose(file) == 0, "cannot write %s", path);
}

char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return NULL;
	cr_assert(fseek(file, 0, SEEK_END) == 0);
	size_t length = (size_t)ftell(file);
	rewind(file);
	char *text = malloc(length + 1);
	cr_assert(text && fread(text, 1, length, file) == length, "cannot read %s", path);
	fclose(file);
	text[length] = '\0';
	return text;
}

struct reading read_config_from(const char *path, const char *text, const char *const *overrides)
{
	struct reading reading = {.ok = false};
	size_t count = 0;
	while (overrides && overrides[count])
		count++;
	write_file(path, text, strlen(text));
	reading.ok = config_read(path, overrides, count, &reading.config, &reading.error);
	return reading;
}

struct reading read_config(const char *text, const char *const *overrides)
{
	return read_config_from("run.json", text, overrides);
}

void reading_release(struct reading *reading)
{
	if (reading->ok)
		config_release(&reading->config);
}

static bool strings_equal(const char *one, const char *other)
{
	return one && other ? strcmp(one, other) == 0 : one == other;
}

/* To the bit: -0 is not 0. */
static bool doubles_equal(double one, double other)
{
	return memcmp(&one, &other, sizeof one) == 0;
}

static bool columns_equal(const struct column_reference *one, const struct column_reference *other)
{
	return strings_equal(one->name, other->name) && (one->name || one->index == other->index);
}

static bool datasets_equal(const struct config *one, const struct config *other)
{
	if (!strings_equal(one->dataset.path, other->dataset.path) ||
	        !strings_equal(one->dataset.given_path, other->dataset.given_path) ||
	        one->dataset.format != other->dataset.format || one->dataset.header != other->dataset.header ||
	        one->dataset.delimiter != other->dataset.delimiter || one->dataset.missing != other->dataset.missing ||
	        one->dataset.has_target != other->dataset.has_target ||
	        one->dataset.has_features != other->dataset.has_features ||
	        one->dataset.feature_count != other->dataset.feature_count)
		return false;
	for (size_t i = 0; i < one->dataset.feature_count; i++) {
		if (!columns_equal(&one->dataset.features[i], &other->dataset.features[i]))
			return false;
	}
	return !one->dataset.has_target || columns_equal(&one->dataset.target, &other->dataset.target);
}

static bool trainings_equal(const struct config *one, const struct config *other)
{
	size_t bytes = one->training.initial_count * sizeof(double);
	return one->training.optimizer == other->training.optimizer &&
	       one->training.automatic_rate == other->training.automatic_rate &&
	       doubles_equal(one->training.learning_rate, other->training.learning_rate) &&
	       one->training.epochs == other->training.epochs &&
	       doubles_equal(one->training.tolerance, other->training.tolerance) &&
	       one->training.standardize == other->training.standardize &&
	       one->training.aggregation == other->training.aggregation &&
	       one->training.initial_count == other->training.initial_count &&
	       (bytes == 0 || memcmp(one->training.initial_w, other->training.initial_w, bytes) == 0) &&
	       doubles_equal(one->training.initial_b, other->training.initial_b);
}

bool faults_equal(const struct fault *one, const struct fault *other)
{
	return one->kind == other->kind && one->site == other->site && one->worker == other->worker &&
	       one->incarnation == other->incarnation && one->epoch == other->epoch && one->skip == other->skip &&
	       one->times == other->times && doubles_equal(one->p, other->p) && one->byte == other->byte &&
	       one->bit == other->bit && one->ms == other->ms && doubles_equal(one->factor, other->factor) &&
	       one->code == other->code;
}

static bool recoveries_equal(const struct config *one, const struct config *other)
{
	return one->recovery.policy == other->recovery.policy &&
	       doubles_equal(one->recovery.worker_timeout_s, other->recovery.worker_timeout_s) &&
	       one->recovery.max_restarts == other->recovery.max_restarts &&
	       doubles_equal(one->recovery.restart_window_s, other->recovery.restart_window_s) &&
	       doubles_equal(one->recovery.backup_after, other->recovery.backup_after) &&
	       one->recovery.replicas == other->recovery.replicas &&
	       one->recovery.allow_degraded == other->recovery.allow_degraded;
}

static bool fault_plans_equal(const struct config *one, const struct config *other)
{
	bool equal = one->fault_count == other->fault_count && one->chaos.seed == other->chaos.seed &&
	             doubles_equal(one->chaos.rate, other->chaos.rate) && one->chaos.kinds == other->chaos.kinds;
	for (size_t i = 0; equal && i < one->fault_count; i++)
		equal = faults_equal(&one->faults[i], &other->faults[i]);
	return equal;
}

bool configs_equal(const struct config *one, const struct config *other)
{
	return strings_equal(one->source, other->source) && datasets_equal(one, other) &&
	       one->workers == other->workers && trainings_equal(one, other) &&
	       one->recovery.policy == other->recovery.policy &&
	       doubles_equal(one->recovery.worker_timeout_s, other->recovery.worker_timeout_s) &&
	       one->recovery.max_restarts == other->recovery.max_restarts &&
	       doubles_equal(one->recovery.restart_window_s, other->recovery.restart_window_s) &&
	       doubles_equal(one->recovery.backup_after, other->recovery.backup_after) &&
	       one->recovery.replicas == other->recovery.replicas &&
	       one->recovery.allow_degraded == other->recovery.allow_degraded &&
	       one->isolation.enabled == other->isolation.enabled &&
	       one->isolation.max_memory_mb == other->isolation.max_memory_mb &&
	       one->isolation.max_cpu_s == other->isolation.max_cpu_s &&
	       strings_equal(one->checkpoint.path, other->checkpoint.path) &&
	       strings_equal(one->checkpoint.given_path, other->checkpoint.given_path) &&
	       one->checkpoint.every_epochs == other->checkpoint.every_epochs && one->workers == other->workers &&
	       trainings_equal(one, other) && recoveries_equal(one, other) && fault_plans_equal(one, other) &&
	       strings_equal(one->output.faults, other->output.faults) &&
	       strings_equal(one->output.given_faults, other->output.given_faults) &&
	       strings_equal(one->output.trace, other->output.trace) &&
	       strings_equal(one->output.given_trace, other->output.given_trace) &&
	       strings_equal(one->output.report, other->output.report) &&
	       strings_equal(one->output.given_report, other->output.given_report) &&
	       strings_equal(one->output.model, other->output.model) &&
	       strings_equal(one->output.given_model, other->output.given_model) &&
	       strings_equal(one->output.events, other->output.events) &&
	       strings_equal(one->output.given_events, other->output.given_events);
}
