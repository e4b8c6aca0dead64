#include "common/calls.h"
#include "coordinator/timeline.h"

#include "tests/unit/config_reading.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(timeline_sink, .init = scratch_enter, .fini = scratch_leave, .timeout = 20);

static struct event_stream stream;

static struct timeline *open_good(const char *path)
{
	struct error error = {0};
	struct timeline *timeline = timeline_open(path, &error);
	cr_assert(timeline != NULL, "%s", error.message);
	events_init(&stream);
	events_add_sink(&stream, timeline_sink(timeline));
	return timeline;
}

/* The events of the file, for the caller to decref. */
static json_t *close_good(struct timeline *timeline, const char *path)
{
	struct error error = {0};
	json_error_t fault;
	cr_assert(timeline_close(timeline, &error), "%s", error.message);
	char *text = read_file(path);
	json_t *events = json_loads(text, JSON_REJECT_DUPLICATES, &fault);
	cr_assert(json_is_array(events), "%s: %s", fault.text, text);
	free(text);
	return events;
}

Test(timeline_sink, of_no_events_is_an_empty_array)
{
	json_t *events = close_good(open_good("t"), "t");
	cr_expect_eq(json_array_size(events), 0);
	json_decref(events);
}

static void emit_start(void)
{
	events_emit(&stream, (struct event){.type = EVENT_RUN_STARTED, .pid = 50, .run_started = {"d", 1, 1, 1, 16}});
}

static struct event of_worker(enum event_type type)
{
	return (struct event){.type = type, .has_worker = true, .worker = 3, .pid = 77, .incarnation = 2};
}

Test(timeline_sink, keeps_texts_of_any_kind_in_its_strings)
{
	static const char text[] = "quote \" backslash \\ newline \n byte \xff tab \t größe";
	struct timeline *timeline = open_good("t");
	emit_start();
	events_emit(&stream, (struct event){.type = EVENT_NOTE, .note = {text}});
	events_emit(&stream, of_worker(EVENT_WORKER_FORKED));
	struct event lost = of_worker(EVENT_WORKER_LOST);
	lost.worker_lost.cause = "death";
	lost.worker_lost.text = text;
	events_emit(&stream, lost);
	json_t *events = close_good(timeline, "t");
	size_t found = 0, index;
	json_t *event;
	json_array_foreach(events, index, event)
	{
		const char *shown = json_string_value(json_object_get(json_object_get(event, "args"), "text"));
		found += shown != NULL && strstr(shown, "quote \" backslash \\ newline \\x0A byte \\xFF") != NULL;
	}
	cr_expect_eq(found, 2);
	json_decref(events);
}

/* Times that a worker tells may be anything that lies between question and answer. */
Test(timeline_sink, lets_no_slices_overlap_whatever_times_are_told)
{
	struct timeline *timeline = open_good("t");
	emit_start();
	events_emit(&stream, of_worker(EVENT_WORKER_FORKED));
	for (uint32_t epoch = 1; epoch < 5; epoch++) {
		struct event sent = of_worker(EVENT_PARAMS_SENT), received = of_worker(EVENT_GRADIENT_RECEIVED);
		sent.epoch = received.epoch = epoch;
		sent.round.round = received.round.round = epoch;
		received.round.times = (struct worker_times){1000 * (5 - epoch), 5000, 9000 - epoch};
		events_emit(&stream, sent);
		events_emit(&stream, received);
	}
	events_emit(&stream, of_worker(EVENT_WORKER_EXITED));
	json_t *events = close_good(timeline, "t");
	double end = 0;
	size_t index;
	json_t *event;
	json_array_foreach(events, index, event)
	{
		if (json_integer_value(json_object_get(event, "pid")) != 77 ||
		        strcmp(json_string_value(json_object_get(event, "ph")), "X") != 0)
			continue;
		double begin = json_number_value(json_object_get(event, "ts"));
		cr_expect_geq(begin, end - 1e-9);
		end = begin + json_number_value(json_object_get(event, "dur"));
	}
	cr_expect_gt(end, 0);
	json_decref(events);
}

Test(timeline_sink, survives_events_of_processes_it_has_not_seen)
{
	struct timeline *timeline = open_good("t");
	emit_start();
	for (int type = 0; type < EVENT_TYPE_COUNT; type++) {
		struct event event = of_worker((enum event_type)type);
		static const struct fault fault = {.kind = FAULT_KILL, .site = SITE_COMPUTE};
		static const struct call call = {.kind = CALL_POLL};
		if (type == EVENT_FAULT_FIRED)
			event.fault_fired.fault = &fault;
		else if (type == EVENT_NOTE)
			event.note.text = "";
		else if (type == EVENT_CALL_MADE)
			event.call_made.call = &call;
		else if (type == EVENT_RUN_ENDED)
			event.run_ended.outcome = "failed";
		else if (type == EVENT_WORKER_LOST)
			event.worker_lost.cause = event.worker_lost.text = "death";
		if (type != EVENT_WORKER_FORKED)
			events_emit(&stream, event);
	}
	json_decref(close_good(timeline, "t"));
}

Test(timeline_sink, reports_a_line_that_was_lost_and_leaves_the_device_alone)
{
	struct error error = {0};
	struct timeline *timeline = open_good("/dev/full");
	emit_start();
	cr_expect_not(timeline_close(timeline, &error));
	cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
	cr_expect_str_eq(error.message, "cannot write /dev/full: No space left on device");
	cr_expect_eq(access("/dev/full", F_OK), 0);
}
