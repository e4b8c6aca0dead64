/* How a run goes: its phases as events, its notes, and its ends, good and bad. */
#include "coordinator/trainer.h"

#include "common/utf8.h"
#include "coordinator/signals.h"
#include "tests/unit/config_reading.h"
#include "tests/unit/leftovers.h"
#include "tests/unit/recorded_events.h"

#include <criterion/criterion.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct recorded_events events;
static struct training_result result;
static struct error error;

static void set_up(void)
{
	scratch_enter();
	cr_assert(signals_install(&error));
	recorded_events_init(&events);
}

static void tear_down(void)
{
	recorded_events_release(&events);
	scratch_leave();
}

TestSuite(trainer_run, .init = set_up, .fini = tear_down, .timeout = 60);

#define CONFIG "{\"dataset\": {\"path\": \"d.csv\"}}"
#define THREE_EPOCHS "training.epochs=3", "training.tolerance=0"

/* Rows on a line, nearly. */
static const char lines[] = "x,y\n1,2\n2,4.5\n3,6\n4,8.5\n5,10\n6,12\n7,14\n8,16\n";

/* Trains on the text as d.csv, with overrides (up to a NULL) of the defaults. */
static bool train(const char *text, const char *const *overrides, uint32_t workers)
{
	struct loader loader;
	size_t descriptors = descriptors_open();
	write_file("d.csv", text, strlen(text));
	struct reading reading = read_config(CONFIG, overrides);
	cr_assert(reading.ok, "%s", reading.error.message);
	cr_assert(loader_open(&loader, &reading.config, &error), "%s", error.message);
	struct checkpointer checkpointer;
	cr_assert(checkpointer_init(&checkpointer, &reading.config, &loader, workers, &events.stream, NULL, &error));
	bool trained =
	        trainer_run(&reading.config, &loader, workers, &checkpointer, &events.stream, NULL, &result, &error);
	checkpointer_release(&checkpointer);
	loader_release(&loader);
	reading_release(&reading);
	cr_expect(no_child_is_left());
	cr_expect_eq(descriptors_open(), descriptors);
	return trained;
}

static void train_well(const char *text, const char *const *overrides, uint32_t workers)
{
	cr_assert(train(text, overrides, workers), "%s", error.message);
	training_result_release(&result);
}

static void expect_failure(
        const char *text, const char *const *overrides, uint32_t workers, enum exit_code code, const char *message)
{
	cr_assert_not(train(text, overrides, workers));
	cr_expect_eq(error.code, code);
	cr_expect_str_eq(error.message, message);
	cr_expect_null(result.parameters);
}

/* Such as "params means". */
static const char *name_of(const struct event *event, char *name, size_t size)
{
	static const char *const kernels[] = {
	        "means", "moments", "gradient", "curvature", "metrics", "stream", "residuals", "sample"};
	bool round = event->type == EVENT_PARAMS_SENT || event->type == EVENT_GRADIENT_RECEIVED;
	snprintf(name, size, "%s%s%s", event_type_name(event->type), round ? " " : "",
	        round ? kernels[event->round.kernel] : "");
	return name;
}

/* The run's events in order, "name × how often in a row", without the rounds of curvature: those are up to the step. */
static void show_events(char *shown, size_t size)
{
	size_t length = 0;
	for (size_t i = 0; i < events.count;) {
		char name[48], other[48];
		size_t run = 1;
		name_of(&events.items[i].event, name, sizeof name);
		while (i + run < events.count &&
		        strcmp(name, name_of(&events.items[i + run].event, other, sizeof other)) == 0)
			run++;
		i += run;
		if (strstr(name, "curvature") == NULL)
			length += (size_t)snprintf(shown + length, size - length, "%s ×%zu\n", name, run);
	}
}

#define LOADED "assign_sent ×3\nworker_ready ×3\n"
#define LEFT "stop_sent ×3\nworker_exited ×3\n"
#define ROUND(kernel) "params_sent " kernel " ×3\ngradient_received " kernel " ×3\n"

Test(trainer_run, goes_through_its_phases_in_order)
{
	static const char *const overrides[] = {"training.epochs=2", "training.tolerance=0", NULL};
	char shown[2048];
	train_well(lines, overrides, 3);
	show_events(shown, sizeof shown);
	cr_expect_str_eq(shown, "worker_forked ×3\n" LOADED                    /* the chunks */
	                                ROUND("means") ROUND("moments") LOADED /* the centre */
	                                        ROUND("gradient") "epoch_done ×1\n" ROUND(
	                                                "gradient") "epoch_done ×1\n" ROUND("metrics") LEFT);
}

