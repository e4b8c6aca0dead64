/* A run with checkpoints in a directory of its own, for the tests of them. */
#ifndef FORKFIT_TESTS_END_TO_END_CHECKPOINT_RUN_H
#define FORKFIT_TESTS_END_TO_END_CHECKPOINT_RUN_H

#include "tests/end_to_end/harness.h"

/* For .init and .fini: makes a directory with data.csv and run.json in it, and makes it the working directory. */
void checkpoint_run_enter(void);
void checkpoint_run_leave(void);

/* What run.json names. */
#define CHECKPOINT "state"
#define CHECKPOINT_PREVIOUS "state.previous"

/* run.json ends after so many epochs, and a checkpoint is due every so many. */
enum { CHECKPOINT_EPOCHS = 400, CHECKPOINT_EVERY = 20 };

/* Rows of three features and a target with noise; `different` rows from the end on have another target. */
void checkpoint_run_write_data(const char *path, int rows, int different);

/* Arguments for run_program and run_start: --config run.json --json and what else is given. */
#define CHECKPOINT_RUN(...) RUN_ARGV(coordinator_path(), "--config", "run.json", "--json", __VA_ARGS__)

/* Runs to a good end; the standard output, to be freed. */
char *checkpoint_run_output(const char *const argv[]);

/* The epoch that a checkpoint is of. */
unsigned checkpoint_run_epoch(const char *path);

#endif
