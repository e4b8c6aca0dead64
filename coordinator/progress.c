#include "coordinator/progress.h"

#include "common/utf8.h"
#include "coordinator/progress_bar.h"
#include "coordinator/terminal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool progress_wants_animation(FILE *out)
{
	const char *terminal = getenv("TERM");
	return isatty(fileno(out)) && terminal != NULL && strcmp(terminal, "dumb") != 0;
}

bool progress_wants_colour(FILE *out)
{
	const char *no_colour = getenv("NO_COLOR");
	return progress_wants_animation(out) && (no_colour == NULL || no_colour[0] == '\0');
}

void progress_init(struct progress *progress, FILE *out, enum progress_style style, bool colour)
{
	*progress = (struct progress){.out = out, .style = style, .colour = colour, .lines = {.out = out}};
}

void progress_release(struct progress *progress)
{
	panel_release(&progress->panel);
}

void progress_clear(struct progress *progress)
{
	terminal_lines_clear(&progress->lines);
	fflush(progress->out);
}

static double epochs_per_second(const struct progress *progress)
{
	uint64_t elapsed_ns = progress->last_epoch_ns - progress->first_epoch_ns;
	return elapsed_ns > 0 ? (progress->last_epoch - progress->first_epoch) / ((double)elapsed_ns * 1e-9) : 0.0;
}

/* The share of the epochs that are done; training may stop earlier. */
static void draw_bar(const struct progress *progress, FILE *out)
{
	double rate = epochs_per_second(progress);
	char left[32] = "-:--", text[160] = "loading";
	if (rate > 0)
		progress_duration((double)(progress->epochs - progress->last_epoch) / rate, left, sizeof left);
	if (progress->last_epoch > 0)
		snprintf(text, sizeof text, "epoch %" PRIu32 "/%" PRIu64 "  loss %.6g  %.0f epochs/s  ≤ %s left",
		        progress->last_epoch, progress->epochs, progress->last_loss, rate, left);
	progress_bar_draw(out, progress->colour, progress->last_epoch, progress->epochs, text);
}

static void draw_curve(const struct progress *progress, FILE *out)
{
	char curve[4 * LOSS_CURVE_POINTS];
	loss_curve_draw(&progress->curve, curve, sizeof curve);
	fprintf(out, "\n%s%s%s\n", progress->colour ? "\033[36m" : "", curve, progress->colour ? "\033[0m" : "");
}

static void paint(struct progress *progress, uint64_t now_ns)
{
	char *text = NULL;
	size_t length;
	FILE *picture = open_memstream(&text, &length);
	if (picture == NULL)
		return; /* the next one may find memory */
	draw_bar(progress, picture);
	if (progress->style == PROGRESS_WORKERS) {
		unsigned rows = terminal_size(progress->out).rows;
		draw_curve(progress, picture);
		panel_draw(&progress->panel, picture, progress->colour, rows > 2 ? rows - 2 : 0, now_ns);
	}
	if (fclose(picture) == 0)
		terminal_lines_paint(&progress->lines, text);
	free(text);
}

/* Shows what moves, if it is to move, and if the last picture is old enough. */
static void repaint(struct progress *progress, const struct event *event)
{
	bool due = event->time_ns - progress->painted_ns >= PROGRESS_REPAINT_NS;
	bool wanted = progress->style == PROGRESS_WORKERS ||
	              (progress->style == PROGRESS_BAR && event->type == EVENT_EPOCH_DONE);
	if (!due || !wanted || !progress->training)
		return;
	progress->painted_ns = event->time_ns;
	paint(progress, event->time_ns);
}

static void show_line(struct progress *progress, const struct event *event)
{
	if (event->time_ns - progress->painted_ns < PROGRESS_LINE_NS)
		return;
	progress->painted_ns = event->time_ns;
	fprintf(progress->out, "epoch %" PRIu32 "/%" PRIu64 "  loss %.6g  %.0f epochs/s\n", event->epoch,
	        progress->epochs, event->epoch_done.loss, epochs_per_second(progress));
}

static void take_epoch(struct progress *progress, const struct event *event)
{
	if (progress->first_epoch_ns == 0) {
		progress->first_epoch = event->epoch;
		progress->first_epoch_ns = event->time_ns;
		if (progress->style != PROGRESS_WORKERS)
			progress->painted_ns = event->time_ns;
	}
	progress->last_epoch = event->epoch;
	progress->last_epoch_ns = event->time_ns;
	progress->last_loss = event->epoch_done.loss;
	loss_curve_add(&progress->curve, event->epoch_done.loss);
	if (progress->style == PROGRESS_LINES)
		show_line(progress, event);
}

