/* Frames longer than one read(2), and longer than a pipe: both directions may stall. */
#include "coordinator/collect.h"

#include "common/clock.h"
#include "coordinator/signals.h"
#include "tests/unit/fake_worker.h"
#include "tests/unit/leftovers.h"
#include "tests/unit/recorded_events.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* A run from leaf 1 to 4094 has the most maximal nodes: one of each level on either side. */
enum { ROUND = 1, FIRST_LEAF = 1, LAST_LEAF = 4095, NODES = 22 };

static struct pool pool;
static struct collector collector;
static struct recorded_events events;
static struct wire_buffer answer;
static double *values; /* of the question */
static double *vectors;

static void set_up(void)
{
	struct error error;
	recorded_events_init(&events);
	cr_assert(signals_install(&error));
}

TestSuite(collect_large, .init = set_up, .timeout = 60);

/* A pool of one, and the answer to its question. */
static void begin(uint32_t features, double timeout_s)
{
	struct tree_node nodes[NODES];
	struct error error;
	size_t width = sums_width(KERNEL_GRADIENT, features);
	cr_assert(pool_init(&pool, 1, features, timeout_s, &events.stream, &error));
	cr_assert(collector_init(&collector, &pool, &error));
	pool.round = ROUND;
	pool.slots[0].leaves = (struct range){FIRST_LEAF, LAST_LEAF};
	for (uint32_t level = 0; level < NODES / 2; level++) {
		nodes[level] = (struct tree_node){level, 1};
		nodes[NODES - 1 - level] = (struct tree_node){level, (LEAVES_MAX >> level) - 2};
	}
	values = calloc((size_t)features + 1, sizeof(double));
	vectors = calloc(NODES * width, sizeof(double));
	cr_assert(values != NULL && vectors != NULL);
	for (size_t i = 0; i < NODES * width; i++)
		vectors[i] = (double)i;
	const struct frame_header header = {.round = ROUND};
	const struct gradient gradient = {KERNEL_GRADIENT, {1, 2, 3}, NODES, (uint32_t)width, nodes, vectors};
	cr_assert(wire_encode_gradient(&answer, &header, &gradient));
}

static void finish(void)
{
	pool_stop(&pool, true);
	collector_release(&collector);
	pool_release(&pool);
	recorded_events_release(&events);
	wire_buffer_release(&answer);
	free(values);
	free(vectors);
	cr_expect(no_child_is_left());
}

static void ask(void)
{
	const struct params params = {KERNEL_GRADIENT, pool.features + 1, values};
	struct error error;
	cr_assert(pool_ask_for_sums(&pool, &pool.slots[0], &params, &error));
}

static struct happening next(void)
{
	struct happening happening;
	struct error error = {0};
	cr_assert(collector_next(&collector, &happening, &error), "%s", error.message);
	return happening;
}

static void expect_answer(const struct happening *happening)
{
	cr_assert_eq(happening->type, HAPPENING_GRADIENT, "lost: %s", happening->loss.detail);
	const struct gradient *gradient = &happening->slot->gradient;
	cr_expect_eq(gradient->node_count, NODES);
	cr_expect_eq(memcmp(gradient->vectors, vectors, (size_t)NODES * gradient->width * sizeof(double)), 0);
}

static void sleep_ms(long milliseconds)
{
	nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000}, NULL);
}

Test(collect_large, carries_questions_and_answers_longer_than_a_pipe)
{
	begin(20000, 20); /* 160 KB down, 3.5 MB up */
	struct fake_script script = {
	        .waits = true, .bytes = answer.bytes, .length = answer.length, .ending = FAKE_OBEYS};
	fake_worker_start(&pool, &pool.slots[0], &script);
	ask();
	cr_expect_not(frame_writer_is_idle(&pool.slots[0].writer), "the question must not fit the pipe");
	struct happening happening = next();
	expect_answer(&happening);
	finish();
}

