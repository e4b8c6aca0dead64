#include "common/fault.h"
#include "coordinator/event_log.h"

#include "tests/unit/config_reading.h"

#include <criterion/criterion.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(event_log, .init = scratch_enter, .fini = scratch_leave, .timeout = 20);

enum { KILLED_BY_SIGKILL = 9, EXITED_WITH_10 = 10 << 8 };

static const struct fault fired = {
        .kind = FAULT_FLIP, .site = SITE_GRADIENT_WRITE, .byte = 40, .bit = 3, .ms = FAULT_ANY, .code = FAULT_ANY};

/* An event of every type, and the line that it becomes, without its first key, "t". */
struct example {
	struct event event;
	char line[320];
};

static const struct example examples[] = {
        {{.type = EVENT_RUN_STARTED, .pid = 76, .run_started = {"größe \"d\".csv", 3, 4000000000, 1234, 16}},
                "{\"event\":\"run_started\",\"epoch\":0,\"pid\":76,\"dataset\":\"größe \\\"d\\\".csv\",\"bytes\":1234,"
                "\"workers\":3,\"epochs\":4000000000}"},
        {{.type = EVENT_WORKER_FORKED, .has_worker = true, .worker = 2, .pid = 77, .incarnation = 1},
                "{\"event\":\"worker_forked\",\"epoch\":0,\"worker\":2,\"pid\":77,\"incarnation\":1}"},
        {{.type = EVENT_ASSIGN_SENT, .has_worker = true, .pid = 77, .assign_sent = {8, {5, 9}, {0, 0}, {0, 0}}},
                "{\"event\":\"assign_sent\",\"epoch\":0,\"worker\":0,\"pid\":77,\"incarnation\":0,\"round\":8,"
                "\"first_leaf\":5,\"leaves\":4}"},
        {{.type = EVENT_WORKER_READY,
                 .has_worker = true,
                 .pid = 77,
                 .worker_ready = {8, 10, 2, {5, 9}, {250000000, 500000000, 501500000}, 1750000}},
                "{\"event\":\"worker_ready\",\"epoch\":0,\"worker\":0,\"pid\":77,\"incarnation\":0,\"round\":8,"
                "\"rows\":10,\"skipped\":2,\"first_leaf\":5,\"leaves\":4,\"waiting_t\":0.25,\"received_t\":0.5,"
                "\"finished_t\":0.5015,\"busy_ms\":1.5,\"round_trip_ms\":1.75}"},
        {{.type = EVENT_PARAMS_SENT,
                 .epoch = 4,
                 .has_worker = true,
                 .pid = 77,
                 .round = {.kernel = KERNEL_CURVATURE, .round = 9}},
                "{\"event\":\"params_sent\",\"epoch\":4,\"worker\":0,\"pid\":77,\"incarnation\":0,\"round\":9,"
                "\"kernel\":\"curvature\"}"},
        {{.type = EVENT_GRADIENT_RECEIVED,
                 .epoch = 4,
                 .has_worker = true,
                 .pid = 77,
                 .round = {KERNEL_GRADIENT, 9, {1000000, 2000000, 2250000}, 1000000}},
                "{\"event\":\"gradient_received\",\"epoch\":4,\"worker\":0,\"pid\":77,\"incarnation\":0,"
                "\"waiting_t\":0.001,\"received_t\":0.002,\"finished_t\":0.00225,"
                "\"busy_ms\":0.25,\"round_trip_ms\":1.0,\"round\":9,\"kernel\":\"gradient\"}"},
        {{.type = EVENT_WORKER_LOST,
                 .epoch = 4,
                 .has_worker = true,
                 .pid = 77,
                 .worker_lost = {"death", "it was killed", KILLED_BY_SIGKILL}},
                "{\"event\":\"worker_lost\",\"epoch\":4,\"worker\":0,\"pid\":77,\"incarnation\":0,"
                "\"cause\":\"death\",\"signal\":9,\"text\":\"it was killed\"}"},
        {{.type = EVENT_WORKER_REPLACED, .epoch = 4, .has_worker = true, .pid = 78, .worker_replaced = {1500000}},
                "{\"event\":\"worker_replaced\",\"epoch\":4,\"worker\":0,\"pid\":78,\"incarnation\":0,"
                "\"took_ms\":1.5}"},
        {{.type = EVENT_WORKER_LATE, .epoch = 4, .has_worker = true, .pid = 77, .worker_late = {2500000, 5}},
                "{\"event\":\"worker_late\",\"epoch\":4,\"worker\":0,\"pid\":77,\"incarnation\":0,"
                "\"waited_ms\":2.5,\"backup\":5}"},
        {{.type = EVENT_WORKER_STOPPED, .epoch = 4, .has_worker = true, .pid = 77, .worker_stopped = {19}},
                "{\"event\":\"worker_stopped\",\"epoch\":4,\"worker\":0,\"pid\":77,\"incarnation\":0,"
                "\"signal\":19}"},
        {{.type = EVENT_WORKER_CONTINUED, .epoch = 4, .has_worker = true, .pid = 77},
                "{\"event\":\"worker_continued\",\"epoch\":4,\"worker\":0,\"pid\":77,\"incarnation\":0}"},
        {{.type = EVENT_RUN_RESUMED, .epoch = 7, .run_resumed = {"state"}},
                "{\"event\":\"run_resumed\",\"epoch\":7,\"path\":\"state\"}"},
        {{.type = EVENT_CHECKPOINT_WRITTEN, .epoch = 7, .checkpoint_written = {"state"}},
                "{\"event\":\"checkpoint_written\",\"epoch\":7,\"path\":\"state\"}"},
        {{.type = EVENT_STOP_SENT, .epoch = 7, .has_worker = true, .worker = 1, .pid = 77},
                "{\"event\":\"stop_sent\",\"epoch\":7,\"worker\":1,\"pid\":77,\"incarnation\":0}"},
        {{.type = EVENT_FAULT_FIRED, .epoch = 3, .fault_fired = {&fired}},
                "{\"event\":\"fault_fired\",\"epoch\":3,"
                "\"kind\":\"flip\",\"site\":\"gradient.write\",\"byte\":40,\"bit\":3}"},
        {{.type = EVENT_WORKER_EXITED, .has_worker = true, .pid = 77, .worker_exited = {EXITED_WITH_10, true}},
                "{\"event\":\"worker_exited\",\"epoch\":0,\"worker\":0,\"pid\":77,\"incarnation\":0,"
                "\"exit_status\":10,\"forced\":true}"},
        {{.type = EVENT_EPOCH_DONE, .epoch = 1, .epoch_done = {0.1, 1e-9}},
                "{\"event\":\"epoch_done\",\"epoch\":1,\"loss\":0.1,\"gradient\":1e-9}"},
        {{.type = EVENT_EPOCH_DONE, .epoch = 2, .epoch_done = {INFINITY, NAN}},
                "{\"event\":\"epoch_done\",\"epoch\":2,\"loss\":null,\"gradient\":null}"},
        {{.type = EVENT_NOTE, .note = {"two\nlines"}}, "{\"event\":\"note\",\"epoch\":0,\"text\":\"two\\nlines\"}"},
        {{.type = EVENT_RUN_ENDED, .epoch = 50, .run_ended = {true, "tolerance", 0, 50, 1000}},
                "{\"event\":\"run_ended\",\"epoch\":50,\"outcome\":\"tolerance\",\"exit_code\":0,\"epochs\":50,"
                "\"rows\":1000}"},
};