static void take_start(struct progress *progress, const struct event *event)
{
	progress->epochs = event->run_started.epochs;
	progress->workers = event->run_started.workers;
	progress->training = true;
	if (progress->style == PROGRESS_AUTO)
		progress->style = progress->workers <= PANEL_WORKERS ? PROGRESS_WORKERS : PROGRESS_BAR;
}

/* Names in a text may hold anything. */
static void print_text(const struct progress *progress, const char *what, const char *text)
{
	char shown[4096];
	fprintf(progress->out, "coordinator: %s%s\n", what, utf8_excerpt(shown, sizeof shown, text, strlen(text)));
}

/* The loss that was kept is no longer the last thing that happened. */
static void show_loss(struct progress *progress)
{
	if (progress->loss[0] == '\0')
		return;
	progress_clear(progress);
	print_text(progress, "", progress->loss);
	progress->loss[0] = '\0';
}

static void show_end(struct progress *progress, const struct event *event)
{
	progress->training = false;
	progress_clear(progress);
	if (!event->run_ended.trained)
		return; /* the error that follows says more */
	show_loss(progress);
	fprintf(progress->out, "%" PRIu64 " row%s, %" PRIu32 " worker%s, %" PRIu64 " epochs", event->run_ended.rows,
	        event->run_ended.rows == 1 ? "" : "s", progress->workers, progress->workers == 1 ? "" : "s",
	        event->run_ended.epochs);
	if (progress->resumed_epoch > 0)
		fprintf(progress->out, ", those from %" PRIu32 " on", progress->resumed_epoch);
	fprintf(progress->out, " in %.3f s\n", (double)event->time_ns / 1e9);
}

static void show_fault(struct progress *progress, const struct event *event)
{
	const struct fault *fault = event->fault_fired.fault;
	progress_clear(progress);
	fprintf(progress->out, "coordinator: fault: %s at %s", fault_kind_name(fault->kind),
	        fault_site_name(fault->site));
	if (event->has_worker)
		fprintf(progress->out, " of worker %" PRIu32 ", incarnation %" PRIu32, event->worker,
		        event->incarnation);
	fprintf(progress->out, ", epoch %" PRIu32 "\n", event->epoch);
}

/* A loss that ends the run is the text of the error that follows; so it waits here until the run goes on. */
static void keep_loss(struct progress *progress, const struct event *event)
{
	if (!progress->loss_is_error)
		show_loss(progress);
	progress->loss_is_error = strcmp(event->worker_lost.cause, "error") == 0;
	snprintf(progress->loss, sizeof progress->loss, "%s", event->worker_lost.text);
}

static void show_resumed(struct progress *progress, const struct event *event)
{
	char path[1024];
	progress->resumed_epoch = event->epoch;
	progress_clear(progress);
	fprintf(progress->out, "coordinator: resumed from %s at epoch %" PRIu32 "\n",
	        utf8_excerpt(path, sizeof path, event->run_resumed.path, strlen(event->run_resumed.path)),
	        event->epoch);
}

static void tell(struct progress *progress, const struct event *event)
{
	switch (event->type) {
	case EVENT_RUN_STARTED:
		take_start(progress, event);
		break;
	case EVENT_RUN_RESUMED:
		show_resumed(progress, event);
		break;
	case EVENT_EPOCH_DONE:
		show_loss(progress);
		take_epoch(progress, event);
		break;
	case EVENT_NOTE:
		progress_clear(progress);
		print_text(progress, "note: ", event->note.text);
		break;
	case EVENT_FAULT_FIRED:
		show_fault(progress, event);
		break;
	case EVENT_WORKER_LOST:
		keep_loss(progress, event);
		break;
	case EVENT_WORKER_FORKED:
		show_loss(progress);
		break;
	case EVENT_WORKER_REPLACED:
		show_loss(progress);
		progress_clear(progress);
		fprintf(progress->out, "coordinator: worker %" PRIu32 " is replaced by pid %ld after %.1f ms\n",
		        event->worker, (long)event->pid, (double)event->worker_replaced.took_ns / 1e6);
		break;
	case EVENT_WORKER_LATE:
		progress_clear(progress);
		fprintf(progress->out,
		        "coordinator: worker %" PRIu32 " (pid %ld) is late after %.1f ms; worker %" PRIu32
		        " backs it up\n",
		        event->worker, (long)event->pid, (double)event->worker_late.waited_ns / 1e6,
		        event->worker_late.backup);
		break;
	case EVENT_RUN_ENDED:
		show_end(progress, event);
		break;
	default:
		break;
	}
}

static void handle(void *context, const struct event *event)
{
	struct progress *progress = context;
	tell(progress, event);
	if (progress->style == PROGRESS_WORKERS)
		panel_take(&progress->panel, event);
	repaint(progress, event);
}

struct event_sink progress_sink(struct progress *progress)
{
	return (struct event_sink){.handle = handle, .context = progress};
}
