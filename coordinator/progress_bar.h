/* What a progress line is made of, on a terminal. */
#ifndef FORKFIT_COORDINATOR_PROGRESS_BAR_H
#define FORKFIT_COORDINATOR_PROGRESS_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* A bar that changes more often than this only flickers; a log line more often than this only fills the log. */
#define PROGRESS_REPAINT_NS UINT64_C(50000000)
#define PROGRESS_LINE_NS UINT64_C(5000000000)

/* Paints over the line: done / total of a bar, then the text. It is cut where the terminal ends. */
void progress_bar_paint(FILE *out, bool colour, uint64_t done, uint64_t total, const char *text);

/* Takes the line off. */
void progress_bar_clear(FILE *out);

/* "1:05", or "2:00:05". */
void progress_duration(double seconds, char *text, size_t capacity);

#endif
