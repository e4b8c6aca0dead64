/* The sink that writes every event as one line of JSON (output.events). */
#ifndef FORKFIT_COORDINATOR_EVENT_LOG_H
#define FORKFIT_COORDINATOR_EVENT_LOG_H

#include "common/error.h"
#include "coordinator/events.h"

#include <stdbool.h>

struct event_log;

/* Creates the file, or empties it. NULL: *error has code EXIT_OUTPUT_FAILED. */
struct event_log *event_log_open(const char *path, struct error *error);

struct event_sink event_log_sink(struct event_log *log);

/* False: a line could not be written (from there on none was), and *error says why. Frees the log in any case. */
bool event_log_close(struct event_log *log, struct error *error);

#endif
