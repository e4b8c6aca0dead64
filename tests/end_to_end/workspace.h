/*
 * A directory for one test, in which the program runs with its configuration run.json. A suite names workspace_open as
 * its .init and workspace_close as its .fini, which is called after a failed assertion too.
 */
#ifndef FORKFIT_TESTS_END_TO_END_WORKSPACE_H
#define FORKFIT_TESTS_END_TO_END_WORKSPACE_H

#include "tests/end_to_end/harness.h"

void workspace_open(void);
void workspace_close(void);

const char *workspace(void);

/* The path of a file in it, for as long as it is open. */
const char *workspace_path(const char *name);

/* The names of the files in it, in order, with a blank between them; to be freed. */
char *workspace_files(void);

/* Writes run.json, in the words of printf. */
__attribute__((format(printf, 1, 2))) void workspace_configure(const char *format, ...);

/* The program with run.json and at least one more argument, as run_start and run_program take it. */
#define TRAINING(...) RUN_ARGV(coordinator_path(), "--config", "run.json", __VA_ARGS__)

/* They set the options' directory; options may be NULL. */
struct run *workspace_start(const char *const argv[], const struct run_options *options);
struct run_result workspace_run(const char *const argv[], const struct run_options *options);

/* Runs it, and fails the test where it ends otherwise. */
void workspace_run_to(int exit_code, const char *const argv[]);

void workspace_expect_same_bytes(const char *one, const char *other);

/* The model that a run with --json has printed; it must have ended well. The caller decrefs it. */
json_t *model_of(const struct run_result *result);

/* Runs with TRAINING("--json", …) and returns the model. */
#define TRAIN(...) workspace_train(TRAINING("--json", __VA_ARGS__))
json_t *workspace_train(const char *const argv[]);

#endif