Test(trainer_run, needs_no_centre_unless_it_standardizes)
{
	static const char *const overrides[] = {
	        "training.epochs=1", "training.tolerance=0", "training.standardize=false", NULL};
	char shown[2048];
	train_well(lines, overrides, 3);
	show_events(shown, sizeof shown);
	cr_expect_str_eq(shown, "worker_forked ×3\n" LOADED ROUND("means") ROUND("moments") ROUND("moments")
	                                ROUND("gradient") "epoch_done ×1\n" ROUND("metrics") LEFT);
}

Test(trainer_run, needs_no_step_for_no_epochs)
{
	static const char *const overrides[] = {"training.epochs=0", NULL};
	char shown[2048];
	train_well(lines, overrides, 3);
	show_events(shown, sizeof shown);
	cr_expect_null(strstr(shown, "curvature"));
	cr_expect_null(strstr(shown, "gradient "));
}

Test(trainer_run, numbers_rounds_and_epochs)
{
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	uint32_t epoch = 0, round = 0;
	train_well(lines, overrides, 2);
	for (size_t i = 0; i < events.count; i++) {
		const struct event *event = &events.items[i].event;
		cr_expect_geq(event->epoch, epoch);
		if (event->type == EVENT_EPOCH_DONE)
			cr_expect_eq(event->epoch, epoch == 0 ? 1 : epoch);
		epoch = event->epoch;
		if (event->type == EVENT_PARAMS_SENT) {
			cr_expect_geq(event->round.round, round);
			round = event->round.round;
		}
		if (event->type == EVENT_GRADIENT_RECEIVED)
			cr_expect_eq(event->round.round, round);
		if (event->type == EVENT_WORKER_EXITED)
			cr_expect(event->worker_exited.status == 0 && !event->worker_exited.forced);
	}
	cr_expect_eq(epoch, 3);
}

static size_t notes_like(const char *text)
{
	size_t count = 0;
	for (size_t i = 0; i < events.count; i++)
		count += events.items[i].event.type == EVENT_NOTE && strcmp(events.items[i].text, text) == 0;
	return count;
}

Test(trainer_run, loads_again_where_fields_are_quoted)
{
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	size_t ready = 0;
	train_well("n,x,y\n\"a\nb\",\"1\",2\n\"\",\"2\",4\n\"c\n\n\nd\",\"3\",6\ne,\"4\",9\n", overrides, 2);
	for (size_t i = 0; i < events.count; i++)
		ready += events.items[i].event.type == EVENT_WORKER_READY;
	cr_expect_eq(ready, 6); /* twice the chunks, and the centre, for two workers */
	cr_expect_eq(result.rows, 4);
	cr_expect_eq(notes_like("columns left out because they are not numeric: n"), 1);
}

Test(trainer_run, notes_rows_left_out_and_constant_columns)
{
	static const char *const overrides[] = {THREE_EPOCHS, "dataset.missing=skip_row", NULL};
	train_well("x,one,y\n1,1,2\n2,1,\n3,1,6\nNA,1,8\n5,1,9\n", overrides, 2);
	cr_expect(result.rows == 3 && result.skipped == 2);
	cr_expect_eq(notes_like("2 rows with missing values left out"), 1);
	cr_expect_eq(notes_like("constant columns, from which there is nothing to learn: one"), 1);
}

Test(trainer_run, fails_at_the_first_bad_place_whoever_finds_it)
{
	static const char text[] = "x,y\n1,2\n2,3\n3,oops\n4,5\n5,6\n6,bad\n7,8\n";
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	for (uint32_t workers = 1; workers <= 7; workers++)
		expect_failure(
		        text, overrides, workers, EXIT_BAD_DATASET, "d.csv:4:3: 'oops' is not a number (column \"y\")");
}

/* The first worker comes to its bad place last, for it is at its chunk's end, and the second's at its beginning. */
Test(trainer_run, fails_at_the_first_bad_place_though_another_is_found_before)
{
	enum { LINES = 800000, LINE_BYTES = 4, MIDDLE = LINES / 2 };
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	char *text = malloc(LINES * LINE_BYTES + 1);
	cr_assert(text != NULL);
	for (size_t i = 0; i < LINES; i++)
		memcpy(text + i * LINE_BYTES, "1,2\n", LINE_BYTES);
	text[LINES * LINE_BYTES] = '\0';
	text[(MIDDLE - 5) * LINE_BYTES] = 'a';
	text[(MIDDLE + 5) * LINE_BYTES] = 'b';
	expect_failure(text, overrides, 2, EXIT_BAD_DATASET, "d.csv:399996:1: 'a' is not a number (column \"c0\")");
	free(text);
}

