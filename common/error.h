/*
 * Errors are values: a function that can fail returns false and fills a struct error, its callers hand that
 * up unchanged, and main prints it once and turns its code into the exit status.
 */
#ifndef FORKFIT_COMMON_ERROR_H
#define FORKFIT_COMMON_ERROR_H

#include <stdbool.h>

/* The exit statuses of the program. The numbers from 64 up are those of sysexits.h. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_DIVERGED = 3,        /* the loss rose or was not finite */
	EXIT_WORKERS_LOST = 4,    /* a worker was lost and the policy does not recover it */
	EXIT_CAMPAIGN_FAILED = 5, /* a run of a campaign was wrong, hung or left something behind */
	EXIT_BAD_USAGE = 64,
	EXIT_BAD_DATASET = 65,
	EXIT_INPUT_MISSING = 66,
	EXIT_OS_ERROR = 71,
	EXIT_OUTPUT_FAILED = 73,
	EXIT_BAD_CONFIGURATION = 78,
	EXIT_INTERRUPTED = 130, /* SIGINT, SIGTERM or SIGHUP */
};

struct error {
	enum exit_code code;
	char message[2048]; /* one line of valid UTF-8 without control characters, and no newline at the end */
};

/* Fill *error and return false, so that a failing function can end in `return error_set(...)`. */
__attribute__((format(printf, 3, 4))) bool error_set(struct error *error, enum exit_code code, const char *format, ...);

/* The same, with ": " and the text of errno behind the message. */
__attribute__((format(printf, 3, 4))) bool error_set_errno(
        struct error *error, enum exit_code code, const char *format, ...);

#endif
