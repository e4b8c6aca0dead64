/*
 * Children that are confined as workers are and then take a step that they may not take. The parent looks at how they
 * ended and at their last words. A step that meets no wall ends in _exit; nothing asserts in a child.
 */
#ifndef FORKFIT_TESTS_CONFINED_CHILD_H
#define FORKFIT_TESTS_CONFINED_CHILD_H

#include "common/wire.h"
#include "worker/isolation.h"

#include <stdbool.h>
#include <sys/types.h>

/* How children end that meet no wall. */
enum { WENT_THROUGH = 0, NOT_PREPARED = 100, NOT_CONFINED = 101, SURPRISED = 102 };

struct confined_child {
	pid_t pid;
	int out; /* reads its standard output */
};

struct ending {
	int status; /* of waitpid */
	bool spoke;
	struct frame_header header; /* of its last words */
	struct worker_error words;
};

/* The question that every child is answering. */
extern const struct frame_header confined_child_question;
/* Who forked it: it may not ask who its parent is. */
extern pid_t confined_child_parent;

/* A program built with a sanitizer has no walls: for a suite's .init. */
void skip_if_sanitized(void);

/* In the child, `prepare` comes before the walls are up, `step` after. prepare may be NULL. */
struct confined_child confined_child_start(
        const struct isolation *isolation, void (*prepare)(void), void (*step)(void));
struct ending confined_child_finish(struct confined_child child);

/* Both in one; send_out_confined puts it behind all walls that are up by default. */
struct ending send_out(const struct isolation *isolation, void (*prepare)(void), void (*step)(void));
struct ending send_out_confined(void (*prepare)(void), void (*step)(void));

/* The name says which row of a table it is. */
void expect_exit(const char *name, const struct ending *ending, int status);
void expect_signal(const char *name, const struct ending *ending, int number);
/* Its last words have the text in them. */
void expect_words(const char *name, const struct ending *ending, const char *text);

#endif
