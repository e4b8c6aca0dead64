/*
 * What a run with faults may end in: the result of the run without, or an error that says so. Everything else is a
 * defect of the program. Pure.
 */
#ifndef FORKFIT_COORDINATOR_CAMPAIGN_VERDICT_H
#define FORKFIT_COORDINATOR_CAMPAIGN_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

enum verdict {
	VERDICT_IDENTICAL,   /* exit status 0 and the same bytes */
	VERDICT_CLEAN_ERROR, /* an exit status that a fault may bring, one line that says why, and no result */
	VERDICT_WRONG,       /* other bytes, another status, a signal that nobody asked for */
	VERDICT_HANG,        /* it did not end in time */
	VERDICT_LEAK,        /* a process, a descriptor or a file was left */
	VERDICT_COUNT
};

/* "identical", "clean error", … */
const char *verdict_name(enum verdict verdict);
bool verdict_is_failure(enum verdict verdict);

/* What was seen of a run. */
struct evidence {
	bool timed_out;      /* it was killed for that: nothing below says anything */
	bool was_signalled;  /* it died of a signal … */
	int status;          /* … which is this; or else the exit status */
	bool kill_was_asked; /* a fault has killed the coordinator */
	bool is_resumed;     /* it is the same run again, without faults, from the checkpoint that it has left */
	bool was_resumed;    /* … which then was as it should be: for the tally */
	bool has_result;     /* there is something on standard output, or a model file */
	bool result_is_same; /* and all of it is, to the byte, what the run without faults gave */
	bool may_degrade;    /* the policy goes on without a lost worker's rows, and says so with the result */
	unsigned message_lines;
	bool message_is_ours; /* it begins with "coordinator: " */
	unsigned processes;   /* that were left */
	int descriptors;      /* open at the end, and not in the run without faults */
	unsigned files;       /* that were left and are not outputs */
	char file_name[64];   /* one of them */
};

/* `reason` becomes a phrase that says why, for a person. */
enum verdict verdict_of(const struct evidence *evidence, char *reason, size_t capacity);

#endif
