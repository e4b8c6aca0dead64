#include "coordinator/events.h"

#include "common/clock.h"

const char *event_type_name(enum event_type type)
{
	static const char *const names[] = {
	        [EVENT_RUN_STARTED] = "run_started",
	        [EVENT_RUN_RESUMED] = "run_resumed",
	        [EVENT_WORKER_FORKED] = "worker_forked",
	        [EVENT_WORKER_READY] = "worker_ready",
	        [EVENT_PARAMS_SENT] = "params_sent",
	        [EVENT_GRADIENT_RECEIVED] = "gradient_received",
	        [EVENT_FAULT_FIRED] = "fault_fired",
	        [EVENT_WORKER_LOST] = "worker_lost",
	        [EVENT_WORKER_REPLACED] = "worker_replaced",
	        [EVENT_WORKER_LATE] = "worker_late",
	        [EVENT_WORKER_EXITED] = "worker_exited",
	        [EVENT_EPOCH_DONE] = "epoch_done",
	        [EVENT_CHECKPOINT_WRITTEN] = "checkpoint_written",
	        [EVENT_NOTE] = "note",
	        [EVENT_RUN_ENDED] = "run_ended",
	};
	_Static_assert(sizeof names / sizeof *names == EVENT_TYPE_COUNT, "a name for every event");
	return names[type];
}

void events_init(struct event_stream *stream)
{
	*stream = (struct event_stream){.began_ns = clock_now_ns()};
}

void events_add_sink(struct event_stream *stream, struct event_sink sink)
{
	if (stream->count < EVENT_SINKS_MAX)
		stream->sinks[stream->count++] = sink;
}

void events_emit(const struct event_stream *stream, struct event event)
{
	if (stream->count == 0)
		return;
	event.time_ns = clock_now_ns() - stream->began_ns;
	for (size_t i = 0; i < stream->count; i++)
		stream->sinks[i].handle(stream->sinks[i].context, &event);
}
