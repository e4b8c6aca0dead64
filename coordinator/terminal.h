/* What a terminal tells of itself. */
#ifndef FORKFIT_COORDINATOR_TERMINAL_H
#define FORKFIT_COORDINATOR_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

struct terminal_size {
	unsigned columns;
	unsigned rows;
};

/* 80 × 24 where it does not tell. */
struct terminal_size terminal_size(FILE *out);

/* Is this process in the terminal's background, where it should not write? Not where it is nobody's terminal. */
bool terminal_is_in_background(FILE *out);

#endif