enum { EXAMPLES = sizeof examples / sizeof *examples };

static struct event_log *open_good(const char *path, struct event_stream *stream)
{
	struct error error = {0};
	struct event_log *log = event_log_open(path, &error);
	cr_assert(log != NULL, "%s", error.message);
	events_init(stream);
	events_add_sink(stream, event_log_sink(log));
	return log;
}

static void emit_all(const struct event_stream *stream)
{
	for (size_t i = 0; i < EXAMPLES; i++)
		events_emit(stream, examples[i].event);
}

Test(event_log, holds_a_line_of_json_for_each_event)
{
	struct event_stream stream;
	struct error error;
	struct event_log *log = open_good("events.jsonl", &stream);
	emit_all(&stream);
	cr_assert(event_log_close(log, &error));
	char *text = read_file("events.jsonl");
	char *at = text;
	double before = 0;
	for (size_t i = 0; i < EXAMPLES; i++) {
		char *end = strchr(at, '\n');
		cr_assert(end != NULL, "%zu lines only", i);
		*end = '\0';
		json_error_t fault;
		json_t *line = json_loads(at, JSON_REJECT_DUPLICATES, &fault);
		cr_assert(line != NULL, "%s: %s", fault.text, at);
		double time = json_real_value(json_object_get(line, "t"));
		cr_expect(time >= before && time < 20, "%s", at);
		before = time;
		cr_assert_eq(strncmp(at, "{\"t\":", 5), 0);
		char *rest = strchr(at, ',');
		*rest = '{';
		cr_expect_str_eq(rest, examples[i].line);
		json_decref(line);
		at = end + 1;
	}
	cr_expect_eq(*at, '\0');
	free(text);
}

