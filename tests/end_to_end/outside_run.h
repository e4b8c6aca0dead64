/*
 * Runs that something from outside breaks into: a process is killed at one of its system calls, or a call or an
 * allocation of memory fails. Each must end with the bytes of a run that nothing has broken into, or with a clean
 * error: a documented status, one line that says why, no result that is not whole, and nothing left behind.
 *
 * Many of them are under way at a time, each in a directory of its own, since some wait for deadlines.
 */
#ifndef FORKFIT_TESTS_END_TO_END_OUTSIDE_RUN_H
#define FORKFIT_TESTS_END_TO_END_OUTSIDE_RUN_H

#include <stdbool.h>
#include <stddef.h>

/* Twelve rows of two columns in both formats; three epochs, a checkpoint after each, a model, an event log. */
enum outside_format { OUTSIDE_CSV, OUTSIDE_NPY };

enum outside_means { OUTSIDE_SYSTEM_CALL, OUTSIDE_ALLOCATION };

struct outside_strike {
	enum outside_means means;
	unsigned process; /* 0: the coordinator, 1: its first child, 2: its second, … */
	long call;        /* number of a system call; -1: any */
	unsigned from;    /* at which of the process's calls or allocations it begins, from 1; 0: never */
	unsigned times;   /* how many in a row; 0: all from there on */
	int failure;      /* errno of system calls; 0: the process is killed */
};

enum outside_command { OUTSIDE_TRAIN, OUTSIDE_RESUME, OUTSIDE_CHECK, OUTSIDE_CAMPAIGN };

struct outside_run {
	enum outside_command command;
	enum outside_format format;
	unsigned workers;
	struct outside_strike strike;
};

/* What happened; the numbers that a run of that means cannot tell are 0. */
struct outside_report {
	unsigned long fired; /* how often it struck; 0: the process never came so far */
	long struck_call;
	long struck_descriptor;
	double end_s;             /* from the coordinator's end to the last process's */
	unsigned long unattended; /* processes that the coordinator had not waited for */
	unsigned long left;       /* processes that did not end at all */
	unsigned long calls[512]; /* of the coordinator, by number */
	unsigned long seen;       /* allocations of the process */
};

/* For a suite's .init and .fini. */
void outside_enter(void);
void outside_leave(void);

/* Can the means be used here? A test that gets false is skipped. */
bool outside_can(enum outside_means means);

/* A run that nothing breaks into, and what it did. */
struct outside_report outside_undisturbed(const struct outside_run *run);

/* What a run must end in. */
enum outside_verdict {
	OUTSIDE_IDENTICAL,
	OUTSIDE_IDENTICAL_OR_CLEAN,
	OUTSIDE_KILLED, /* the coordinator: nobody is left after 100 ms, and --resume ends identically */
};

/*
 * Puts a run among those that are under way; may wait for others, and judges them. What is wrong with one fails the
 * test. outside_finish waits for all that are left, and says how many were struck since it was called last.
 */
void outside_start(const struct outside_run *run, enum outside_verdict verdict);
size_t outside_finish(void);

/* Has a run since outside_finish not been struck? Then it was asked for more than there was. */
bool outside_missed(void);

#endif