Test(collect_large, writes_on_to_one_worker_while_it_reads_from_it)
{
	begin(20000, 20);
	/* Answers before it has read the question, so that both pipes are full. */
	struct fake_script script = {.bytes = answer.bytes, .length = answer.length, .ending = FAKE_OBEYS};
	fake_worker_start(&pool, &pool.slots[0], &script);
	ask();
	struct happening happening = next();
	expect_answer(&happening);
	finish();
}

Test(collect_large, sees_the_death_of_a_worker_that_did_not_read_its_question)
{
	begin(20000, 20);
	struct fake_script script = {.ending = FAKE_EXITS, .number = 12};
	fake_worker_start(&pool, &pool.slots[0], &script);
	ask();
	struct happening happening = next();
	cr_assert_eq(happening.type, HAPPENING_LOST);
	cr_expect_eq(happening.loss.cause, LOSS_DEATH);
	pool_bury(&pool, happening.slot, &happening.loss);
	cr_expect(WIFEXITED(happening.loss.status) && WEXITSTATUS(happening.loss.status) == 12);
	finish();
}

/* More than the first read(2) takes, and all of it there when the coordinator comes back from a pause. */
Test(collect_large, counts_a_long_answer_that_waits_beyond_the_deadline)
{
	begin(100, 0.1); /* 18 KB */
	struct fake_script script = {
	        .waits = true, .bytes = answer.bytes, .length = answer.length, .ending = FAKE_OBEYS};
	fake_worker_start(&pool, &pool.slots[0], &script);
	ask();
	struct pollfd entry = {.fd = pool.slots[0].process.up, .events = POLLIN};
	cr_assert_eq(poll(&entry, 1, 20000), 1);
	sleep_ms(300);
	struct happening happening = next();
	expect_answer(&happening);
	finish();
}

/* Bytes alone are no answer: a worker that sends one now and then cannot hold up the run for ever. */
Test(collect_large, misses_an_answer_that_comes_in_drops)
{
	begin(100, 0.15);
	struct fake_script script = {
	        .waits = true, .bytes = answer.bytes, .length = answer.length, .piece = 1, .ending = FAKE_OBEYS};
	fake_worker_start(&pool, &pool.slots[0], &script);
	ask();
	struct happening happening = next();
	cr_assert_eq(happening.type, HAPPENING_LOST);
	cr_expect_eq(happening.loss.cause, LOSS_DEADLINE);
	finish();
}

enum { SAW_ANSWER = 42, SAW_LOSS, SAW_NOTHING };

/* In a child, for it will be stopped: asks a worker of its own, which waits for `go`. */
static void coordinate(int go)
{
	struct happening happening;
	struct error error;
	struct fake_script script = {
	        .waits = true, .go = go, .bytes = answer.bytes, .length = answer.length, .ending = FAKE_OBEYS};
	fake_worker_start(&pool, &pool.slots[0], &script);
	const struct params params = {KERNEL_GRADIENT, pool.features + 1, values};
	if (!pool_ask_for_sums(&pool, &pool.slots[0], &params, &error) ||
	        !collector_next(&collector, &happening, &error))
		_exit(SAW_NOTHING);
	pool_stop(&pool, true);
	_exit(happening.type == HAPPENING_GRADIENT ? SAW_ANSWER : SAW_LOSS);
}

/* A terminal stops coordinator and workers alike, and nobody is to blame when they go on. */
Test(collect_large, does_not_count_the_time_for_which_the_coordinator_was_stopped)
{
	int go[2], status;
	begin(FIRST_LEAF, 1);
	cr_assert_eq(pipe(go), 0);
	pid_t coordinator = fork();
	if (coordinator == 0)
		coordinate(go[0]);
	sleep_ms(200);
	kill(coordinator, SIGSTOP);
	sleep_ms(1500);
	kill(coordinator, SIGCONT);
	sleep_ms(200);
	cr_assert_eq(write(go[1], "g", 1), 1);
	cr_assert_eq(waitpid(coordinator, &status, 0), coordinator);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == SAW_ANSWER, "status %x", (unsigned)status);
	close(go[0]);
	close(go[1]);
	finish();
}