Test(event_log, has_every_type_of_event_among_these_tests)
{
	bool seen[EVENT_TYPE_COUNT] = {false};
	for (size_t i = 0; i < EXAMPLES; i++)
		seen[examples[i].event.type] = true;
	for (int type = 0; type < EVENT_TICK; type++)
		cr_expect(seen[type] != event_type_is_detail((enum event_type)type), "%s",
		        event_type_name((enum event_type)type));
}

Test(event_log, does_not_note_that_nothing_happens)
{
	struct event_stream stream;
	struct error error;
	struct event_log *log = open_good("events.jsonl", &stream);
	events_emit(&stream, (struct event){.type = EVENT_TICK});
	cr_assert(event_log_close(log, &error));
	char *text = read_file("events.jsonl");
	cr_expect_str_eq(text, "");
	free(text);
}

Test(event_log, names_every_kernel)
{
	static const char kernels[KERNEL_COUNT][16] = {
	        "means", "moments", "gradient", "curvature", "metrics", "stream", "residuals", "sample"};
	struct event_stream stream;
	struct error error;
	struct event_log *log = open_good("events.jsonl", &stream);
	for (int kernel = 0; kernel < KERNEL_COUNT; kernel++)
		events_emit(
		        &stream, (struct event){.type = EVENT_PARAMS_SENT, .round = {.kernel = (enum kernel)kernel}});
	cr_assert(event_log_close(log, &error));
	char *text = read_file("events.jsonl"), *at = text;
	for (int kernel = 0; kernel < KERNEL_COUNT; kernel++) {
		char wanted[48];
		snprintf(wanted, sizeof wanted, "\"kernel\":\"%.16s\"}\n", kernels[kernel]);
		at = strstr(at, wanted);
		cr_assert(at != NULL, "no %s", wanted);
	}
	free(text);
}

/* Who follows the file sees what has happened; only the many lines of a round may wait. */
Test(event_log, can_be_followed_while_it_is_written)
{
	struct event_stream stream;
	struct error error;
	struct stat status;
	struct event_log *log = open_good("events.jsonl", &stream);
	events_emit(&stream, (struct event){.type = EVENT_PARAMS_SENT});
	events_emit(&stream, (struct event){.type = EVENT_EPOCH_DONE});
	cr_assert_eq(stat("events.jsonl", &status), 0);
	char *text = read_file("events.jsonl");
	cr_expect(strstr(text, "epoch_done") != NULL && text[strlen(text) - 1] == '\n');
	free(text);
	cr_expect(event_log_close(log, &error));
}

Test(event_log, empties_a_file_that_is_there)
{
	struct event_stream stream;
	struct error error;
	write_file("events.jsonl", "old", 3);
	struct event_log *log = open_good("events.jsonl", &stream);
	cr_assert(event_log_close(log, &error));
	char *text = read_file("events.jsonl");
	cr_expect_str_eq(text, "");
	free(text);
}

Test(event_log, reports_that_it_cannot_be_opened)
{
	struct error error;
	cr_expect_null(event_log_open("no/such/directory.jsonl", &error));
	cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
	cr_expect_str_eq(error.message, "cannot write no/such/directory.jsonl: No such file or directory");
}

Test(event_log, reports_a_line_that_was_lost)
{
	/* Of a round's many lines the last may fill the disk, or the first. */
	static const enum event_type types[] = {EVENT_EPOCH_DONE, EVENT_PARAMS_SENT};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		struct event_stream stream;
		struct error error = {0};
		struct event_log *log = open_good("/dev/full", &stream);
		events_emit(&stream, (struct event){.type = types[i]});
		cr_expect_not(event_log_close(log, &error));
		cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
		cr_expect_str_eq(error.message, "cannot write /dev/full: No space left on device");
	}
}

Test(event_log, says_no_more_once_a_line_was_lost)
{
	struct event_stream stream;
	struct error error = {0};
	struct event_log *log = open_good("/dev/full", &stream);
	for (int i = 0; i < 3; i++)
		emit_all(&stream);
	cr_expect_not(event_log_close(log, &error));
	cr_expect_eq(error.code, EXIT_OUTPUT_FAILED);
}
