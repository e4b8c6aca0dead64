/* For posix_openpt. */
#define _XOPEN_SOURCE 700
#include "coordinator/progress.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

TestSuite(progress, .timeout = 10);

#define SECOND_NS UINT64_C(1000000000)

/* A progress that writes into memory, and a clock that the test sets. */
static struct progress progress;
static char *text;
static size_t length;
static FILE *out;

static void begin(bool animated, bool colour)
{
	out = open_memstream(&text, &length);
	cr_assert(out != NULL);
	progress_init(&progress, out, animated ? PROGRESS_BAR : PROGRESS_LINES, colour);
}

static void finish(void)
{
	fclose(out);
	free(text);
}

static void tell(struct event event, double seconds)
{
	struct event_sink sink = progress_sink(&progress);
	event.time_ns = (uint64_t)(seconds * 1e9);
	sink.handle(sink.context, &event);
}

static void start_run(uint64_t epochs, uint32_t workers)
{
	tell((struct event){.type = EVENT_RUN_STARTED, .run_started = {"d.csv", workers, epochs, 100, 16}}, 0);
}

static void do_epoch(uint32_t epoch, double seconds)
{
	tell((struct event){.type = EVENT_EPOCH_DONE, .epoch = epoch, .epoch_done = {0.5, 0.1}}, seconds);
}

static void end_run(bool trained, uint64_t rows, uint64_t epochs, double seconds)
{
	struct event event = {.type = EVENT_RUN_ENDED};
	event.run_ended.trained = trained;
	event.run_ended.rows = rows;
	event.run_ended.epochs = epochs;
	tell(event, seconds);
}

static void expect_text(const char *expected)
{
	fflush(out);
	cr_expect_str_eq(text, expected);
}

static size_t count_of(const char *part)
{
	size_t count = 0;
	fflush(out);
	for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
		count++;
	return count;
}

Test(progress, is_a_line_every_five_seconds_where_nothing_moves)
{
	begin(false, false);
	start_run(100, 2);
	do_epoch(1, 1);
	do_epoch(2, 2);
	do_epoch(5, 5.999);
	expect_text("");
	do_epoch(6, 6);
	expect_text("epoch 6/100  loss 0.5  1 epochs/s\n");
	do_epoch(7, 10.5);
	do_epoch(51, 11);
	expect_text("epoch 6/100  loss 0.5  1 epochs/s\nepoch 51/100  loss 0.5  5 epochs/s\n");
	finish();
}

Test(progress, ends_with_a_line_that_counts)
{
	begin(false, false);
	start_run(100, 2);
	end_run(true, 53940, 6379, 2.4257);
	expect_text("53940 rows, 2 workers, 6379 epochs in 2.426 s\n");
	finish();
}

Test(progress, counts_one_row_and_one_worker)
{
	begin(false, false);
	start_run(100, 1);
	end_run(true, 1, 20, 0.5);
	expect_text("1 row, 1 worker, 20 epochs in 0.500 s\n");
	finish();
}

Test(progress, leaves_the_word_to_the_error_when_training_failed)
{
	begin(false, false);
	start_run(100, 2);
	end_run(false, 0, 3, 2);
	expect_text("");
	finish();
}

Test(progress, passes_notes_on)
{
	begin(false, false);
	tell((struct event){.type = EVENT_NOTE, .note = {"3 rows with missing values left out"}}, 1);
	expect_text("coordinator: note: 3 rows with missing values left out\n");
	finish();
}

Test(progress, passes_on_no_character_that_a_terminal_obeys)
{
	begin(false, false);
	tell((struct event){.type = EVENT_NOTE, .note = {"there is no checkpoint a\nb\033[2J yet"}}, 1);
	tell((struct event){.type = EVENT_RUN_RESUMED, .epoch = 7, .run_resumed = {"a\rb"}}, 2);
	expect_text("coordinator: note: there is no checkpoint a\\x0Ab\\x1B[2J yet\n"
	            "coordinator: resumed from a\\x0Db at epoch 7\n");
	finish();
}

