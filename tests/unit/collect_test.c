#include "coordinator/collect.h"

#include "common/clock.h"
#include "tests/unit/collect_round.h"
#include "tests/unit/leftovers.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

static struct round current;

TestSuite(collect, .init = round_set_up, .timeout = 60);

static void sleep_ms(long milliseconds)
{
	nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

static void wait_readable(const struct slot *slot)
{
	struct pollfd entry = {.fd = slot->process.up, .events = POLLIN};
	cr_assert_eq(poll(&entry, 1, 20000), 1);
}

Test(collect, takes_an_answer)
{
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	answer_encode(&answer, &says);
	struct happening happening = round_play(&current, &says, FAKE_OBEYS, 0, ROUND_LONG_S);
	round_expect_answer(&happening, 0);
	round_finish(&current);
	wire_buffer_release(&says);
}

Test(collect, takes_an_answer_byte_by_byte)
{
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	answer_encode(&answer, &says);
	round_begin(&current, 1, ROUND_LONG_S);
	struct fake_script script = {.bytes = says.bytes, .length = says.length, .piece = 1, .ending = FAKE_OBEYS};
	fake_worker_start(&current.pool, &current.pool.slots[0], &script);
	round_ask(&current, 0);
	struct happening happening = round_next(&current);
	round_expect_answer(&happening, 0);
	round_finish(&current);
	wire_buffer_release(&says);
}

Test(collect, takes_answers_of_all_workers_in_any_order)
{
	enum { WORKERS = 5 };
	struct wire_buffer says[WORKERS] = {{0}};
	bool answered[WORKERS] = {false};
	round_begin(&current, WORKERS, ROUND_LONG_S);
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct answer answer = answer_right();
		answer.header.worker = i;
		answer_encode(&answer, &says[i]);
		round_start(&current, i, &says[i], FAKE_OBEYS, 0);
	}
	for (uint32_t i = 0; i < WORKERS; i++)
		round_ask(&current, WORKERS - 1 - i);
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct happening happening = round_next(&current);
		cr_assert_eq(happening.type, HAPPENING_GRADIENT);
		cr_expect_not(answered[happening.slot->index]);
		answered[happening.slot->index] = true;
		round_expect_answer(&happening, happening.slot->index);
	}
	round_finish(&current);
	for (uint32_t i = 0; i < WORKERS; i++)
		wire_buffer_release(&says[i]);
}

Test(collect, takes_the_answer_to_an_assignment)
{
	static const double row[ROUND_FEATURES + 1] = {1, -2, 3};
	struct wire_buffer says = {0};
	uint32_t columns[ROUND_FEATURES + 1] = {0, 1, 2};
	double centre[ROUND_FEATURES + 1] = {0};
	const struct frame_header header = {.round = ROUND_NUMBER};
	const struct ready ready = {.rows = 10, .skipped = 2, .first_row_count = ROUND_FEATURES + 1, .first_row = row};
	const struct assignment assignment = {
	        .dataset = {.path = "d.csv", .features = ROUND_FEATURES, .columns = columns}, .centre = centre};
	struct error error;
	cr_assert(wire_encode_ready(&says, &header, &ready));
	round_begin(&current, 1, ROUND_LONG_S);
	round_start(&current, 0, &says, FAKE_OBEYS, 0);
	cr_assert(pool_ask_to_load(&current.pool, &current.pool.slots[0], &assignment, &error));
	cr_expect_eq(current.pool.slots[0].state, SLOT_LOADING);
	struct happening happening = round_next(&current);
	cr_assert_eq(happening.type, HAPPENING_READY);
	cr_expect(happening.slot->ready.rows == 10 && happening.slot->ready.skipped == 2);
	cr_expect_arr_eq(happening.slot->first_row, row, sizeof row);
	cr_expect_eq(happening.slot->state, SLOT_IDLE);
	round_finish(&current);
	wire_buffer_release(&says);
}

Test(collect, tells_what_a_worker_gave_up_with_whatever_its_round)
{
	struct wire_buffer says = {0};
	const struct frame_header header = {.round = ROUND_NUMBER - 3};
	const struct worker_error found = {STAGE_DATASET, 0, 1234, 5, "'abc' is not a number"};
	cr_assert(wire_encode_error(&says, &header, &found));
	struct happening happening = round_play(&current, &says, FAKE_EXITS, 10, ROUND_LONG_S);
	round_expect_loss(&current, &happening, LOSS_GAVE_UP, "");
	cr_expect_eq(happening.loss.error.stage, STAGE_DATASET);
	cr_expect(happening.loss.error.offset == 1234 && happening.loss.error.column == 5);
	cr_expect_str_eq(happening.loss.error.text, "'abc' is not a number");
	pool_bury(&current.pool, happening.slot, &happening.loss);
	cr_expect_not(happening.loss.killed);
	round_finish(&current);
	wire_buffer_release(&says);
}

