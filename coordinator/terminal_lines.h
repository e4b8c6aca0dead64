/*
 * Lines at the end of what a terminal shows that are painted over again and again: a progress bar, or a panel of many
 * rows. They use neither a second screen nor raw mode, hide no cursor and leave colour and wrapping as they were after
 * every write, so that a program that stops or dies in between leaves a terminal that works.
 *
 * Painted at most as high and as wide as the terminal is at that moment. When it has become narrower, terminals wrap
 * the lines that stood there; the rows that these take then are painted over too. After the program was stopped and
 * went on, the lines stand somewhere above, and new ones are painted below. In the background nothing is painted.
 */
#ifndef FORKFIT_COORDINATOR_TERMINAL_LINES_H
#define FORKFIT_COORDINATOR_TERMINAL_LINES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { TERMINAL_LINES_MAX = 512 };

struct terminal_lines { /* all zero but for `out`: nothing is shown */
	FILE *out;
	unsigned shown;                      /* lines; the cursor stands at the last one's end */
	uint16_t widths[TERMINAL_LINES_MAX]; /* their columns */
};

/* text: lines with '\n' between them, in UTF-8, with no other controls than colours (ESC [ … m). */
void terminal_lines_paint(struct terminal_lines *lines, const char *text);

/* Takes them off; the cursor is then where their first column was. */
void terminal_lines_clear(struct terminal_lines *lines);

#endif
