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

static uint64_t fastest_stream_ns(const struct summary *summary)
{
	uint64_t last = summary->stream_took_ns, best = summary->stream_best_ns;
	return best == 0 || (last != 0 && last < best) ? last : best;
}

/* The first question of a round with KERNEL_STREAM begins it. */
static void take_stream_question(struct summary *summary, const struct event *event)
{
	if (summary->stream_began_ns != 0 && summary->stream_round == event->round.round)
		return;
	summary->stream_best_ns = fastest_stream_ns(summary);
	summary->stream_round = event->round.round;
	summary->stream_began_ns = event->began_ns;
	summary->stream_took_ns = 0;
}

static void take_question(struct summary *summary, const struct event *event)
{
	if (event->round.kernel == KERNEL_GRADIENT && summary->epochs_began_ns == 0)
		summary->epochs_began_ns = event->began_ns;
	if (event->round.kernel == KERNEL_STREAM)
		take_stream_question(summary, event);
}

/* Reading alone is no part of the run's work. */
static void take_answer(struct summary *summary, const struct event *event)
{
	if (event->round.kernel == KERNEL_STREAM)
		summary->stream_took_ns = event->time_ns - summary->stream_began_ns;
	else
		take_times(summary, &event->round.times, &summary->computed_ns);
}

static void put_speed(const struct summary *summary, uint64_t rows, struct phrase *text)
{
	uint64_t took_ns = summary->epochs_ended_ns - summary->epochs_began_ns;
	uint64_t stream_ns = fastest_stream_ns(summary);
	if (summary->epochs == 0 || took_ns == 0)
		return;
	double epoch_ns = (double)took_ns / (double)summary->epochs;
	double bytes = (double)rows * (double)summary->row_bytes;
	phrase_add(text, "%.3g GB/s, ", bytes / epoch_ns);
	if (stream_ns != 0)
		phrase_add(text, "%.0f %% of the %.3g GB/s of reading alone, ", 100.0 * (double)stream_ns / epoch_ns,
		        bytes / (double)stream_ns);
	phrase_add(text, "%.4g epochs/s; ", 1e9 / epoch_ns);
}

void summary_put(const struct summary *summary, uint64_t rows, struct phrase *text)
{
	double all = (double)(summary->computed_ns + summary->waited_ns + summary->loaded_ns);
	if (all <= 0.0)
		return;
	put_speed(summary, rows, text);
	phrase_add(text, "the workers computed %.0f %%, waited %.0f %%, loaded %.0f %%",
	        100.0 * (double)summary->computed_ns / all, 100.0 * (double)summary->waited_ns / all,
	        100.0 * (double)summary->loaded_ns / all);
}

static void show(const struct summary *summary, uint64_t rows)
{
	struct phrase text = {.length = 0};
	summary_put(summary, rows, &text);
	if (text.length > 0)
		fprintf(summary->out, "%s\n", text.text);
}

static void handle(void *context, const struct event *event)
{
	struct summary *summary = context;
	switch (event->type) {
	case EVENT_RUN_STARTED:
		summary->row_bytes = event->run_started.row_bytes;
		break;
	case EVENT_PARAMS_SENT:
		take_question(summary, event);
		break;
	case EVENT_EPOCH_DONE:
		summary->epochs++;
		summary->epochs_ended_ns = event->time_ns;
		break;
	case EVENT_GRADIENT_RECEIVED:
		take_answer(summary, event);
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
