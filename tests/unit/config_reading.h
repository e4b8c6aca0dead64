/* Reading a configuration from text, as the tests of it do. Whatever cannot be done around it fails the test. */
#ifndef FORKFIT_TESTS_CONFIG_READING_H
#define FORKFIT_TESTS_CONFIG_READING_H

#include "coordinator/config.h"

#include <stdbool.h>
#include <stddef.h>

/* For a suite's .init and .fini: the test runs in a directory of its own, which is removed with what lies in it. */
void scratch_enter(void);
void scratch_leave(void);

void write_file(const char *path, const char *bytes, size_t length);

/* The text of a file, for the caller to free; NULL: there is none. */
char *read_file(const char *path);

struct reading {
	bool ok;
	struct config config; /* if ok */
	struct error error;   /* else */
};

/* Writes the text to `path` and reads it from there. overrides: up to a NULL, or NULL for none. */
struct reading read_config_from(const char *path, const char *text, const char *const *overrides);

/* The same with run.json in the scratch directory. */
struct reading read_config(const char *text, const char *const *overrides);
void reading_release(struct reading *reading);

bool faults_equal(const struct fault *one, const struct fault *other);

/* Are they the same to the bit, paths and source included? */
bool configs_equal(const struct config *one, const struct config *other);

#endif