Test(trainer_run, says_how_to_go_on_with_missing_values)
{
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	cr_assert_not(train("x,y\n1,2\n2,\n3,4\n", overrides, 1));
	cr_expect_eq(error.code, EXIT_BAD_DATASET);
	cr_expect_eq(strncmp(error.message, "d.csv:3:3: ", 11), 0, "%s", error.message);
	cr_expect(
	        strstr(error.message, "; \"missing\": \"skip_row\" leaves such rows out") != NULL, "%s", error.message);
}

Test(trainer_run, fails_where_no_row_is_left)
{
	static const char *const overrides[] = {"dataset.missing=skip_row", NULL};
	expect_failure("x,y\n1,NA\n2,NA\n", overrides, 1, EXIT_BAD_DATASET, "d.csv: every row has a missing value");
}

Test(trainer_run, refuses_more_workers_than_rows)
{
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	expect_failure("x,y\n1,2\n2,4\n3,5\n", overrides, 4, EXIT_BAD_CONFIGURATION,
	        "run.json: workers: 4 workers are more than the 3 rows of d.csv");
}

Test(trainer_run, refuses_initial_parameters_of_another_number)
{
	static const char *const overrides[] = {"training.initial.w=[1, 2]", NULL};
	expect_failure(lines, overrides, 2, EXIT_BAD_CONFIGURATION,
	        "run.json: training.initial.w: expected 1 numbers, one for each feature, found 2");
}

Test(trainer_run, warns_of_a_step_that_is_too_long_and_says_so_when_it_diverges)
{
	static const char *const overrides[] = {"training.learning_rate=1.5", NULL};
	size_t warnings = 0, epochs = 0;
	cr_assert_not(train(lines, overrides, 2));
	cr_expect_eq(error.code, EXIT_DIVERGED);
	cr_expect(strstr(error.message, "training diverged in epoch ") == error.message, "%s", error.message);
	/* Standardized and with one feature, the Hessian is twice the identity. */
	cr_expect(strstr(error.message, ": the learning rate 1.5 is above the stable limit 1: use \"auto\" or at most "
	                                "0.5") != NULL,
	        "%s", error.message);
	for (size_t i = 0; i < events.count; i++) {
		epochs += events.items[i].event.type == EVENT_EPOCH_DONE;
		bool warning = events.items[i].event.type == EVENT_NOTE &&
		               strcmp(events.items[i].text, "training.learning_rate 1.5 is above 1, where training "
		                                            "diverges; \"auto\" would take 0.5") == 0;
		cr_expect(!warning || epochs == 0);
		warnings += warning;
	}
	cr_expect_eq(warnings, 1);
	cr_expect(epochs > 5 && epochs < 50, "%zu epochs", epochs);
}

/* What a test does in the middle of a run. */
struct interference {
	uint32_t epoch;
	pid_t pids[8];
	int signal;
	bool to_worker; /* number 1; else to the coordinator */
};

static void interfere(void *context, const struct event *event)
{
	struct interference *interference = context;
	if (event->type == EVENT_WORKER_FORKED)
		interference->pids[event->worker] = event->pid;
	if (event->type != EVENT_EPOCH_DONE || event->epoch != interference->epoch)
		return;
	if (interference->to_worker)
		kill(interference->pids[1], interference->signal);
	else
		raise(interference->signal);
}

Test(trainer_run, ends_when_a_worker_is_killed_and_says_which)
{
	static const char *const overrides[] = {
	        "training.epochs=1000", "training.tolerance=0", "recovery.policy=abort", NULL};
	struct interference interference = {.epoch = 2, .signal = SIGKILL, .to_worker = true};
	char expected[128];
	size_t lost = 0;
	events_add_sink(&events.stream, (struct event_sink){.handle = interfere, .context = &interference});
	cr_assert_not(train(lines, overrides, 3));
	snprintf(expected, sizeof expected, "worker 1 (pid %d, rows 2 to 3) was killed by SIGKILL in epoch 3",
	        (int)interference.pids[1]);
	cr_expect_eq(error.code, EXIT_WORKERS_LOST);
	cr_expect_str_eq(error.message, expected);
	for (size_t i = 0; i < events.count; i++) {
		const struct event *event = &events.items[i].event;
		if (event->type != EVENT_WORKER_LOST)
			continue;
		cr_expect(event->worker == 1 && event->pid == interference.pids[1] && event->epoch == 3);
		cr_expect_eq(event->worker_lost.status, SIGKILL);
		cr_expect_str_eq(events.items[i].text, expected);
		lost++;
	}
	cr_expect_eq(lost, 1);
}

