/*
 * Runs in the workspace that go on until something ends them; a lost worker does. Their model goes to the file model,
 * their events to the file events.
 */
#ifndef FORKFIT_TESTS_END_TO_END_LONG_RUN_H
#define FORKFIT_TESTS_END_TO_END_LONG_RUN_H

#include "tests/end_to_end/workspace.h"

enum { LONG_RUN_WORKERS = 3 };

/* Writes x.npy, over which a pass takes some milliseconds, and run.json with epochs without end. */
void long_run_prepare(void);

/* Starts with --json --quiet and one more setting, and waits until some epochs are done. */
struct run *long_run_start(const char *setting);

/* Writes x.csv, which takes long to load, and run.json; starts, and waits until the first worker is there. */
struct run *long_load_start(void);

/* The pid of a worker of the run. */
pid_t long_run_pid(unsigned worker);

#endif
