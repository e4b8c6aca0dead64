/* What a progress line is made of. */
#ifndef FORKFIT_COORDINATOR_PROGRESS_BAR_H
#define FORKFIT_COORDINATOR_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A bar that changes more often than this only flickers; a log line more often than this only fills the log. */
#define PROGRESS_REPAINT_NS UINT64_C(50000000)
#define PROGRESS_LINE_NS UINT64_C(5000000000)

/* Draws done / total of a bar, then the text. */
void progress_bar_draw(FILE *out, bool colour, uint64_t done, uint64_t total, const char *text);

/* "1:05", or "2:00:05". */
void progress_duration(double seconds, char *text, size_t capacity);

#endif
