#include "coordinator/audience.h"

#include "common/calls.h"
#include "coordinator/machine.h"

#include <stdio.h>

/* As many workers as there can be at the same time: on each share its replicas, and a backup. */
static uint32_t places(const struct config *config)
{
	uint32_t shares = config->workers != 0 ? config->workers : machine_cpus();
	return shares * (config->recovery.replicas + 1);
}

static bool open_all(struct audience *audience, const struct command_line *line, const struct config *config,
        const struct event_stream *events, struct error *error)
{
	if (config->output.events != NULL) {
		audience->log = event_log_open(config->output.events, error);
		if (audience->log == NULL)
			return false;
	}
	if (line->explain) {
		audience->narration =
		        narration_new(events, stderr, progress_wants_colour(stderr), places(config), error);
		if (audience->narration == NULL)
			return false;
	}
	if (config->output.trace != NULL) {
		audience->timeline = timeline_open(config->output.trace, error);
		if (audience->timeline == NULL)
			return false;
	}
	if (config->output.report != NULL) {
		audience->report = report_new();
		if (audience->report == NULL)
			return error_set(error, EXIT_OS_ERROR, "out of memory");
	}
	return true;
}

bool audience_open(struct audience *audience, const struct command_line *line, const struct config *config,
        struct event_stream *events, struct error *error)
{
	struct error ignored;
	*audience = (struct audience){.log = NULL};
	summary_init(&audience->summary, stderr);
	bool animated = progress_wants_animation(stderr);
	progress_init(
	        &audience->progress, stderr, animated ? line->progress : PROGRESS_LINES, progress_wants_colour(stderr));
	if (!open_all(audience, line, config, events, error)) {
		audience_close(audience, &ignored);
		return false;
	}
	if (audience->log != NULL)
		events_add_sink(events, event_log_sink(audience->log));
	if (audience->timeline != NULL)
		events_add_sink(events, timeline_sink(audience->timeline));
	if (audience->report != NULL)
		events_add_sink(events, report_sink(audience->report));
	if (audience->narration != NULL) {
		events_add_sink(events, narration_sink(audience->narration));
	} else if (!line->quiet) {
		events_add_sink(events, progress_sink(&audience->progress));
		events_add_sink(events, summary_sink(&audience->summary));
		events->tick_ns = animated ? PROGRESS_TICK_NS : 0;
	}
	if (events->details)
		events_watch_calls(events, audience->narration != NULL ? narration_log(audience->narration) : NULL);
	return true;
}

void audience_make_room(struct audience *audience)
{
	progress_clear(&audience->progress);
}

bool audience_close(struct audience *audience, struct error *error)
{
	struct error second;
	calls_ignore();
	progress_clear(&audience->progress);
	progress_release(&audience->progress);
	bool complete = audience->log == NULL || event_log_close(audience->log, error);
	if (audience->timeline != NULL && !timeline_close(audience->timeline, complete ? error : &second))
		complete = false;
	narration_free(audience->narration);
	report_free(audience->report);
	audience->report = NULL;
	audience->narration = NULL;
	audience->log = NULL;
	audience->timeline = NULL;
	return complete;
}
