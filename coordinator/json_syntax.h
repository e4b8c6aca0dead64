/* What is wrong with a text that is not JSON, told to its author instead of in the terms of a parser. */
#ifndef FORKFIT_COORDINATOR_JSON_SYNTAX_H
#define FORKFIT_COORDINATOR_JSON_SYNTAX_H

#include "coordinator/phrase.h"

#include <stddef.h>

/* A fault as jansson found it. */
struct json_syntax_fault {
	const char *text; /* the whole document */
	size_t length;
	size_t position;     /* how many bytes had been read */
	const char *message; /* jansson's */
};

/* Adds what is wrong to `phrase`, as in "expected ',' or '}', found 5"; *offset: of the byte it is about. */
void json_syntax_describe(const struct json_syntax_fault *fault, struct phrase *phrase, size_t *offset);

#endif
