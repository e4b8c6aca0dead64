#include "coordinator/checkpointer.h"

#include "common/clock.h"
#include "coordinator/checkpoint_file.h"
#include "coordinator/checkpoint_origin.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

__attribute__((format(printf, 2, 3))) static void note(const struct checkpointer *checkpointer, const char *format, ...)
{
	char text[2560]; /* an error's message, and some words */
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	struct event event = {.type = EVENT_NOTE, .epoch = checkpointer->state.epoch};
	event.note.text = text;
	events_emit(checkpointer->events, event);
}

bool checkpointer_init(struct checkpointer *checkpointer, const struct config *config, const struct loader *loader,
        uint32_t workers, const struct event_stream *events, struct injection *injection, struct error *error)
{
	*checkpointer = (struct checkpointer){
	        .path = config->checkpoint.path,
	        .every_epochs = config->checkpoint.every_epochs,
	        .events = events,
	        .injection = injection,
	};
	if (checkpoint_init(&checkpointer->state, loader->dataset.features)) {
		checkpointer->state.origin = checkpoint_origin_text(config, loader, workers);
		if (checkpointer->state.origin != NULL)
			return true;
		checkpointer_release(checkpointer);
	}
	return error_set(error, EXIT_OS_ERROR, "out of memory");
}

void checkpointer_release(struct checkpointer *checkpointer)
{
	checkpoint_release(&checkpointer->state);
}

/*
 * Would a run with this configuration have come to the checkpoint? Not where the facts are others, and not where it
 * would have ended before.
 */
static bool belongs(const struct checkpointer *checkpointer, const struct config *config,
        const struct checkpoint *found, struct error *error)
{
	struct phrase difference = {.length = 0};
	double tolerance = config->training.tolerance;
	if (!checkpoint_origin_same(checkpointer->state.origin, found->origin, &difference))
		return error_set(error, EXIT_BAD_CONFIGURATION, "the checkpoint %s does not belong to this run: %s",
		        checkpointer->path, difference.text);
	if (found->epoch > config->training.epochs)
		return error_set(error, EXIT_BAD_CONFIGURATION,
		        "the checkpoint %s is of epoch %" PRIu32 ", and training.epochs is only %" PRIu64,
		        checkpointer->path, found->epoch, config->training.epochs);
	if (tolerance > 0 && found->least_gradient <= tolerance)
		return error_set(error, EXIT_BAD_CONFIGURATION,
		        "the checkpoint %s is of epoch %" PRIu32
		        ", and with training.tolerance %g this run would have ended before",
		        checkpointer->path, found->epoch, tolerance);
	return true;
}

static void take_over(struct checkpointer *checkpointer, struct checkpoint *found, bool is_newest)
{
	checkpoint_release(&checkpointer->state);
	checkpointer->state = *found;
	checkpointer->resumed_epoch = found->epoch;
	checkpointer->written_epoch = is_newest ? found->epoch : 0;
	checkpointer->newest_is_damaged = !is_newest;
	struct event event = {.type = EVENT_RUN_RESUMED, .epoch = found->epoch};
	event.run_resumed.path = checkpointer->path;
	events_emit(checkpointer->events, event);
}

bool checkpointer_resume(struct checkpointer *checkpointer, const struct config *config, struct error *error)
{
	struct checkpoint found;
	struct phrase remark = {.length = 0};
	enum checkpoint_found where = checkpoint_file_find(checkpointer->path, &found, &remark, error);
	if (where == CHECKPOINT_UNUSABLE)
		return false;
	if (where == CHECKPOINT_NONE) {
		note(checkpointer, "there is no checkpoint %s yet: training starts at the beginning",
		        checkpointer->path);
		return true;
	}
	if (where == CHECKPOINT_PREVIOUS)
		note(checkpointer, "%s", remark.text);
	if (!belongs(checkpointer, config, &found, error)) {
		checkpoint_release(&found);
		return false;
	}
	take_over(checkpointer, &found, where == CHECKPOINT_NEWEST);
	return true;
}

static void take_failure(struct checkpointer *checkpointer, const struct error *failure)
{
	if (!checkpointer->failing)
		note(checkpointer, "%s; training goes on without this checkpoint", failure->message);
	checkpointer->failing = true;
	checkpointer->failure = *failure;
}

static void write_state(struct checkpointer *checkpointer)
{
	struct error failure;
	uint64_t began_ns = clock_now_ns();
	if (!checkpoint_file_write(checkpointer->path, &checkpointer->state, !checkpointer->newest_is_damaged,
	            checkpointer->injection, &failure)) {
		take_failure(checkpointer, &failure);
		return;
	}
	checkpointer->written_epoch = checkpointer->state.epoch;
	checkpointer->newest_is_damaged = false;
	checkpointer->failing = false;
	struct event event = {.type = EVENT_CHECKPOINT_WRITTEN, .epoch = checkpointer->state.epoch};
	event.began_ns = began_ns;
	event.checkpoint_written.path = checkpointer->path;
	events_emit(checkpointer->events, event);
}

bool checkpointer_is_up_to_date(const struct checkpointer *checkpointer)
{
	return checkpointer->path == NULL || checkpointer->written_epoch == checkpointer->state.epoch;
}

bool checkpointer_is_due(const struct checkpointer *checkpointer)
{
	return !checkpointer_is_up_to_date(checkpointer) && checkpointer->state.epoch % checkpointer->every_epochs == 0;
}

void checkpointer_finish(struct checkpointer *checkpointer)
{
	if (!checkpointer_is_up_to_date(checkpointer))
		write_state(checkpointer);
}
