/* A line of text put together piece by piece, for messages. It never fails: what does not fit is left off. Pure. */
#ifndef FORKFIT_COORDINATOR_PHRASE_H
#define FORKFIT_COORDINATOR_PHRASE_H

#include <stddef.h>

struct phrase { /* all zero: empty */
	char text[1024];
	size_t length;
};

__attribute__((format(printf, 2, 3))) void phrase_add(struct phrase *phrase, const char *format, ...);

/* What is shown of one key, one value or one argument, in bytes: enough to know it by, and it stays on the line. */
enum { PHRASE_EXCERPT = 60 };

/* Adds text of unknown origin, made fit to be shown. */
void phrase_add_excerpt(struct phrase *phrase, const char *text, size_t length);

/* Adds UTF-8 text as a JSON string in quotes, with "…" for what is beyond PHRASE_EXCERPT. */
void phrase_add_quoted(struct phrase *phrase, const char *text);

#endif
