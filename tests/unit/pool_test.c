#include "coordinator/pool.h"

#include "common/clock.h"
#include "coordinator/collect.h"
#include "coordinator/loader.h"
#include "coordinator/signals.h"
#include "tests/unit/config_reading.h"
#include "tests/unit/fake_worker.h"
#include "tests/unit/leftovers.h"
#include "tests/unit/npy_file.h"
#include "tests/unit/recorded_events.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WORKERS = 3, ROWS = 8, COLUMNS = 2 };

static struct pool pool;
static struct recorded_events events;
static size_t descriptors_before;

static void set_up(void)
{
	struct error error;
	scratch_enter();
	cr_assert(signals_install(&error));
	descriptors_before = descriptors_open();
	recorded_events_init(&events);
	cr_assert(pool_init(&pool, WORKERS, COLUMNS - 1, 20, &events.stream, &error));
}

static void tear_down(void)
{
	pool_stop(&pool, true);
	pool_release(&pool);
	recorded_events_release(&events);
	scratch_leave();
}

TestSuite(pool, .init = set_up, .fini = tear_down, .timeout = 60);

static void expect_nothing_left(void)
{
	for (uint32_t i = 0; i < WORKERS; i++) {
		const struct slot *slot = &pool.slots[i];
		cr_expect_eq(slot->state, SLOT_EMPTY);
		cr_expect(slot->process.pid == 0 && slot->process.down == -1 && slot->process.up == -1);
	}
	cr_expect(no_child_is_left());
	cr_expect_eq(descriptors_open(), descriptors_before);
}

static void start_all(void)
{
	struct error error = {0};
	for (uint32_t i = 0; i < WORKERS; i++)
		cr_assert(pool_start(&pool, &pool.slots[i], &error), "%s", error.message);
}

static void start_fakes(enum fake_ending ending)
{
	const struct fake_script script = {.ending = ending};
	for (uint32_t i = 0; i < WORKERS; i++)
		fake_worker_start(&pool, &pool.slots[i], &script);
}

/* The file's row i is (i, 10·i). */
static struct loader open_dataset(void)
{
	struct config config = {.source = "run.json"};
	struct loader loader;
	struct error error = {0};
	double numbers[ROWS][COLUMNS];
	for (int i = 0; i < ROWS; i++) {
		numbers[i][0] = i;
		numbers[i][1] = 10 * i;
	}
	npy_file_write_doubles("d.npy", numbers[0], ROWS, COLUMNS);
	config.dataset.path = config.dataset.given_path = "d.npy";
	cr_assert(loader_open(&loader, &config, &error), "%s", error.message);
	loader.name = "d.npy";
	return loader;
}

/* Gives every worker its leaves, and waits until all have them. */
static void load_all(struct collector *collector, const struct loader *loader)
{
	double centre[COLUMNS] = {0};
	struct assignment assignment = {
	        .dataset = loader->dataset, .leaf_count = loader->leaf_count, .centre = centre, .cache_bytes = 1 << 20};
	struct error error = {0};
	pool.round++;
	for (uint32_t i = 0; i < WORKERS; i++) {
		pool.slots[i].leaves = assignment.leaves = leaves_chunk(loader->leaf_count, WORKERS, i);
		cr_assert(pool_ask_to_load(&pool, &pool.slots[i], &assignment, &error));
		cr_expect_eq(pool.slots[i].state, SLOT_LOADING);
	}
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct happening happening;
		cr_assert(collector_next(collector, &happening, &error), "%s", error.message);
		cr_assert_eq(happening.type, HAPPENING_READY, "%s", happening.loss.detail);
	}
}

