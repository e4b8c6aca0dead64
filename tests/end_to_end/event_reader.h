/* The event log of a run, read while it grows or when it is done. */
#ifndef FORKFIT_TESTS_END_TO_END_EVENT_READER_H
#define FORKFIT_TESTS_END_TO_END_EVENT_READER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The events of a type so far, in order, as an array of objects (NULL: of all types); the caller decrefs it. */
json_t *events_read(const char *path, const char *type);

/* Waits until there are so many events of the type. False: not within that time. */
bool events_wait(const char *path, const char *type, size_t count, double seconds);

/* The pid of a worker, which must have been forked. */
pid_t events_pid(const char *path, unsigned worker);

/* The text of each epoch's loss as the log has it, a line each, to be freed. */
char *events_losses(const char *path);

#endif
