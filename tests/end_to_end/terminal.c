#define _XOPEN_SOURCE 700 /* pseudo-terminals */
#include "tests/end_to_end/terminal.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void terminal_open(struct terminal *terminal)
{
	*terminal = (struct terminal){.master = posix_openpt(O_RDWR | O_NOCTTY)};
	cr_assert(terminal->master >= 0, "posix_openpt: %s", strerror(errno));
	cr_assert(grantpt(terminal->master) == 0 && unlockpt(terminal->master) == 0, "%s", strerror(errno));
	snprintf(terminal->name, sizeof terminal->name, "%s", ptsname(terminal->master));
	terminal->slave = open(terminal->name, O_RDWR | O_NOCTTY);
	cr_assert(terminal->slave >= 0, "%s: %s", terminal->name, strerror(errno));
	cr_assert_eq(fcntl(terminal->master, F_SETFL, O_NONBLOCK), 0);
	terminal->bytes = calloc(1, 1);
	cr_assert(terminal->bytes != NULL);
}

void terminal_release(struct terminal *terminal)
{
	close(terminal->slave);
	close(terminal->master);
	free(terminal->bytes);
}

static void take(struct terminal *terminal)
{
	char bytes[4096];
	ssize_t got;
	while ((got = read(terminal->master, bytes, sizeof bytes)) > 0) {
		terminal->bytes = realloc(terminal->bytes, terminal->length + (size_t)got + 1);
		cr_assert(terminal->bytes != NULL);
		memcpy(terminal->bytes + terminal->length, bytes, (size_t)got);
		terminal->length += (size_t)got;
		terminal->bytes[terminal->length] = '\0';
	}
}

struct followed {
	struct terminal *terminal;
	pid_t pid;
	const char *text; /* NULL: to the end */
	bool ended;
};

static bool has_come(void *context)
{
	struct followed *followed = context;
	struct process process;
	/* In this order, so that nothing written before the end is missed. */
	followed->ended = !process_read(followed->pid, &process) || process.state == 'Z';
	take(followed->terminal);
	if (followed->text != NULL && strstr(followed->terminal->bytes, followed->text) != NULL)
		return true;
	return followed->ended;
}

void terminal_follow(struct terminal *terminal, const struct run *run)
{
	struct followed followed = {terminal, run_pid(run), NULL, false};
	cr_assert(wait_until(has_come, &followed, RUN_TIMEOUT_S), "the program has not ended");
}

bool terminal_wait_for(struct terminal *terminal, const struct run *run, const char *text)
{
	struct followed followed = {terminal, run_pid(run), text, false};
	cr_assert(wait_until(has_come, &followed, RUN_TIMEOUT_S), "neither the text nor the end has come");
	return strstr(terminal->bytes, text) != NULL;
}

/* A cell holds one character in UTF-8; an empty one a blank. */
struct cells {
	char character[SCREEN_ROWS][SCREEN_COLUMNS][5];
	unsigned row;
	unsigned column;
	bool full; /* the last column is filled: the next character wraps */
	bool wraps;
	bool coloured;
};

static void erase_line(struct cells *cells, unsigned from)
{
	for (unsigned column = from; column < SCREEN_COLUMNS; column++)
		strcpy(cells->character[cells->row][column], " ");
}

static void new_line(struct cells *cells)
{
	cells->row++;
	cr_assert(cells->row < SCREEN_ROWS);
}

static size_t put_character(struct cells *cells, const char *at)
{
	size_t length = 1;
	while (((unsigned char)at[length] & 0xc0) == 0x80)
		length++;
	if (cells->full && cells->wraps) {
		new_line(cells);
		cells->column = 0;
		cells->full = false;
	}
	snprintf(cells->character[cells->row][cells->column], 5, "%.*s", (int)length, at);
	if (cells->column + 1 < SCREEN_COLUMNS)
		cells->column++;
	else
		cells->full = true;
	return length;
}

static void erase_below(struct cells *cells)
{
	unsigned row = cells->row;
	erase_line(cells, cells->column);
	for (cells->row++; cells->row < SCREEN_ROWS; cells->row++)
		erase_line(cells, 0);
	cells->row = row;
}

/* The few sequences behind ESC that painting over needs. Returns how many bytes the sequence takes. */
static size_t obey(struct cells *cells, const char *at)
{
	if (strncmp(at, "\033[J", 3) == 0) {
		erase_below(cells);
		return 3;
	}
	if (strncmp(at, "\033[K", 3) == 0) {
		erase_line(cells, cells->column);
		return 3;
	}
	if (strncmp(at, "\033[?7", 4) == 0 && (at[4] == 'h' || at[4] == 'l')) {
		cells->wraps = at[4] == 'h';
		return 5;
	}
	size_t length = 2 + strspn(at + 2, "0123456789;");
	if (at[1] == '[' && at[length] == 'A') {
		unsigned up = (unsigned)atoi(at + 2);
		cr_assert_leq(up, cells->row);
		cells->row -= up;
		cells->full = false;
		return length + 1;
	}
	cr_assert(at[1] == '[' && at[length] == 'm', "an unknown sequence: ESC %.8s", at + 1);
	cells->coloured = strncmp(at, "\033[0m", 4) != 0 && strncmp(at, "\033[m", 3) != 0;
	return length + 1;
}

static void copy_to_screen(const struct cells *cells, struct screen *screen)
{
	for (unsigned row = 0; row < SCREEN_ROWS; row++) {
		char *line = screen->text[row];
		line[0] = '\0';
		for (unsigned column = 0; column < SCREEN_COLUMNS; column++)
			strcat(line, cells->character[row][column]);
		for (size_t length = strlen(line); length > 0 && line[length - 1] == ' '; length--)
			line[length - 1] = '\0';
	}
	screen->row = cells->row;
	screen->column = cells->column;
	screen->plain = cells->wraps && !cells->coloured;
}

void terminal_draw(const struct terminal *terminal, struct screen *screen)
{
	static struct cells cells;
	cells = (struct cells){.wraps = true};
	for (cells.row = SCREEN_ROWS; cells.row-- > 0;)
		erase_line(&cells, 0);
	cells.row = 0;
	for (const char *at = terminal->bytes; *at != '\0';) {
		if (*at == '\033') {
			at += obey(&cells, at);
		} else if (*at == '\r' || *at == '\n') {
			if (*at == '\n')
				new_line(&cells);
			else
				cells.column = 0;
			cells.full = false;
			at++;
		} else {
			at += put_character(&cells, at);
		}
	}
	copy_to_screen(&cells, screen);
}