Test(pool, asks_its_workers_and_gets_their_answers)
{
	static const double origin[COLUMNS] = {1, 0};
	const struct params params = {KERNEL_MEANS, COLUMNS, origin};
	struct loader loader = open_dataset();
	struct collector collector;
	struct error error = {0};
	double sums[COLUMNS + 1] = {0};
	start_all();
	cr_assert(collector_init(&collector, &pool, &error));
	load_all(&collector, &loader);
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct range leaves = pool.slots[i].leaves;
		cr_expect_eq(pool.slots[i].ready.rows, leaves.end - leaves.begin); /* a row each */
		cr_expect_eq(pool.slots[i].first_row[0], (double)leaves.begin);
		cr_expect_eq(pool.slots[i].first_row[1], 10 * (double)leaves.begin);
	}
	pool.round++;
	for (uint32_t i = 0; i < WORKERS; i++)
		cr_assert(pool_ask_for_sums(&pool, &pool.slots[i], &params, &error));
	for (uint32_t i = 0; i < WORKERS; i++) {
		struct happening happening;
		cr_assert(collector_next(&collector, &happening, &error), "%s", error.message);
		cr_assert_eq(happening.type, HAPPENING_GRADIENT, "%s", happening.loss.detail);
		const struct gradient *gradient = &happening.slot->gradient;
		for (size_t k = 0; k < (size_t)gradient->node_count * gradient->width; k++)
			sums[k % gradient->width] += gradient->vectors[k];
	}
	cr_expect(sums[0] == 28 - 8 && sums[1] == 280 && sums[2] == 8);
	collector_release(&collector);
	loader_release(&loader);
}

/*
 * A sibling's pipe end kept open in a worker would hide that sibling's end of file. Catches the mutation
 * sibling_descriptors.
 */
Test(pool, has_workers_with_three_descriptors_each)
{
	struct loader loader = open_dataset();
	struct collector collector;
	struct error error;
	start_all();
	cr_assert(collector_init(&collector, &pool, &error));
	load_all(&collector, &loader); /* so that each has closed the rest */
	for (uint32_t i = 0; i < WORKERS; i++) {
		char path[64];
		snprintf(path, sizeof path, "/proc/%d/fd", (int)pool.slots[i].process.pid);
		cr_expect_eq(count_descriptors(path), 2 + 3, "worker %u", i); /* beside . and .. */
	}
	collector_release(&collector);
	loader_release(&loader);
}

Test(pool, tells_the_stream_of_each_fork)
{
	start_all();
	cr_assert_eq(events.count, WORKERS);
	for (uint32_t i = 0; i < WORKERS; i++) {
		const struct event *event = &events.items[i].event;
		cr_expect(event->type == EVENT_WORKER_FORKED && event->has_worker && event->worker == i);
		cr_expect(event->pid == pool.slots[i].process.pid && event->incarnation == 0);
		cr_expect_eq(pool.slots[i].state, SLOT_IDLE);
	}
}

Test(pool, stops_real_workers_in_order)
{
	start_all();
	pool_stop(&pool, false);
	expect_nothing_left();
	cr_assert_eq(events.count, 3 * WORKERS);
	for (uint32_t i = 0; i < WORKERS; i++) {
		const struct event *stopped = &events.items[WORKERS + i].event;
		const struct event *event = &events.items[2 * WORKERS + i].event;
		cr_expect(stopped->type == EVENT_STOP_SENT && stopped->worker == i && stopped->pid == event->pid);
		cr_expect_lt(stopped->began_ns, stopped->time_ns);
		cr_expect(event->type == EVENT_WORKER_EXITED && event->worker == i);
		cr_expect_eq(event->pid, events.items[i].event.pid);
		cr_expect(WIFEXITED(event->worker_exited.status) && WEXITSTATUS(event->worker_exited.status) == 0);
		cr_expect_not(event->worker_exited.forced);
	}
}

