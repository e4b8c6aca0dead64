#include "tests/unit/collect_round.h"

#include "coordinator/signals.h"
#include "tests/unit/leftovers.h"

#include <criterion/criterion.h>
#include <string.h>

void round_set_up(void)
{
	struct error error = {0};
	cr_assert(signals_install(&error), "%s", error.message);
}

void round_begin(struct round *current, uint32_t workers, double timeout_s)
{
	struct error error;
	current->descriptors_before = descriptors_open();
	recorded_events_init(&current->events);
	cr_assert(pool_init(&current->pool, workers, ROUND_FEATURES, timeout_s, &current->events.stream, &error));
	cr_assert(collector_init(&current->collector, &current->pool, &error));
	current->pool.waits_awake = true; /* first awake, and if that is not long enough, asleep */
	busy_wait_learn(&current->collector.answers, 0);
	current->pool.round = ROUND_NUMBER;
	current->pool.epoch = ROUND_EPOCH;
	for (uint32_t i = 0; i < workers; i++)
		current->pool.slots[i].leaves = (struct range){ROUND_FIRST_LEAF, ROUND_LAST_LEAF};
}

void round_finish(struct round *current)
{
	pool_stop(&current->pool, true);
	collector_release(&current->collector);
	pool_release(&current->pool);
	recorded_events_release(&current->events);
	cr_expect(no_child_is_left());
	cr_expect_eq(descriptors_open(), current->descriptors_before);
}

void round_start(
        struct round *current, uint32_t worker, const struct wire_buffer *says, enum fake_ending ending, int number)
{
	struct fake_script script = {.waits = true, .ending = ending, .number = number};
	if (says != NULL) {
		script.bytes = says->bytes;
		script.length = says->length;
	}
	fake_worker_start(&current->pool, &current->pool.slots[worker], &script);
}

void round_ask(struct round *current, uint32_t worker)
{
	static const double values[ROUND_FEATURES + 1] = {1, 2, 3};
	const struct params params = {KERNEL_GRADIENT, ROUND_FEATURES + 1, values};
	struct error error;
	cr_assert(pool_ask_for_sums(&current->pool, &current->pool.slots[worker], &params, &error));
}

struct happening round_next(struct round *current)
{
	struct happening happening = {.type = HAPPENING_INTERRUPT};
	struct error error = {0};
	cr_assert(collector_next(&current->collector, &happening, &error), "%s", error.message);
	return happening;
}

struct happening round_play(
        struct round *current, const struct wire_buffer *says, enum fake_ending ending, int number, double timeout_s)
{
	round_begin(current, 1, timeout_s);
	round_start(current, 0, says, ending, number);
	round_ask(current, 0);
	return round_next(current);
}

struct answer answer_right(void)
{
	return (struct answer){
	        .header = {.worker = 0, .incarnation = 0, .epoch = ROUND_EPOCH, .round = ROUND_NUMBER},
	        .gradient = {.kernel = KERNEL_GRADIENT, .times = {1, 2, 5}, .node_count = 2, .width = ROUND_WIDTH},
	        .nodes = {{1, 2}, {0, 7}},
	        .vectors = {1.5, -2, 3, 4, 5, 6, 7, 8, 9, 1e300},
	};
}

void answer_encode(struct answer *answer, struct wire_buffer *buffer)
{
	answer->gradient.nodes = answer->nodes;
	answer->gradient.vectors = answer->vectors;
	cr_assert(wire_encode_gradient(buffer, &answer->header, &answer->gradient));
}

void round_expect_answer(const struct happening *happening, uint32_t worker)
{
	struct answer right = answer_right();
	cr_assert_eq(happening->type, HAPPENING_GRADIENT, "%s", happening->loss.detail);
	const struct slot *slot = happening->slot;
	cr_expect_eq(slot->index, worker);
	cr_expect_eq(slot->state, SLOT_IDLE);
	cr_expect(slot->gradient.kernel == KERNEL_GRADIENT && slot->gradient.width == ROUND_WIDTH);
	cr_expect(slot->gradient.node_count == 2 && slot->gradient.times.finished_ns == 5);
	cr_expect_arr_eq(slot->gradient.nodes, right.nodes, sizeof right.nodes);
	cr_expect_arr_eq(slot->gradient.vectors, right.vectors, sizeof right.vectors);
}

void round_expect_loss(
        const struct round *current, const struct happening *happening, enum loss_cause cause, const char *detail)
{
	cr_assert_eq(happening->type, HAPPENING_LOST);
	cr_expect_eq(happening->slot, &current->pool.slots[happening->loss.worker]);
	cr_expect_eq(happening->loss.cause, cause);
	cr_expect_str_eq(happening->loss.detail, detail);
}