Test(progress, says_nothing_of_what_happens_all_the_time)
{
	static const enum event_type types[] = {EVENT_WORKER_FORKED, EVENT_WORKER_READY, EVENT_PARAMS_SENT,
	        EVENT_GRADIENT_RECEIVED, EVENT_WORKER_EXITED};
	begin(false, false);
	start_run(10, 1);
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		tell((struct event){.type = types[i], .has_worker = true}, 100);
	expect_text("");
	finish();
}

Test(progress, on_a_terminal_is_one_line_that_is_painted_over)
{
	begin(true, false);
	start_run(100, 2);
	do_epoch(1, 1);
	do_epoch(25, 3);
	do_epoch(26, 3.01); /* too soon after the last */
	do_epoch(50, 5);
	cr_expect_eq(count_of("\n"), 0);
	cr_expect_eq(count_of("epoch "), 2);
	cr_expect_eq(count_of("epoch 25/100  loss 0.5  12 epochs/s"), 1);
	cr_expect_eq(count_of("0:06 left"), 1); /* 75 epochs at 12 a second */
	cr_expect_eq(count_of("epoch 50/100"), 1);
	cr_expect_eq(count_of("\033[36m"), 0);
	finish();
}

Test(progress, fills_its_bar_as_epochs_are_done)
{
	size_t cells = 0;
	for (uint32_t epoch = 0; epoch <= 100; epoch += 25) {
		begin(true, true);
		start_run(100, 2);
		do_epoch(1, 1);
		do_epoch(epoch, 2);
		size_t full = count_of("█"), empty = count_of("░");
		cells = cells > 0 ? cells : full + empty;
		cr_expect_eq(full + empty, cells);
		cr_expect_eq(full, cells * epoch / 100);
		cr_expect_eq(count_of("\033[36m"), 1);
		finish();
	}
	cr_expect_geq(cells, 10);
}

Test(progress, takes_its_bar_off_before_others_write)
{
	begin(true, false);
	start_run(100, 2);
	do_epoch(1, 1);
	do_epoch(2, 2);
	fflush(out);
	size_t painted = length;
	tell((struct event){.type = EVENT_NOTE, .note = {"look"}}, 3);
	fflush(out);
	cr_expect_str_eq(text + painted, "\r\033[Jcoordinator: note: look\n");
	do_epoch(3, 4);
	fflush(out);
	painted = length;
	progress_clear(&progress);
	progress_clear(&progress); /* it is off already */
	cr_expect_str_eq(text + painted, "\r\033[J");
	finish();
}

Test(progress, does_not_move_in_a_file)
{
	begin(false, false);
	FILE *file = tmpfile();
	setenv("TERM", "xterm", 1);
	unsetenv("NO_COLOR");
	cr_expect_not(progress_wants_animation(file));
	cr_expect_not(progress_wants_colour(file));
	fclose(file);
	finish();
}

/* The terminal's own side, opened for writing. */
static FILE *open_terminal(int *master)
{
	*master = posix_openpt(O_RDWR | O_NOCTTY);
	if (*master < 0 || grantpt(*master) != 0 || unlockpt(*master) != 0)
		cr_skip("there are no terminals here");
	FILE *terminal = fopen(ptsname(*master), "w");
	cr_assert(terminal != NULL);
	return terminal;
}

Test(progress, moves_on_a_terminal_as_the_environment_allows)
{
	static const struct {
		char term[8], no_colour[4]; /* "-": not set */
		bool animation, colour;
	} rows[] = {
	        {"xterm", "-", true, true},
	        {"xterm", "", true, true},
	        {"xterm", "1", true, false},
	        {"dumb", "-", false, false},
	        {"-", "-", false, false},
	};
	int master;
	FILE *terminal = open_terminal(&master);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsetenv("TERM");
		unsetenv("NO_COLOR");
		if (rows[i].term[0] != '-')
			setenv("TERM", rows[i].term, 1);
		if (rows[i].no_colour[0] != '-')
			setenv("NO_COLOR", rows[i].no_colour, 1);
		cr_expect_eq(progress_wants_animation(terminal), rows[i].animation, "row %zu", i);
		cr_expect_eq(progress_wants_colour(terminal), rows[i].colour, "row %zu", i);
	}
	fclose(terminal);
	close(master);
}
