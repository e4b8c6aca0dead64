/* A pseudo-terminal on which the program writes, and the screen that a user would see. */
#ifndef FORKFIT_TESTS_END_TO_END_TERMINAL_H
#define FORKFIT_TESTS_END_TO_END_TERMINAL_H

#include "tests/end_to_end/harness.h"

struct terminal {
	int master;
	int slave; /* kept open, so that nothing written is lost */
	char name[64];
	char *bytes; /* everything that was written up to now, with a NUL behind */
	size_t length;
};

void terminal_open(struct terminal *terminal);
void terminal_release(struct terminal *terminal);

/* Takes in what the program writes until it has ended. */
void terminal_follow(struct terminal *terminal, const struct run *run);

/* Takes in what it writes until the text has come. False: the program has ended without it. */
bool terminal_wait_for(struct terminal *terminal, const struct run *run, const char *text);

enum { SCREEN_COLUMNS = 80, SCREEN_ROWS = 200 };

/* What is on the screen at last. It is high enough never to scroll. */
struct screen {
	char text[SCREEN_ROWS][SCREEN_COLUMNS * 4 + 1]; /* lines in UTF-8 without blanks at their ends */
	unsigned row;                                   /* of the cursor */
	unsigned column;
	bool plain; /* no colour is on, long lines wrap: as the terminal was before */
};

/* Draws all bytes. What the emulation does not know fails the test. */
void terminal_draw(const struct terminal *terminal, struct screen *screen);

#endif
