/*
 * What the machine can do without forkfit: the limits that `make bench` holds its figures against. Each probe is the
 * least that any program of forkfit's shape must do, written without regard to anything else. It prints seconds.
 */
#ifndef FORKFIT_TESTS_BENCH_PROBE_H
#define FORKFIT_TESTS_BENCH_PROBE_H

#include <stdint.h>
#include <sys/types.h>

/* Every probe takes its own arguments and returns an exit status. */
int probe_stream(char **arguments);
int probe_rounds(char **arguments);
int probe_idle(char **arguments);
int probe_disk(char **arguments);
int probe_generate(char **arguments);

/* The monotonic clock, in seconds. */
double probe_now(void);

/* The argument as a number from 1 on; anything else ends the process. */
uint64_t probe_number(const char *argument);

/* Ends the process unless ok, with what failed and errno's text. */
void probe_check(int ok, const char *what);

/* Memory that the caller and its children share, zeroed. */
void *probe_share(size_t length);

/* Waits for so many children; all must have left with status 0. */
void probe_wait(uint64_t children);

/* The bounds of part `part` of `parts` of a length, cut at multiples of `unit`. */
uint64_t probe_cut(uint64_t length, uint64_t unit, uint64_t part, uint64_t parts);

#endif
