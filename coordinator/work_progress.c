#include "coordinator/work_progress.h"

#include "common/clock.h"
#include "coordinator/progress.h"
#include "coordinator/progress_bar.h"

#include <inttypes.h>
#include <stdlib.h>

void work_progress_init(struct work_progress *progress, bool quiet, const char *what, uint64_t total)
{
	*progress = (struct work_progress){
	        .quiet = quiet,
	        .animated = progress_wants_animation(stderr),
	        .colour = progress_wants_colour(stderr),
	        .lines = {.out = stderr},
	        .what = what,
	        .total = total,
	        .began_ns = clock_now_ns(),
	};
	progress->painted_ns = progress->began_ns;
}

static double seconds_since_begin(const struct work_progress *progress)
{
	return (double)(clock_now_ns() - progress->began_ns) / 1e9;
}

static void state_text(const struct work_progress *progress, uint64_t done, uint64_t rows, char *text, size_t capacity)
{
	char left[32] = "-:--";
	double seconds = seconds_since_begin(progress);
	double share = progress->total > 0 ? (double)done / (double)progress->total : 1;
	if (share > 0 && share <= 1)
		progress_duration(seconds * (1 - share) / share, left, sizeof left);
	snprintf(text, capacity, "%.0f %%  %" PRIu64 " rows  %.3g rows/s  %s left", 100 * share, rows,
	        (double)rows / seconds, left);
}

static void paint(struct work_progress *progress, uint64_t done, const char *text)
{
	char *picture = NULL;
	size_t length;
	FILE *out = open_memstream(&picture, &length);
	if (out == NULL)
		return; /* the next one may find memory */
	progress_bar_draw(out, progress->colour, done, progress->total, text);
	if (fclose(out) == 0)
		terminal_lines_paint(&progress->lines, picture);
	free(picture);
}

void work_progress_show(struct work_progress *progress, uint64_t done, uint64_t rows)
{
	if (progress->quiet)
		return;
	uint64_t now = clock_now_ns();
	char text[200];
	if (now - progress->painted_ns < (progress->animated ? PROGRESS_REPAINT_NS : PROGRESS_LINE_NS))
		return;
	progress->painted_ns = now;
	state_text(progress, done, rows, text, sizeof text);
	if (progress->animated)
		paint(progress, done, text);
	else
		fprintf(stderr, "%s\n", text);
}

void work_progress_clear(struct work_progress *progress)
{
	terminal_lines_clear(&progress->lines);
}

void work_progress_end(struct work_progress *progress, uint64_t rows)
{
	work_progress_clear(progress);
	if (progress->quiet)
		return;
	fprintf(stderr, "%" PRIu64 " row%s %s %s in %.3f s\n", rows, rows == 1 ? "" : "s", rows == 1 ? "is" : "are",
	        progress->what, seconds_since_begin(progress));
}
