#include "coordinator/summary.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(summary, .timeout = 10);

#define MS UINT64_C(1000000)

/* What the sink writes of the events so far. */
static struct summary summary;
static char *text;
static size_t length;

static void begin(uint64_t row_bytes)
{
	summary_init(&summary, open_memstream(&text, &length));
	cr_assert(summary.out != NULL);
	struct event event = {.type = EVENT_RUN_STARTED};
	event.run_started.row_bytes = row_bytes;
	summary_sink(&summary).handle(&summary, &event);
}

static void tell(struct event event)
{
	summary_sink(&summary).handle(&summary, &event);
}

static void load(uint64_t from_ms, uint64_t until_ms)
{
	struct event event = {.type = EVENT_WORKER_READY};
	event.worker_ready.times = (struct worker_times){from_ms * MS, from_ms * MS, until_ms * MS};
	tell(event);
}

static void ask(enum kernel kernel, uint64_t at_ms)
{
	struct event event = {.type = EVENT_PARAMS_SENT, .began_ns = at_ms * MS, .time_ns = at_ms * MS + 1};
	event.round.kernel = kernel;
	tell(event);
}

static void answer(enum kernel kernel, uint64_t waiting_ms, uint64_t received_ms, uint64_t finished_ms)
{
	struct event event = {.type = EVENT_GRADIENT_RECEIVED, .time_ns = finished_ms * MS};
	event.round.kernel = kernel;
	event.round.times = (struct worker_times){waiting_ms * MS, received_ms * MS, finished_ms * MS};
	tell(event);
}

static void finish_epoch(uint32_t epoch, uint64_t at_ms)
{
	tell((struct event){.type = EVENT_EPOCH_DONE, .epoch = epoch, .time_ns = at_ms * MS});
}

static void expect_line(bool trained, uint64_t rows, const char *line)
{
	struct event event = {.type = EVENT_RUN_ENDED};
	event.run_ended.trained = trained;
	event.run_ended.rows = rows;
	tell(event);
	fclose(summary.out);
	cr_expect_str_eq(text, line);
	free(text);
}

/* 1,000 rows of 16 bytes, twice in 80 ms. */
Test(summary, counts_epochs_and_their_bytes_and_shares_the_workers_time)
{
	begin(16);
	load(0, 10);
	ask(KERNEL_GRADIENT, 20);
	answer(KERNEL_GRADIENT, 10, 20, 50);
	finish_epoch(1, 50);
	ask(KERNEL_GRADIENT, 60);
	answer(KERNEL_GRADIENT, 50, 60, 100);
	finish_epoch(2, 100);
	expect_line(true, 1000, "0.0004 GB/s, 25 epochs/s; the workers computed 70 %, waited 20 %, loaded 10 %\n");
}

Test(summary, measures_epochs_from_the_first_of_their_questions_on)
{
	begin(8);
	ask(KERNEL_MEANS, 0);
	answer(KERNEL_MEANS, 0, 0, 90);
	ask(KERNEL_GRADIENT, 90);
	answer(KERNEL_GRADIENT, 90, 95, 100);
	finish_epoch(1, 100);
	expect_line(true, 1000000, "0.8 GB/s, 100 epochs/s; the workers computed 95 %, waited 5 %, loaded 0 %\n");
}

Test(summary, adds_up_the_time_of_all_workers)
{
	begin(8);
	load(0, 30);
	load(0, 10);
	answer(KERNEL_MEANS, 10, 30, 70);
	answer(KERNEL_MEANS, 30, 30, 30);
	expect_line(true, 10, "the workers computed 40 %, waited 20 %, loaded 40 %\n");
}

Test(summary, tells_no_speed_without_an_epoch)
{
	begin(8);
	load(0, 10);
	expect_line(true, 10, "the workers computed 0 %, waited 0 %, loaded 100 %\n");
}

Test(summary, is_silent_where_nothing_happened)
{
	begin(8);
	expect_line(true, 10, "");
}

Test(summary, leaves_the_word_to_the_error_when_training_failed)
{
	begin(8);
	load(0, 10);
	expect_line(false, 10, "");
}

/* The first of two rounds takes 20 ms, the second 15; an epoch took 20. */
Test(summary, compares_epochs_with_the_fastest_round_of_reading_alone)
{
	begin(16);
	ask(KERNEL_GRADIENT, 0);
	answer(KERNEL_GRADIENT, 0, 0, 20);
	finish_epoch(1, 20);
	for (uint32_t round = 2; round <= 3; round++) {
		struct event event = {.type = EVENT_PARAMS_SENT, .began_ns = 100 * round * MS};
		event.round.kernel = KERNEL_STREAM;
		event.round.round = round;
		tell(event);
		event.began_ns += MS; /* a second worker's */
		tell(event);
		answer(KERNEL_STREAM, 20, 100 * round, 100 * round + 10);
		answer(KERNEL_STREAM, 20, 100 * round, 100 * round + (round == 2 ? 20 : 15));
	}
	expect_line(true, 1000000,
	        "0.8 GB/s, 75 % of the 1.07 GB/s of reading alone, 50 epochs/s; "
	        "the workers computed 100 %, waited 0 %, loaded 0 %\n");
}
