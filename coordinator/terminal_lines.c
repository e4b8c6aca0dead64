#include "coordinator/terminal_lines.h"

#include "coordinator/signals.h"
#include "coordinator/terminal.h"

#include <stdlib.h>
#include <string.h>

#define ERASE_TO_END_OF_LINE "\033[K"
#define ERASE_TO_END_OF_SCREEN "\033[J"

/*
 * A line is cut to the terminal's width, but the width may have changed since it was asked for. Off and on again in
 * one write, so that no terminal is left like that.
 */
#define WRAP_OFF "\033[?7l"
#define WRAP_ON "\033[?7h"
#define COLOUR_OFF "\033[0m"

/* Bytes of the sequence ESC [ … m at `at`. */
static size_t colour_length(const char *at)
{
	size_t length = 2 + strspn(at + 2, "0123456789;");
	return length + (at[length] == 'm');
}

static bool starts_character(char byte)
{
	return ((unsigned char)byte & 0xc0) != 0x80;
}

/* Writes a line up to so many columns. Returns how many it took, and moves *text behind the line. */
static unsigned write_line(FILE *out, const char **text, unsigned columns)
{
	const char *at = *text;
	unsigned width = 0;
	bool coloured = false;
	while (*at != '\0' && *at != '\n') {
		if (at[0] == '\033' && at[1] == '[') {
			size_t length = colour_length(at);
			fwrite(at, 1, length, out);
			coloured = true;
			at += length;
			continue;
		}
		width += starts_character(*at);
		if (width <= columns)
			putc(*at, out);
		at++;
	}
	if (coloured && width > columns)
		fputs(COLOUR_OFF, out); /* what would have switched it off may be cut off */
	*text = at + (*at == '\n');
	return width < columns ? width : columns;
}

/* How many rows above the cursor the first line begins, in a terminal that wraps what has become too long. */
static unsigned rows_above(const struct terminal_lines *lines, unsigned columns)
{
	unsigned rows = 0;
	for (unsigned i = 0; i < lines->shown; i++)
		rows += lines->widths[i] > columns ? (lines->widths[i] + columns - 1) / columns : 1;
	return rows > 0 ? rows - 1 : 0;
}

static void go_to_first(const struct terminal_lines *lines, FILE *out, unsigned columns)
{
	unsigned rows = rows_above(lines, columns);
	fputc('\r', out);
	if (rows > 0)
		fprintf(out, "\033[%uA", rows);
}

/*
 * What was shown before the program was stopped is not where the cursor is. From this look on until it is written what
 * was made of it, Ctrl-Z has to wait: whoever went on in between would paint over what the shell has shown meanwhile.
 */
static void begin(struct terminal_lines *lines, sigset_t *before)
{
	signals_block_stop(before);
	if (signals_take_continued())
		lines->shown = 0;
}

/* Over what is shown. */
static void compose(struct terminal_lines *lines, FILE *out, const char *text)
{
	struct terminal_size size = terminal_size(lines->out);
	unsigned most = size.rows < TERMINAL_LINES_MAX ? size.rows : TERMINAL_LINES_MAX;
	go_to_first(lines, out, size.columns);
	fputs(WRAP_OFF, out);
	for (lines->shown = 0; *text != '\0' && lines->shown < most; lines->shown++) {
		if (lines->shown > 0)
			fputc('\n', out);
		/* The last column stays free: behind a character in it, the cursor would erase that one. */
		lines->widths[lines->shown] = (uint16_t)write_line(out, &text, size.columns - 1);
		fputs(ERASE_TO_END_OF_LINE, out);
	}
	fputs(ERASE_TO_END_OF_SCREEN WRAP_ON, out);
}

static void paint(struct terminal_lines *lines, const char *text)
{
	char *bytes = NULL;
	size_t length;
	FILE *picture = open_memstream(&bytes, &length);
	if (picture == NULL)
		return; /* the next one may find memory */
	unsigned before = lines->shown;
	compose(lines, picture, text);
	if (fclose(picture) == 0) {
		fwrite(bytes, 1, length, lines->out);
		fflush(lines->out);
	} else {
		lines->shown = before;
	}
	free(bytes);
}

void terminal_lines_paint(struct terminal_lines *lines, const char *text)
{
	sigset_t before;
	begin(lines, &before);
	if (!terminal_is_in_background(lines->out))
		paint(lines, text);
	signals_unblock(&before);
}

void terminal_lines_clear(struct terminal_lines *lines)
{
	sigset_t before;
	begin(lines, &before);
	if (lines->shown > 0) {
		go_to_first(lines, lines->out, terminal_size(lines->out).columns);
		fputs(ERASE_TO_END_OF_SCREEN, lines->out);
		fflush(lines->out);
	}
	lines->shown = 0;
	signals_unblock(&before);
}