/* Stops them, and says how all of them ended and after how long. */
static double stop_fakes(enum fake_ending ending, bool at_once, int killed_by)
{
	start_fakes(ending);
	uint64_t began = clock_now_ns();
	pool_stop(&pool, at_once);
	double took = (double)(clock_now_ns() - began) * 1e-9;
	expect_nothing_left();
	size_t asked = at_once ? 0 : WORKERS; /* of them to stop */
	cr_assert_eq(events.count, asked + WORKERS);
	for (uint32_t i = 0; i < WORKERS; i++) {
		const struct event *event = &events.items[asked + i].event;
		int status = event->worker_exited.status;
		cr_expect_eq(event->type, EVENT_WORKER_EXITED);
		cr_expect(killed_by == 0 ? WIFEXITED(status) && WEXITSTATUS(status) == 0
		                         : WIFSIGNALED(status) && WTERMSIG(status) == killed_by);
		cr_expect_eq(event->worker_exited.forced, killed_by != 0);
	}
	return took;
}

Test(pool, waits_no_longer_than_workers_that_obey_take)
{
	cr_expect_lt(stop_fakes(FAKE_OBEYS, false, 0), 1.9);
}

Test(pool, shows_end_of_file_to_workers_that_miss_the_frame)
{
	cr_expect_lt(stop_fakes(FAKE_LEAVES, false, 0), 1.9);
}

Test(pool, ends_workers_that_ignore_the_stop_with_SIGTERM)
{
	double took = stop_fakes(FAKE_HANGS, false, SIGTERM);
	cr_expect(took >= 2 && took < 10, "%g s", took);
}

Test(pool, ends_workers_that_ignore_SIGTERM_too_with_SIGKILL)
{
	double took = stop_fakes(FAKE_IGNORES_TERM, false, SIGKILL);
	cr_expect(took >= 3 && took < 12, "%g s", took);
}

Test(pool, ends_stopped_workers_at_once_if_told_to)
{
	cr_expect_lt(stop_fakes(FAKE_IS_STOPPED, true, SIGKILL), 1.9);
}

Test(pool, has_nothing_to_stop_before_it_has_started)
{
	pool_stop(&pool, false);
	pool_stop(&pool, true);
	expect_nothing_left();
	cr_expect_eq(events.count, 0);
}

Test(pool, ends_a_worker_that_has_closed_its_pipe_but_lives_on)
{
	struct loss loss = {.cause = LOSS_DEATH};
	start_fakes(FAKE_CLOSES);
	pid_t pid = pool.slots[1].process.pid;
	pool_bury(&pool, &pool.slots[1], &loss);
	cr_expect(loss.killed && loss.pid == pid);
	cr_expect(WIFSIGNALED(loss.status) && WTERMSIG(loss.status) == SIGKILL);
	cr_expect_eq(pool.slots[1].state, SLOT_EMPTY);
	cr_expect_eq(pool.slots[0].state, SLOT_IDLE);
}

Test(pool, waits_for_a_worker_that_is_about_to_end)
{
	struct loss loss = {.cause = LOSS_GAVE_UP};
	const struct fake_script script = {.ending = FAKE_EXITS, .number = 10};
	fake_worker_start(&pool, &pool.slots[0], &script);
	siginfo_t ended; /* dead for certain, so that a busy machine does not matter */
	cr_assert_eq(waitid(P_PID, (id_t)pool.slots[0].process.pid, &ended, WEXITED | WNOWAIT), 0);
	pool_bury(&pool, &pool.slots[0], &loss);
	cr_expect_not(loss.killed);
	cr_expect(WIFEXITED(loss.status) && WEXITSTATUS(loss.status) == 10);
	expect_nothing_left();
}

Test(pool, fills_an_emptied_slot_again)
{
	struct loss loss = {.cause = LOSS_DEADLINE};
	struct error error = {0};
	start_all();
	pool_bury(&pool, &pool.slots[2], &loss);
	cr_expect(loss.killed);
	cr_assert(pool_start(&pool, &pool.slots[2], &error), "%s", error.message);
	pool_stop(&pool, false);
	expect_nothing_left();
}
