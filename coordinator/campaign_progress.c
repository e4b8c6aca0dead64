#include "coordinator/campaign_progress.h"

#include "common/clock.h"
#include "coordinator/progress.h"
#include "coordinator/progress_bar.h"

#include <inttypes.h>
#include <stdlib.h>

void campaign_progress_init(struct campaign_progress *progress, bool quiet, uint64_t runs)
{
	*progress = (struct campaign_progress){
	        .quiet = quiet,
	        .animated = progress_wants_animation(stderr),
	        .colour = progress_wants_colour(stderr),
	        .lines = {.out = stderr},
	        .runs = runs,
	        .began_ns = clock_now_ns(),
	};
	progress->painted_ns = progress->began_ns;
}

static double seconds_since_begin(const struct campaign_progress *progress)
{
	return (double)(clock_now_ns() - progress->began_ns) / 1e9;
}

static void state_text(
        const struct campaign_progress *progress, const struct campaign_tally *tally, char *text, size_t capacity)
{
	uint64_t failures = campaign_tally_failures(tally);
	double rate = (double)tally->runs / seconds_since_begin(progress);
	char left[32] = "-:--";
	if (tally->runs > 0)
		progress_duration((double)(progress->runs - tally->runs) / rate, left, sizeof left);
	snprintf(text, capacity,
	        "run %" PRIu64 "/%" PRIu64 "  %" PRIu64 " fault%s, %" PRIu64 " failure%s  %.0f runs/s  %s left",
	        tally->runs, progress->runs, tally->fired, tally->fired == 1 ? "" : "s", failures,
	        failures == 1 ? "" : "s", rate, left);
}

static void paint(struct campaign_progress *progress, const struct campaign_tally *tally, const char *text)
{
	char *picture = NULL;
	size_t length;
	FILE *out = open_memstream(&picture, &length);
	if (out == NULL)
		return; /* the next one may find memory */
	progress_bar_draw(out, progress->colour, tally->runs, progress->runs, text);
	if (fclose(out) == 0)
		terminal_lines_paint(&progress->lines, picture);
	free(picture);
}

void campaign_progress_show(struct campaign_progress *progress, const struct campaign_tally *tally)
{
	uint64_t now = clock_now_ns();
	char text[200];
	if (progress->quiet ||
	        now - progress->painted_ns < (progress->animated ? PROGRESS_REPAINT_NS : PROGRESS_LINE_NS))
		return;
	progress->painted_ns = now;
	state_text(progress, tally, text, sizeof text);
	if (progress->animated)
		paint(progress, tally, text);
	else
		fprintf(stderr, "%s\n", text);
}

void campaign_progress_failure(
        struct campaign_progress *progress, uint64_t run, const char *verdict, const char *reason)
{
	terminal_lines_clear(&progress->lines);
	fprintf(stderr, "coordinator: run %" PRIu64 ": %s: %s\n", run, verdict, reason);
}

void campaign_progress_end(struct campaign_progress *progress, const struct campaign_tally *tally)
{
	terminal_lines_clear(&progress->lines);
	double seconds = seconds_since_begin(progress);
	if (!progress->quiet)
		fprintf(stderr, "%" PRIu64 " run%s, %" PRIu64 " fault%s in %.3f s: %.0f runs/s\n", tally->runs,
		        tally->runs == 1 ? "" : "s", tally->fired, tally->fired == 1 ? "" : "s", seconds,
		        (double)tally->runs / seconds);
}
