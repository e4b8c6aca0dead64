#include "coordinator/summary.h"

void summary_init(struct summary *summary, FILE *out)
{
	*summary = (struct summary){.out = out};
}

static void take_times(struct summary *summary, const struct worker_times *times, uint64_t *busy_ns)
{
	summary->waited_ns += times->received_ns - times->waiting_ns;
	*busy_ns += times->finished_ns - times->received_ns;
}

/* "3.41 GB/s, 2629 epochs/s; "; an event's times are at least a tick of the clock apart. */
static size_t put_speed(const struct summary *summary, uint64_t rows, char *text, size_t capacity)
{
	uint64_t took_ns = summary->epochs_ended_ns - summary->epochs_began_ns;
	if (summary->epochs == 0 || took_ns == 0)
		return 0;
	double epochs_per_ns = (double)summary->epochs / (double)took_ns;
	double bytes = (double)rows * (double)summary->row_bytes;
	int length = snprintf(text, capacity, "%.3g GB/s, %.4g epochs/s; ", bytes * epochs_per_ns, epochs_per_ns * 1e9);
	return length > 0 ? (size_t)length : 0;
}

void summary_text(const struct summary *summary, uint64_t rows, char *text, size_t capacity)
{
	double all = (double)(summary->computed_ns + summary->waited_ns + summary->loaded_ns);
	text[0] = '\0';
	if (all <= 0.0)
		return;
	size_t length = put_speed(summary, rows, text, capacity);
	if (length >= capacity)
		return;
	snprintf(text + length, capacity - length, "the workers computed %.0f %%, waited %.0f %%, loaded %.0f %%",
	        100.0 * (double)summary->computed_ns / all, 100.0 * (double)summary->waited_ns / all,
	        100.0 * (double)summary->loaded_ns / all);
}

static void show(const struct summary *summary, uint64_t rows)
{
	char text[256];
	summary_text(summary, rows, text, sizeof text);
	if (text[0] != '\0')
		fprintf(summary->out, "%s\n", text);
}

static void handle(void *context, const struct event *event)
{
	struct summary *summary = context;
	switch (event->type) {
	case EVENT_RUN_STARTED:
		summary->row_bytes = event->run_started.row_bytes;
		break;
	case EVENT_PARAMS_SENT:
		if (summary->epochs_began_ns == 0 && event->round.kernel == KERNEL_GRADIENT)
			summary->epochs_began_ns = event->began_ns;
		break;
	case EVENT_EPOCH_DONE:
		summary->epochs++;
		summary->epochs_ended_ns = event->time_ns;
		break;
	case EVENT_GRADIENT_RECEIVED:
		take_times(summary, &event->round.times, &summary->computed_ns);
		break;
	case EVENT_WORKER_READY:
		take_times(summary, &event->worker_ready.times, &summary->loaded_ns);
		break;
	case EVENT_RUN_ENDED:
		if (event->run_ended.trained) /* else an error follows, which says more */
			show(summary, event->run_ended.rows);
		break;
	default:
		break;
	}
}

struct event_sink summary_sink(struct summary *summary)
{
	return (struct event_sink){.handle = handle, .context = summary};
}
