#include "coordinator/progress_bar.h"

#include <inttypes.h>
#include <string.h>

/* So few that the line of a usual run has at most 80 columns. */
enum { BAR_CELLS = 16 };

void progress_bar_draw(FILE *out, bool colour, uint64_t done, uint64_t total, const char *text)
{
	uint64_t full = total > 0 ? done * BAR_CELLS / total : BAR_CELLS;
	char bar[BAR_CELLS * sizeof "█"] = "";
	for (uint64_t cell = 0; cell < BAR_CELLS; cell++)
		strcat(bar, cell < full ? "█" : "░");
	fprintf(out, "%s%s%s %s", colour ? "\033[36m" : "", bar, colour ? "\033[0m" : "", text);
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
