/*
 * Runs with faults on a dataset so small that frames are of a hundred bytes: twelve rows of two columns in a directory
 * of the test's own. Three epochs, restarts without limit.
 */
#ifndef FORKFIT_TESTS_END_TO_END_FAULT_RUN_H
#define FORKFIT_TESTS_END_TO_END_FAULT_RUN_H

#include "tests/end_to_end/harness.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* For a suite's .init and .fini: the directory, and what a run without faults says. */
void fault_lab_enter(void);
void fault_lab_leave(void);
const char *fault_lab(void);
const char *fault_free_result(void);

struct fault_run {
	const char *faults;   /* the list's text; NULL: none */
	unsigned workers;     /* 0: three */
	double timeout_s;     /* of a worker; 0: one that no healthy worker misses */
	const char *more;     /* further members of the configuration, as in "\"chaos\": {…}"; NULL: none */
	const char *recovery; /* further members of its recovery; NULL: none */
};

/* Standard output is JSON. The session must end, and the run must not be timed out. */
struct run_result fault_run(const struct fault_run *run);

/* The faults that happened in the last run that ended by itself; the caller decrefs it. */
json_t *faults_fired(void);
bool fault_has_fired(const char *kind, const char *site);

/* Is it the result of a run without faults, to the bit? If not, says so. */
void expect_identical(const struct run_result *result, const char *faults);

/*
 * Puts faults of one kind to every byte (and every bit, if `bits`) of the frame that passes at a site, by as few runs
 * as possible: each incarnation of each worker is lost at the next byte, and so is the one that replaces it. Every one
 * of them must happen, and every result be identical.
 */
struct frame_sweep {
	char kind[16];
	char site[16];
	bool loading; /* the frame passes when a worker loads, else in every epoch */
	bool bits;
	double timeout_s;
};
void sweep_frame(const struct frame_sweep *sweep, unsigned workers);

/* Strikes every worker at once, each at its frame that passes as the `skip`th at the site, in whatever epoch. */
struct frame_strike {
	char kind[16];
	char site[16];
	unsigned skip;
	size_t byte;
	size_t bit;
	double timeout_s;
};
/* Every worker must be struck and, if a bit was flipped of a frame before the last, be lost; the result be identical.
 */
void strike_frame(const struct frame_strike *strike, unsigned workers);

/*
 * The length in bytes of one of each worker's frames at the site; which: as in "\"skip\": 2" or "\"epoch\": 1". False:
 * there is none.
 */
bool frame_lengths(const char *site, unsigned workers, const char *which, size_t *lengths);

#endif
