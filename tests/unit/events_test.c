#include "coordinator/events.h"

#include "common/clock.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(events, .timeout = 10);

/* Which sinks were called, in order, and with what. */
static char called[EVENT_SINKS_MAX + 2];
static struct event taken[EVENT_SINKS_MAX + 2];
static size_t calls;

static void take(void *context, const struct event *event)
{
	const char *name = context;
	called[calls] = *name;
	taken[calls++] = *event;
}

static char names[] = "abcdefghi";

static struct event_sink sink(size_t i)
{
	return (struct event_sink){.handle = take, .context = &names[i]};
}

Test(events, reach_every_sink_in_the_order_they_were_added)
{
	struct event_stream stream;
	struct event event = {.type = EVENT_EPOCH_DONE, .epoch = 7};
	event.epoch_done.loss = 0.5;
	events_init(&stream);
	events_add_sink(&stream, sink(1));
	events_add_sink(&stream, sink(0));
	events_add_sink(&stream, sink(2));
	events_emit(&stream, event);
	cr_expect_str_eq(called, "bac");
	for (size_t i = 0; i < calls; i++)
		cr_expect(taken[i].type == EVENT_EPOCH_DONE && taken[i].epoch == 7 && taken[i].epoch_done.loss == 0.5);
}

Test(events, carry_one_time_for_all_sinks_that_never_goes_back)
{
	struct event_stream stream;
	struct event event = {.type = EVENT_NOTE, .time_ns = UINT64_MAX};
	events_init(&stream);
	events_add_sink(&stream, sink(0));
	events_add_sink(&stream, sink(1));
	events_emit(&stream, event);
	events_emit(&stream, event);
	cr_expect_eq(taken[0].time_ns, taken[1].time_ns);
	cr_expect_leq(taken[1].time_ns, taken[2].time_ns);
	cr_expect_lt(taken[2].time_ns, UINT64_C(1000000000), "since the stream began");
}

Test(events, say_since_when_they_lasted)
{
	struct event_stream stream;
	events_init(&stream);
	events_add_sink(&stream, sink(0));
	uint64_t began_ns = clock_now_ns();
	events_emit(&stream, (struct event){.type = EVENT_NOTE, .began_ns = began_ns});
	events_emit(&stream, (struct event){.type = EVENT_NOTE});
	events_emit(&stream, (struct event){.type = EVENT_NOTE, .began_ns = 1});
	cr_expect_eq(taken[0].began_ns, began_ns - stream.began_ns);
	cr_expect_leq(taken[0].began_ns, taken[0].time_ns);
	cr_expect_eq(taken[1].began_ns, taken[1].time_ns, "an event that takes no time begins when it ends");
	cr_expect_eq(taken[2].began_ns, 0, "what began before the stream began with it");
}

Test(events, go_into_details_only_with_who_has_asked_for_them)
{
	struct event_stream stream;
	events_init(&stream);
	events_add_sink(&stream, sink(0));
	cr_expect_not(stream.details);
	struct event_sink curious = sink(1);
	curious.details = true;
	events_add_sink(&stream, curious);
	events_add_sink(&stream, sink(2));
	cr_expect(stream.details);
	events_emit(&stream, (struct event){.type = EVENT_SUMS_COMBINED});
	cr_expect_str_eq(called, "b");
	events_emit(&stream, (struct event){.type = EVENT_NOTE});
	cr_expect_str_eq(called, "babc");
}

Test(events, need_no_sink)
{
	struct event_stream stream;
	events_init(&stream);
	events_emit(&stream, (struct event){.type = EVENT_NOTE});
	cr_expect_eq(calls, 0);
}

Test(events, reach_as_many_sinks_as_there_is_room_for)
{
	struct event_stream stream;
	events_init(&stream);
	for (size_t i = 0; i <= EVENT_SINKS_MAX; i++)
		events_add_sink(&stream, sink(i));
	events_emit(&stream, (struct event){.type = EVENT_NOTE});
	cr_expect_str_eq(called, "abcdefgh");
}

Test(events, have_a_name_for_each_type)
{
	static const char expected[EVENT_TYPE_COUNT][24] = {"run_started", "run_resumed", "worker_starting",
	        "worker_forked", "assign_sent", "worker_ready", "params_sent", "gradient_received", "sums_combined",
	        "fault_fired", "worker_lost", "worker_replaced", "worker_late", "worker_stopped", "worker_continued",
	        "stop_sent", "worker_exited", "epoch_done", "checkpoint_written", "call_made", "note", "run_ended",
	        "tick"};
	for (int type = 0; type < EVENT_TYPE_COUNT; type++)
		cr_expect_str_eq(event_type_name((enum event_type)type), expected[type]);
}
