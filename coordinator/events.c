#include "coordinator/events.h"

#include "common/calls.h"
#include "common/clock.h"

const char *event_type_name(enum event_type type)
{
	static const char *const names[] = {
	        [EVENT_RUN_STARTED] = "run_started",
	        [EVENT_RUN_RESUMED] = "run_resumed",
	        [EVENT_WORKER_STARTING] = "worker_starting",
	        [EVENT_WORKER_FORKED] = "worker_forked",
	        [EVENT_ASSIGN_SENT] = "assign_sent",
	        [EVENT_WORKER_READY] = "worker_ready",
	        [EVENT_PARAMS_SENT] = "params_sent",
	        [EVENT_GRADIENT_RECEIVED] = "gradient_received",
	        [EVENT_SUMS_COMBINED] = "sums_combined",
	        [EVENT_FAULT_FIRED] = "fault_fired",
	        [EVENT_WORKER_LOST] = "worker_lost",
	        [EVENT_WORKER_REPLACED] = "worker_replaced",
	        [EVENT_WORKER_LATE] = "worker_late",
	        [EVENT_WORKER_STOPPED] = "worker_stopped",
	        [EVENT_WORKER_CONTINUED] = "worker_continued",
	        [EVENT_STOP_SENT] = "stop_sent",
	        [EVENT_WORKER_EXITED] = "worker_exited",
	        [EVENT_EPOCH_DONE] = "epoch_done",
	        [EVENT_CHECKPOINT_WRITTEN] = "checkpoint_written",
	        [EVENT_CALL_MADE] = "call_made",
	        [EVENT_NOTE] = "note",
	        [EVENT_RUN_ENDED] = "run_ended",
	        [EVENT_TICK] = "tick",
	};
	_Static_assert(sizeof names / sizeof *names == EVENT_TYPE_COUNT, "a name for every event");
	return names[type];
}

bool event_type_is_detail(enum event_type type)
{
	return type == EVENT_SUMS_COMBINED || type == EVENT_WORKER_STARTING || type == EVENT_CALL_MADE;
}

const char *event_kernel_name(enum kernel kernel)
{
	static const char *const names[] = {
	        [KERNEL_MEANS] = "means",
	        [KERNEL_MOMENTS] = "moments",
	        [KERNEL_GRADIENT] = "gradient",
	        [KERNEL_CURVATURE] = "curvature",
	        [KERNEL_METRICS] = "metrics",
	        [KERNEL_STREAM] = "stream",
	        [KERNEL_RESIDUALS] = "residuals",
	        [KERNEL_SAMPLE] = "sample",
	};
	_Static_assert(sizeof names / sizeof *names == KERNEL_COUNT, "a name for every kernel");
	return names[kernel];
}

void events_init(struct event_stream *stream)
{
	*stream = (struct event_stream){.began_ns = clock_now_ns()};
}

void events_add_sink(struct event_stream *stream, struct event_sink sink)
{
	if (stream->count == EVENT_SINKS_MAX)
		return;
	stream->sinks[stream->count++] = sink;
	stream->details = stream->details || sink.details;
}

uint64_t events_time(const struct event_stream *stream, uint64_t clock_ns)
{
	return clock_ns > stream->began_ns ? clock_ns - stream->began_ns : 0;
}

void events_emit(const struct event_stream *stream, struct event event)
{
	if (stream->count == 0)
		return;
	event.time_ns = clock_now_ns() - stream->began_ns;
	event.began_ns = event.began_ns == 0 ? event.time_ns : events_time(stream, event.began_ns);
	bool detail = event_type_is_detail(event.type);
	for (size_t i = 0; i < stream->count; i++)
		if (!detail || stream->sinks[i].details)
			stream->sinks[i].handle(stream->sinks[i].context, &event);
}

static void take_call(void *context, const struct call *call)
{
	struct event event = {.type = EVENT_CALL_MADE, .began_ns = call->began_ns};
	event.call_made.call = call;
	events_emit(context, event);
}

void events_watch_calls(struct event_stream *stream, struct call_log *log)
{
	calls_watch((struct call_watcher){take_call, stream}, log);
}