Test(collect, takes_two_frames_that_came_at_once_one_by_one)
{
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	const struct worker_error given_up = {STAGE_SYSTEM, 0, -1, -1, "no more"};
	answer_encode(&answer, &says);
	cr_assert(wire_encode_error(&says, &answer.header, &given_up));
	struct happening happening = round_play(&current, &says, FAKE_HANGS, 0, ROUND_LONG_S);
	round_expect_answer(&happening, 0);
	happening = round_next(&current);
	round_expect_loss(&current, &happening, LOSS_GAVE_UP, "");
	cr_expect_str_eq(happening.loss.error.text, "no more");
	round_finish(&current);
	wire_buffer_release(&says);
}

/* Catches the mutation any_phase. */
Test(collect, takes_one_answer_to_one_question)
{
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	answer_encode(&answer, &says);
	answer_encode(&answer, &says);
	struct happening happening = round_play(&current, &says, FAKE_HANGS, 0, ROUND_LONG_S);
	round_expect_answer(&happening, 0);
	happening = round_next(&current);
	round_expect_loss(&current, &happening, LOSS_PROTOCOL, "a frame of type GRADIENT out of phase");
	round_finish(&current);
	wire_buffer_release(&says);
}

/* Catches the mutation death_before_drain. */
Test(collect, takes_the_last_answer_of_a_dead_worker_before_its_death)
{
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	siginfo_t ended;
	answer_encode(&answer, &says);
	round_begin(&current, 1, ROUND_LONG_S);
	round_start(&current, 0, &says, FAKE_EXITS, 11);
	struct process *process = &current.pool.slots[0].process;
	round_ask(&current, 0);
	cr_assert_eq(waitid(P_PID, (id_t)process->pid, &ended, WEXITED | WNOWAIT), 0); /* dead for certain */
	struct happening happening = round_next(&current);
	round_expect_answer(&happening, 0);
	happening = round_next(&current);
	round_expect_loss(&current, &happening, LOSS_DEATH, "");
	round_finish(&current);
	wire_buffer_release(&says);
}

Test(collect, lets_the_others_answer_when_one_has_died)
{
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	answer.header.worker = 1;
	answer_encode(&answer, &says);
	round_begin(&current, 2, ROUND_LONG_S);
	round_start(&current, 0, NULL, FAKE_IS_KILLED, SIGKILL);
	round_start(&current, 1, &says, FAKE_OBEYS, 0);
	round_ask(&current, 0);
	round_ask(&current, 1);
	bool lost = false, answered = false;
	for (int i = 0; i < 2; i++) {
		struct happening happening = round_next(&current);
		if (happening.type == HAPPENING_LOST) {
			cr_expect_eq(happening.slot->index, 0);
			pool_bury(&current.pool, happening.slot, &happening.loss);
			lost = true;
		} else {
			round_expect_answer(&happening, 1);
			answered = true;
		}
	}
	cr_expect(lost && answered);
	round_finish(&current);
	wire_buffer_release(&says);
}

static double seconds_since(uint64_t began_ns)
{
	return (double)(clock_now_ns() - began_ns) * 1e-9;
}

Test(collect, misses_an_answer_at_its_deadline)
{
	static const enum fake_ending endings[] = {FAKE_HANGS, FAKE_IS_STOPPED};
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		uint64_t began = clock_now_ns();
		struct happening happening = round_play(&current, NULL, endings[i], 0, ROUND_SHORT_S);
		double took = seconds_since(began);
		cr_assert_eq(happening.type, HAPPENING_LOST);
		cr_expect_eq(happening.loss.cause, LOSS_DEADLINE);
		cr_expect(took >= ROUND_SHORT_S && took < 10, "%g s", took);
		char *unit;
		cr_expect_geq(strtod(happening.loss.detail, &unit), ROUND_SHORT_S);
		cr_expect_str_eq(unit, " s");
		pool_bury(&current.pool, happening.slot, &happening.loss);
		cr_expect(happening.loss.killed);
		cr_expect(no_child_is_left());
		round_finish(&current);
	}
}

