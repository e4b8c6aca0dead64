#include "coordinator/campaign_verdict.h"

#include "common/error.h"

#include <stdio.h>

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
	        [VERDICT_IDENTICAL] = "identical",
	        [VERDICT_CLEAN_ERROR] = "clean error",
	        [VERDICT_WRONG] = "wrong",
	        [VERDICT_HANG] = "hang",
	        [VERDICT_LEAK] = "leak",
	};
	_Static_assert(sizeof names / sizeof *names == VERDICT_COUNT, "a name for every verdict");
	return names[verdict];
}

bool verdict_is_failure(enum verdict verdict)
{
	return verdict != VERDICT_IDENTICAL && verdict != VERDICT_CLEAN_ERROR;
}

/*
 * The data, the configuration and the user are not at fault when a worker is: other statuses would blame them. But who
 * goes on without rows may diverge on those that are left.
 */
static bool is_brought_by_faults(const struct evidence *evidence)
{
	int status = evidence->status;
	return status == EXIT_WORKERS_LOST || status == EXIT_OS_ERROR || status == EXIT_OUTPUT_FAILED ||
	       (status == EXIT_DIVERGED && evidence->may_degrade);
}

/* NULL: nothing is wrong with how a run ended that was killed. */
static const char *wrong_with_death(const struct evidence *evidence)
{
	if (!evidence->kill_was_asked)
		return "it died of a signal that no fault sent";
	/* A kill can come when the model is complete; one that lacks rows cannot be compared. */
	if (evidence->has_result && !evidence->result_is_same && !evidence->may_degrade)
		return "killed, it left another result, or half of one";
	return NULL;
}

static const char *wrong_with_error(const struct evidence *evidence)
{
	if (!is_brought_by_faults(evidence))
		return "no fault should bring this exit status";
	if (evidence->message_lines != 1 || !evidence->message_is_ours)
		return "its error is not one line of forkfit's";
	bool is_degraded = evidence->status == EXIT_WORKERS_LOST && evidence->may_degrade;
	/* The result is there, and a checkpoint or the event log is not. */
	bool is_beside = evidence->status == EXIT_OUTPUT_FAILED && evidence->result_is_same;
	if (evidence->has_result && !is_degraded && !is_beside)
		return "it gave a result all the same";
	return NULL;
}

static const char *wrong_with_success(const struct evidence *evidence)
{
	if (!evidence->result_is_same)
		return "its result is not that of the run without faults";
	return evidence->message_lines > 0 ? "it succeeded with a message on standard error" : NULL;
}

static bool has_leaked(const struct evidence *evidence, char *reason, size_t capacity)
{
	if (evidence->processes > 0)
		snprintf(reason, capacity, "it left %u process%s", evidence->processes,
		        evidence->processes == 1 ? "" : "es");
	else if (evidence->descriptors > 0) /* fewer has who came to an error before it opened them all */
		snprintf(reason, capacity, "it ended with %+d open descriptors", evidence->descriptors);
	else if (evidence->files > 0)
		snprintf(reason, capacity, "it left %u file%s: %s", evidence->files, evidence->files == 1 ? "" : "s",
		        evidence->file_name);
	else
		return false;
	return true;
}

enum verdict verdict_of(const struct evidence *evidence, char *reason, size_t capacity)
{
	const char *wrong;
	bool success = !evidence->was_signalled && evidence->status == EXIT_OK;
	if (evidence->timed_out) {
		snprintf(reason, capacity, "it did not end in time");
		return VERDICT_HANG;
	}
	if (evidence->is_resumed && !success)
		wrong = "resumed from its checkpoint, it gave no result";
	else if (evidence->was_signalled)
		wrong = wrong_with_death(evidence);
	else
		wrong = success ? wrong_with_success(evidence) : wrong_with_error(evidence);
	if (wrong != NULL) {
		snprintf(reason, capacity, "%s%s", evidence->is_resumed && success ? "resumed: " : "", wrong);
		return VERDICT_WRONG;
	}
	if (has_leaked(evidence, reason, capacity))
		return VERDICT_LEAK;
	snprintf(reason, capacity, success ? "the same result" : "an error that says what happened");
	return success ? VERDICT_IDENTICAL : VERDICT_CLEAN_ERROR;
}