Test(trainer_run, ends_when_a_worker_is_stopped_and_its_time_is_over)
{
	static const char *const overrides[] = {"training.epochs=1000", "training.tolerance=0",
	        "recovery.worker_timeout_s=0.2", "recovery.policy=abort", NULL};
	struct interference interference = {.epoch = 2, .signal = SIGSTOP, .to_worker = true};
	events_add_sink(&events.stream, (struct event_sink){.handle = interfere, .context = &interference});
	cr_assert_not(train(lines, overrides, 3));
	cr_expect_eq(error.code, EXIT_WORKERS_LOST);
	cr_expect(strstr(error.message, ") did not answer within 0.") != NULL, "%s", error.message);
}

Test(trainer_run, ends_with_a_result_when_it_is_interrupted)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	static const char *const overrides[] = {"training.epochs=1000000000", "training.tolerance=0", NULL};
	struct interference interference = {.epoch = 5};
	events_add_sink(&events.stream, (struct event_sink){.handle = interfere, .context = &interference});
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		interference.signal = numbers[i];
		cr_assert(train(lines, overrides, 2), "%s", error.message);
		cr_expect_eq(result.stop_reason, STOP_INTERRUPTED);
		cr_expect(result.epochs >= 5 && result.epochs < 1000, "%u epochs", result.epochs);
		cr_expect(isfinite(result.mse) && result.r2 > 0.5);
		training_result_release(&result);
		nanosleep(&(struct timespec){.tv_nsec = 70000000}, NULL); /* or the next is the same wish */
	}
}

/* Adds `count` columns whose names are long and not ASCII. */
static size_t add_long_names(char *text, size_t count)
{
	size_t length = 0;
	for (size_t i = 0; i < count; i++) {
		text[length++] = (char)('a' + i % 26);
		for (int k = 0; k < 61; k++)
			length += (size_t)sprintf(text + length, "é");
		text[length++] = ',';
	}
	return length;
}

static void expect_notes_are_utf8(void)
{
	size_t notes = 0;
	for (size_t i = 0; i < events.count; i++) {
		if (events.items[i].event.type != EVENT_NOTE)
			continue;
		notes++;
		const char *text = events.items[i].text;
		size_t length = strlen(text);
		cr_expect(length > 1000 && utf8_is_valid(text), "%zu bytes: %s", length, text);
		cr_expect_str_eq(text + length - strlen("…"), "…");
	}
	cr_expect_eq(notes, 1);
}

Test(trainer_run, cuts_no_character_in_a_message_about_a_column)
{
	char text[512];
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	size_t length = add_long_names(text, 1);
	snprintf(text + length, sizeof text - length, "y\n1,2\nbad,3\n4,5\n");
	cr_assert_not(train(text, overrides, 1));
	cr_expect(utf8_is_valid(error.message), "%s", error.message);
	cr_expect(strstr(error.message, "ééé…\")") != NULL, "%s", error.message);
}

Test(trainer_run, cuts_no_character_in_a_note_on_constant_columns)
{
	char text[4096];
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	size_t length = add_long_names(text, 12);
	length += (size_t)sprintf(text + length, "x,y\n");
	for (int row = 0; row < 4; row++)
		length += (size_t)sprintf(text + length, "1,1,1,1,1,1,1,1,1,1,1,1,%d,%d\n", row, row * row);
	train_well(text, overrides, 1);
	expect_notes_are_utf8();
}

Test(trainer_run, cuts_no_character_in_a_note_on_columns_left_out)
{
	char text[4096];
	static const char *const overrides[] = {THREE_EPOCHS, NULL};
	size_t length = add_long_names(text, 12);
	length += (size_t)sprintf(text + length, "x,y\n");
	for (int row = 0; row < 4; row++)
		length += (size_t)sprintf(text + length, "a,a,a,a,a,a,a,a,a,a,a,a,%d,%d\n", row, row * row);
	train_well(text, overrides, 1);
	expect_notes_are_utf8();
}