Test(collect, misses_an_answer_that_stays_a_part)
{
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	answer_encode(&answer, &says);
	says.length -= 8;
	struct happening happening = round_play(&current, &says, FAKE_HANGS, 0, ROUND_SHORT_S);
	cr_assert_eq(happening.type, HAPPENING_LOST);
	cr_expect_eq(happening.loss.cause, LOSS_DEADLINE);
	round_finish(&current);
	wire_buffer_release(&says);
}

/* A dataset takes its time to be read, beside the time for an answer. */
Test(collect, adds_a_pass_over_the_dataset_to_the_deadline)
{
	round_begin(&current, 1, ROUND_SHORT_S);
	current.pool.pass_ns = 200000000;
	round_start(&current, 0, NULL, FAKE_HANGS, 0);
	uint64_t began = clock_now_ns();
	round_ask(&current, 0);
	struct happening happening = round_next(&current);
	cr_expect_eq(happening.loss.cause, LOSS_DEADLINE);
	cr_expect_geq(seconds_since(began), ROUND_SHORT_S + 0.2);
	round_finish(&current);
}

static void on_alarm(int number)
{
	(void)number;
}

/* Catches the mutation deadline_begins_anew. */
Test(collect, keeps_to_the_deadline_under_a_storm_of_signals, .timeout = 15)
{
	struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART: poll() gives EINTR */
	const struct itimerval storm = {{0, 3000}, {0, 3000}}, calm = {{0, 0}, {0, 0}};
	uint64_t began = clock_now_ns();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &storm, NULL);
	struct happening happening = round_play(&current, NULL, FAKE_HANGS, 0, ROUND_SHORT_S);
	double took = seconds_since(began);
	setitimer(ITIMER_REAL, &calm, NULL);
	cr_assert_eq(happening.type, HAPPENING_LOST);
	cr_expect_eq(happening.loss.cause, LOSS_DEADLINE);
	cr_expect(took >= ROUND_SHORT_S && took < 10, "%g s", took);
	round_finish(&current);
}

/* The coordinator was paused, not the worker: its answer is there. Catches the mutation deadline_before_answer. */
Test(collect, counts_an_answer_that_waits_beyond_the_deadline)
{
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	answer_encode(&answer, &says);
	round_begin(&current, 2, ROUND_SHORT_S);
	round_start(&current, 0, &says, FAKE_OBEYS, 0);
	round_start(&current, 1, NULL, FAKE_HANGS, 0);
	round_ask(&current, 0);
	round_ask(&current, 1);
	wait_readable(&current.pool.slots[0]);
	sleep_ms(200);
	struct happening happening = round_next(&current);
	round_expect_answer(&happening, 0);
	happening = round_next(&current);
	cr_assert_eq(happening.type, HAPPENING_LOST);
	cr_expect(happening.slot->index == 1 && happening.loss.cause == LOSS_DEADLINE);
	round_finish(&current);
	wire_buffer_release(&says);
}

Test(collect, becomes_aware_of_signals_to_stop)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	struct wire_buffer says = {0};
	struct answer answer = answer_right();
	answer_encode(&answer, &says);
	round_begin(&current, 1, ROUND_LONG_S);
	round_start(&current, 0, &says, FAKE_OBEYS, 0);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		raise(numbers[i]);
		struct happening happening = round_next(&current);
		cr_expect_eq(happening.type, HAPPENING_INTERRUPT);
		cr_expect_null(happening.slot);
		cr_expect_eq(happening.interrupts, 1);
		nanosleep(&(struct timespec){.tv_nsec = 70000000}, NULL); /* or the next is the same wish */
	}
	round_ask(&current, 0);
	struct happening happening = round_next(&current); /* and goes on */
	round_expect_answer(&happening, 0);
	round_finish(&current);
	wire_buffer_release(&says);
}

Test(collect, does_not_take_the_death_of_a_child_for_a_signal_to_stop)
{
	round_begin(&current, 2, ROUND_LONG_S);
	round_start(&current, 0, NULL, FAKE_HANGS, 0);
	round_start(&current, 1, NULL, FAKE_EXITS, 0);
	round_ask(&current, 1);
	struct happening happening = round_next(&current);
	cr_expect_eq(happening.type, HAPPENING_LOST);
	round_finish(&current);
}
