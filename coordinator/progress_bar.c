#include "coordinator/progress_bar.h"

#include <inttypes.h>

enum { BAR_CELLS = 24 };

void progress_bar_paint(FILE *out, bool colour, uint64_t done, uint64_t total)
{
	uint64_t full = total > 0 ? done * BAR_CELLS / total : BAR_CELLS;
	fprintf(out, "\r%s", colour ? "\033[36m" : "");
	for (uint64_t cell = 0; cell < BAR_CELLS; cell++)
		fputs(cell < full ? "█" : "░", out);
	fputs(colour ? "\033[0m" : "", out);
}

void progress_bar_clear(FILE *out)
{
	fputs("\r\033[K", out);
}

void progress_duration(double seconds, char *text, size_t capacity)
{
	uint64_t whole = (uint64_t)(seconds + 0.5);
	if (whole >= 3600)
		snprintf(text, capacity, "%" PRIu64 ":%02" PRIu64 ":%02" PRIu64, whole / 3600, whole / 60 % 60,
		        whole % 60);
	else
		snprintf(text, capacity, "%" PRIu64 ":%02" PRIu64, whole / 60, whole % 60);
}
