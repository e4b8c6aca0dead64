/*
 * What a worker says when a signal ends it: one ERROR frame of stage signal, written by the signal's handler, that
 * names the system call that was refused or the address that was touched and what lies there. Then the signal takes its
 * course, so that the process's status is what it would have been.
 *
 * Nothing is said where a frame is being written (it would end up in the middle of that one), nor before the first
 * question (a frame carries the worker's index, which the question tells); the status alone must do then.
 *
 * There is one of it, since a handler has no other way to reach it.
 */
#ifndef FORKFIT_WORKER_LAST_WORDS_H
#define FORKFIT_WORKER_LAST_WORDS_H

#include "common/leaves.h"
#include "common/mapping.h"
#include "common/wire.h"

#include <stdbool.h>

/* Installs the handlers, and takes the memory they need. False: there is not enough. */
bool last_words_prepare(void);

/* The question that is being answered; a copy is kept. */
void last_words_set_question(const struct frame_header *question);

/* Whether a frame is being written. */
void last_words_hold(bool writing);

/* What is mapped of the dataset: these `units` ("rows", "bytes"). An empty mapping: nothing. A copy is kept. */
void last_words_set_mapping(const struct mapping *mapping, const char *units, struct range what);

#endif
