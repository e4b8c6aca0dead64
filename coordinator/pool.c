#include "coordinator/pool.h"

#include "common/clock.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

/* A worker that has STOP leaves in microseconds unless the machine is very busy. */
#define STOP_GRACE_NS (2 * SECOND_NS)
#define TERM_GRACE_NS SECOND_NS
/* From end of file to exit: a worker that closed its pipe is expected to be about to end. */
#define EXIT_GRACE_NS (SECOND_NS / 10)

bool pool_init(struct pool *pool, uint32_t count, uint32_t features, double timeout_s, struct event_stream *events,
        struct error *error)
{
	*pool = (struct pool){
	        .count = count,
	        .features = features,
	        .timeout_ns = (uint64_t)llround(timeout_s * 1e9),
	        .events = events,
	};
	pool->slots = calloc(count, sizeof *pool->slots);
	if (pool->slots == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory for %u workers", count);
	for (uint32_t i = 0; i < count; i++) {
		pool->slots[i].index = i;
		pool->slots[i].process = (struct process){0, -1, -1};
		pool->slots[i].first_row = calloc((size_t)features + 1, sizeof(double));
		if (pool->slots[i].first_row == NULL) {
			pool_release(pool);
			return error_set(error, EXIT_OS_ERROR, "out of memory for %u workers", count);
		}
	}
	return true;
}

void pool_release(struct pool *pool)
{
	for (uint32_t i = 0; pool->slots != NULL && i < pool->count; i++) {
		frame_reader_release(&pool->slots[i].reader);
		frame_writer_release(&pool->slots[i].writer);
		free(pool->slots[i].first_row);
		free(pool->slots[i].vectors);
	}
	free(pool->slots);
	pool->slots = NULL;
}

bool pool_awaits(const struct slot *slot)
{
	return slot->state == SLOT_LOADING || slot->state == SLOT_COMPUTING || slot->state == SLOT_PREDICTING;
}

/* Keeps the count of open questions: all changes of state go through here. */
static void set_state(struct pool *pool, struct slot *slot, enum slot_state state)
{
	pool->awaited -= pool_awaits(slot);
	pool->changes += slot->state == SLOT_EMPTY || state == SLOT_EMPTY;
	slot->state = state;
	pool->awaited += pool_awaits(slot);
}

void pool_set_idle(struct pool *pool, struct slot *slot)
{
	set_state(pool, slot, SLOT_IDLE);
}

void pool_limit_deadlines(struct pool *pool, uint64_t latest_ns)
{
	pool->latest_ns = latest_ns;
	for (uint32_t i = 0; i < pool->count; i++)
		if (pool->slots[i].deadline_ns > latest_ns)
			pool->slots[i].deadline_ns = latest_ns;
	pool->changes++;
}

static struct event slot_event(const struct pool *pool, const struct slot *slot, enum event_type type)
{
	return (struct event){
	        .type = type,
	        .epoch = pool->epoch,
	        .has_worker = true,
	        .worker = slot->index,
	        .pid = slot->process.pid,
	        .incarnation = slot->incarnation,
	};
}

/* Starts the process, with the faults that concern it. */
static bool start_process(struct pool *pool, struct slot *slot, struct error *error)
{
	struct fault_plan plan;
	struct worker_options options = {
	        .coordinator = getpid(),
	        .call_place = slot->index,
	        .isolation = &pool->isolation,
	        .waits_awake = pool->waits_awake,
	        .faults = injection_plan(pool->injection, slot->index, slot->incarnation, &plan),
	};
	int failure = fault_point_fork(pool->injection, slot->index, slot->incarnation, pool->epoch);
	struct process_failures failures = {
	        .pipe = failure == EMFILE ? failure : 0,
	        .fork = failure == EAGAIN ? failure : 0,
	};
	return process_start(&slot->process, &options, &failures, error);
}

bool pool_start(struct pool *pool, struct slot *slot, struct error *error)
{
	if (!frame_reader_init(&slot->reader, wire_max_payload_up(pool->features)))
		return error_set(error, EXIT_OS_ERROR, "out of memory for worker %u", slot->index);
	if (pool->events->details)
		events_emit(pool->events, slot_event(pool, slot, EVENT_WORKER_STARTING));
	uint64_t began_ns = clock_now_ns();
	if (!start_process(pool, slot, error)) {
		frame_reader_release(&slot->reader);
		return false;
	}
	set_state(pool, slot, SLOT_IDLE);
	struct event event = slot_event(pool, slot, EVENT_WORKER_FORKED);
	event.began_ns = began_ns;
	events_emit(pool->events, event);
	return true;
}

static struct frame_header next_question(struct pool *pool, const struct slot *slot)
{
	return (struct frame_header){
	        .worker = slot->index,
	        .incarnation = slot->incarnation,
	        .epoch = pool->epoch,
	        .round = pool->round,
	};
}

/* Starts writing. What fails here shows as end of file when the answer is awaited. */
static void put_question(struct pool *pool, struct slot *slot, enum slot_state state)
{
	set_state(pool, slot, state);
	pool->changes++;
	slot->round = pool->round;
	slot->asked_ns = clock_now_ns();
	slot->deadline_ns = slot->asked_ns + pool->timeout_ns + pool->pass_ns;
	if (pool->latest_ns != 0 && slot->deadline_ns > pool->latest_ns)
		slot->deadline_ns = pool->latest_ns;
	frame_writer_flush(&slot->writer, slot->process.down);
}

static struct range assigned_rows(const struct assignment *assignment)
{
	uint64_t rows = assignment->dataset.rows;
	struct range leaves = assignment->leaves;
	if (leaves.begin == leaves.end)
		return (struct range){0, 0};
	return (struct range){
	        .begin = leaves_units(rows, assignment->leaf_count, (uint32_t)leaves.begin).begin,
	        .end = leaves_units(rows, assignment->leaf_count, (uint32_t)leaves.end - 1).end,
	};
}

bool pool_ask_to_load(struct pool *pool, struct slot *slot, const struct assignment *assignment, struct error *error)
{
	struct frame_header header = next_question(pool, slot);
	if (!wire_encode_assign(&slot->writer.queue, &header, assignment))
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	put_question(pool, slot, SLOT_LOADING);
	struct event event = slot_event(pool, slot, EVENT_ASSIGN_SENT);
	event.began_ns = slot->asked_ns;
	event.assign_sent.round = pool->round;
	event.assign_sent.leaves = assignment->leaves;
	if (assignment->dataset.format == DATASET_NPY)
		event.assign_sent.rows = assigned_rows(assignment);
	else
		event.assign_sent.bytes = assignment->bytes;
	events_emit(pool->events, event);
	return true;
}

bool pool_ask_for_sums(struct pool *pool, struct slot *slot, const struct params *params, struct error *error)
{
	struct frame_header header = next_question(pool, slot);
	if (!wire_encode_params(&slot->writer.queue, &header, params))
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	slot->kernel = params->kernel;
	put_question(pool, slot, SLOT_COMPUTING);
	struct event event = slot_event(pool, slot, EVENT_PARAMS_SENT);
	event.began_ns = slot->asked_ns;
	event.round.kernel = params->kernel;
	event.round.round = pool->round;
	events_emit(pool->events, event);
	return true;
}

bool pool_ask_for_predictions(struct pool *pool, struct slot *slot, const struct predict *predict, struct error *error)
{
	struct frame_header header = next_question(pool, slot);
	if (!wire_encode_predict(&slot->writer.queue, &header, predict))
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	slot->predict = *predict;
	put_question(pool, slot, SLOT_PREDICTING);
	return true;
}

void pool_tell_stops(const struct pool *pool)
{
	for (uint32_t i = 0; i < pool->count; i++) {
		const struct slot *slot = &pool->slots[i];
		int signal_number = 0;
		enum process_news news = process_take_news(&slot->process, &signal_number);
		if (news == PROCESS_NO_NEWS)
			continue;
		struct event event =
		        slot_event(pool, slot, news == PROCESS_STOPPED ? EVENT_WORKER_STOPPED : EVENT_WORKER_CONTINUED);
		event.worker_stopped.signal = signal_number;
		events_emit(pool->events, event);
	}
}

/* Closes what belongs to a process that was reaped. */
static void empty_slot(struct pool *pool, struct slot *slot)
{
	process_close(&slot->process);
	frame_reader_release(&slot->reader);
	frame_writer_release(&slot->writer);
	set_state(pool, slot, SLOT_EMPTY);
}

/* SIGKILL cannot be refused: the wait ends as soon as the kernel has done its part. */
static void kill_and_reap(struct slot *slot, int *status)
{
	process_signal(&slot->process, SIGKILL);
	while (!process_reap_until(&slot->process, clock_now_ns() + SECOND_NS, status))
		;
}

void pool_bury(struct pool *pool, struct slot *slot, struct loss *loss)
{
	loss->pid = slot->process.pid;
	loss->killed = false;
	bool may_live = loss->cause != LOSS_DEATH && loss->cause != LOSS_GAVE_UP;
	if (may_live || !process_reap_until(&slot->process, clock_now_ns() + EXIT_GRACE_NS, &loss->status)) {
		loss->killed = true;
		kill_and_reap(slot, &loss->status);
	}
	empty_slot(pool, slot);
}

static void report_exit(struct pool *pool, struct slot *slot, pid_t pid, int status, bool forced)
{
	struct event event = slot_event(pool, slot, EVENT_WORKER_EXITED);
	event.pid = pid;
	event.worker_exited.status = status;
	event.worker_exited.forced = forced;
	events_emit(pool->events, event);
	empty_slot(pool, slot);
}

/* Reaps who ends by the deadline. Returns how many are left. */
static uint32_t reap_all_until(struct pool *pool, uint64_t deadline_ns, bool forced)
{
	uint32_t left = 0;
	for (uint32_t i = 0; i < pool->count; i++) {
		struct slot *slot = &pool->slots[i];
		pid_t pid = slot->process.pid;
		int status;
		if (pid == 0)
			continue;
		if (process_reap_until(&slot->process, deadline_ns, &status))
			report_exit(pool, slot, pid, status, forced);
		else
			left++;
	}
	return left;
}

static void signal_all(struct pool *pool, int number)
{
	for (uint32_t i = 0; i < pool->count; i++)
		process_signal(&pool->slots[i].process, number);
}

void pool_stop(struct pool *pool, bool at_once)
{
	for (uint32_t i = 0; !at_once && i < pool->count; i++) {
		struct slot *slot = &pool->slots[i];
		struct frame_header header = next_question(pool, slot);
		struct event event = slot_event(pool, slot, EVENT_STOP_SENT);
		if (slot->process.pid == 0)
			continue;
		event.began_ns = clock_now_ns();
		if (wire_encode_stop(&slot->writer.queue, &header))
			frame_writer_flush(&slot->writer, slot->process.down);
		events_emit(pool->events, event);
		process_close(&slot->process); /* end of file says the same to who missed the frame */
	}
	if (!at_once && reap_all_until(pool, clock_now_ns() + STOP_GRACE_NS, false) == 0)
		return;
	if (!at_once) {
		signal_all(pool, SIGTERM);
		if (reap_all_until(pool, clock_now_ns() + TERM_GRACE_NS, true) == 0)
			return;
	}
	signal_all(pool, SIGKILL);
	while (reap_all_until(pool, clock_now_ns() + SECOND_NS, true) > 0)
		;
}
