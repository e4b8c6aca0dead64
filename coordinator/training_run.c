#include "coordinator/training_run.h"

#include "coordinator/audience.h"
#include "coordinator/checkpoint_file.h"
#include "coordinator/checkpointer.h"
#include "coordinator/descriptors.h"
#include "coordinator/injection.h"
#include "coordinator/machine.h"
#include "coordinator/model_file.h"
#include "coordinator/output_file.h"
#include "coordinator/output_paths.h"
#include "coordinator/result_table.h"
#include "coordinator/signals.h"
#include "coordinator/standard_output.h"
#include "coordinator/trainer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

bool training_run_workers(
        const struct config *config, const struct loader *loader, uint32_t *workers, struct error *error)
{
	*workers = config->workers != 0 ? config->workers : loader_useful_workers(loader, machine_cpus());
	if (loader->dataset.format == DATASET_NPY && *workers > loader->dataset.rows)
		return error_set(error, EXIT_BAD_CONFIGURATION,
		        "%s: workers: %" PRIu32 " workers are more than the %" PRIu64 " rows of %s", config->source,
		        *workers, loader->dataset.rows, loader->name);
	return descriptors_allow(*workers, error);
}

static bool deliver(const struct command_line *line, const struct config *config, const struct loader *loader,
        const struct training_result *result, struct injection *injection, struct error *error)
{
	struct fault_points points = {injection, SITE_OUTPUT_DRAFT, result->epochs};
	char *model = model_file_text(config, loader, result);
	if (model == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	bool delivered =
	        config->output.model == NULL || output_file_rotate(config->output.model, NULL, model, &points, error);
	if (delivered) {
		if (line->json)
			fputs(model, stdout);
		else
			result_table_print(stdout, loader, result);
		delivered = standard_output_finish(error);
	}
	free(model);
	return delivered;
}

/* Also after a failure: it is the faults that led to it that one wants to repeat. *done and *error change if all went
 * well until now. */
static void deliver_faults(
        const struct config *config, const struct injection *injection, bool *done, struct error *error)
{
	struct error fault_error;
	if (config->output.faults == NULL)
		return;
	char *text = injection_text(injection);
	bool written = text == NULL ? error_set(&fault_error, EXIT_OS_ERROR, "out of memory")
	                            : output_file_write(config->output.faults, text, &fault_error);
	free(text);
	if (written || !*done)
		return;
	*error = fault_error;
	*done = false;
}

/* Also after a failure, with what there is. *done and *error change if all went well until now. */
static void deliver_report(const struct audience *audience, const struct config *config, const struct loader *loader,
        const struct training_result *result, bool *done, struct error *error)
{
	struct error report_error;
	if (audience->report == NULL ||
	        report_write(audience->report, config, loader, result, *done ? NULL : error, &report_error) || !*done)
		return;
	*error = report_error;
	*done = false;
}

static void emit_start(
        const struct event_stream *events, const struct config *config, const struct loader *loader, uint32_t workers)
{
	struct event event = {.type = EVENT_RUN_STARTED, .pid = getpid()};
	event.run_started.dataset = loader->name;
	event.run_started.workers = workers;
	event.run_started.epochs = config->training.epochs;
	event.run_started.bytes = loader->dataset.identity.bytes;
	event.run_started.row_bytes = ((uint64_t)loader->dataset.features + 1) * loader_number_bytes(loader);
	events_emit(events, event);
}

static void emit_end(
        const struct event_stream *events, const struct training_result *result, bool trained, int exit_code)
{
	struct event event = {.type = EVENT_RUN_ENDED, .epoch = result->epochs};
	event.run_ended.trained = trained;
	event.run_ended.outcome = trained ? stop_reason_name(result->stop_reason) : "failed";
	event.run_ended.exit_code = exit_code;
	event.run_ended.epochs = result->epochs;
	event.run_ended.rows = result->rows;
	events_emit(events, event);
}

/* The result is there; what else is to be said of the run is an error, and its exit status. */
static bool judge(const struct config *config, const struct checkpointer *checkpointer,
        const struct training_result *result, struct error *error)
{
	if (!checkpointer_is_up_to_date(checkpointer)) {
		*error = checkpointer->failure;
		return false;
	}
	if (result->stop_reason == STOP_INTERRUPTED)
		return error_set(error, EXIT_INTERRUPTED, "interrupted; the result is that of epoch %" PRIu32 "%s",
		        result->epochs,
		        result->epochs > 0 && checkpointer->written_epoch == result->epochs
		                ? ", and --resume goes on from there"
		                : "");
	if (result->degraded && !config->recovery.allow_degraded)
		return error_set(error, EXIT_WORKERS_LOST,
		        "the result is degraded: %" PRIu64 " rows were lost with their workers", result->rows_lost);
	return true;
}

/* Trains with the sinks attached; *error holds what went wrong, or EXIT_INTERRUPTED after an interrupt in good order.
 */
static bool train_with(const struct command_line *line, const struct config *config, struct loader *loader,
        struct event_stream *events, struct audience *audience, struct injection *injection, struct error *error)
{
	struct training_result result = {.epochs = 0};
	struct checkpointer checkpointer;
	uint32_t workers;
	if (!training_run_workers(config, loader, &workers, error) ||
	        !checkpointer_init(&checkpointer, config, loader, workers, events, injection, error))
		return false;
	emit_start(events, config, loader, workers);
	fault_point(injection, SITE_COORDINATOR_START, 0);
	bool trained = (!line->resume || checkpointer_resume(&checkpointer, config, error)) &&
	               trainer_run(config, loader, workers, &checkpointer, events, injection, &result, error);
	audience_make_room(audience); /* the result may go to the same terminal */
	bool done = trained && deliver(line, config, loader, &result, injection, error) &&
	            judge(config, &checkpointer, &result, error);
	deliver_report(audience, config, loader, trained ? &result : NULL, &done, error);
	emit_end(events, &result, trained, done ? EXIT_OK : (int)error->code);
	if (trained)
		training_result_release(&result);
	checkpointer_release(&checkpointer);
	return done;
}

static bool can_write(const char *path, struct error *error)
{
	return path == NULL || output_file_check(path, error);
}

static bool have_own_files(const struct command_line *line, const struct config *config, struct error *error)
{
	char *previous = NULL;
	if (config->checkpoint.path != NULL && (previous = checkpoint_file_previous(config->checkpoint.path)) == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	const struct named_path paths[] = {
	        {"the dataset", config->dataset.path, true},
	        {"the configuration", line->config, true},
	        {"checkpoint.path", config->checkpoint.path, false},
	        {"the checkpoint before", previous, false},
	        {"output.model", config->output.model, false},
	        {"output.events", config->output.events, false},
	        {"output.trace", config->output.trace, false},
	        {"output.report", config->output.report, false},
	        {"output.faults", config->output.faults, false},
	};
	bool own = output_paths_check(paths, sizeof paths / sizeof *paths, EXIT_BAD_CONFIGURATION, error);
	free(previous);
	return own;
}

bool training_run_may_write(const struct command_line *line, const struct config *config, struct error *error)
{
	return have_own_files(line, config, error) && can_write(config->output.model, error) &&
	       can_write(config->checkpoint.path, error) && can_write(config->output.faults, error) &&
	       can_write(config->output.report, error);
}

bool training_run(const struct command_line *line, const struct config *config, const struct run_observer *observer,
        struct error *error)
{
	struct loader loader;
	struct event_stream events;
	struct audience audience;
	struct injection *injection = NULL;
	events_init(&events);
	if (!loader_open(&loader, config, error))
		return false;
	bool done = training_run_may_write(line, config, error) &&
	            injection_open(config, &events, observer != NULL ? observer->log : NULL, &injection, error) &&
	            signals_install(error) && audience_open(&audience, line, config, &events, error);
	if (done) {
		struct error audience_error;
		if (observer != NULL)
			events_add_sink(&events, observer->sink);
		done = train_with(line, config, &loader, &events, &audience, injection, error);
		deliver_faults(config, injection, &done, error);
		if (!audience_close(&audience, &audience_error) && done) {
			*error = audience_error;
			done = false;
		}
	}
	injection_free(injection);
	loader_release(&loader);
	return done;
}
