#include "coordinator/loss.h"

#include "coordinator/system_call.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

const char *loss_cause_name(enum loss_cause cause)
{
	static const char *const names[] = {
	        [LOSS_DEATH] = "death",
	        [LOSS_PROTOCOL] = "protocol",
	        [LOSS_DEADLINE] = "deadline",
	        [LOSS_GAVE_UP] = "error",
	        [LOSS_NOT_FINITE] = "not_finite",
	        [LOSS_LIE] = "lie",
	        [LOSS_NOT_NEEDED] = "not_needed",
	};
	return names[cause];
}

void loss_describe_signal(const struct worker_error *error, char *text, size_t capacity)
{
	char call[96];
	if (error->offset < 0) {
		snprintf(text, capacity, "(%s)", error->text);
		return;
	}
	system_call_describe(error->offset, call, sizeof call);
	snprintf(text, capacity, "(%s: %s)", error->text, call);
}

void loss_describe_share(struct range bytes, struct range rows, char *text, size_t capacity)
{
	if (rows.end > rows.begin)
		snprintf(text, capacity, "rows %" PRIu64 " to %" PRIu64, rows.begin, rows.end - 1);
	else if (bytes.end > bytes.begin)
		snprintf(text, capacity, "bytes %" PRIu64 " to %" PRIu64, bytes.begin, bytes.end - 1);
	else
		snprintf(text, capacity, "no rows");
}

static void describe_cause(const struct loss *loss, char *text, size_t capacity)
{
	char status[96];
	process_status_text(loss->status, status, sizeof status);
	switch (loss->cause) {
	case LOSS_DEATH:
		if (loss->killed)
			snprintf(text, capacity, "closed its pipe but lived on, and was ended with SIGKILL");
		else
			snprintf(text, capacity, "%s%s%s", status, loss->detail[0] != '\0' ? " " : "", loss->detail);
		break;
	case LOSS_PROTOCOL:
		snprintf(text, capacity, "broke the protocol (%s) and was ended with SIGKILL", loss->detail);
		break;
	case LOSS_DEADLINE:
		snprintf(text, capacity, "did not answer within %s and was ended with SIGKILL", loss->detail);
		break;
	case LOSS_GAVE_UP:
		snprintf(text, capacity, "gave up: %s", loss->error.text);
		break;
	case LOSS_NOT_FINITE:
		snprintf(text, capacity, "answered with sums that are not numbers and was ended with SIGKILL");
		break;
	case LOSS_LIE:
		snprintf(text, capacity, "answered otherwise than %s and was ended with SIGKILL", loss->detail);
		break;
	case LOSS_NOT_NEEDED:
		snprintf(text, capacity, "was slower than another worker on the same rows and was ended with SIGKILL");
		break;
	}
}

void loss_describe(
        const struct loss *loss, struct range bytes, struct range rows, int64_t epoch, char *text, size_t capacity)
{
	char share[96], when[48] = "", cause[WIRE_TEXT_MAX + 64];
	loss_describe_share(bytes, rows, share, sizeof share);
	describe_cause(loss, cause, sizeof cause);
	if (epoch == 0)
		snprintf(when, sizeof when, " before the first epoch");
	else if (epoch > 0)
		snprintf(when, sizeof when, " in epoch %" PRId64, epoch);
	snprintf(text, capacity, "worker %" PRIu32 " (pid %ld, %s) %s%s", loss->worker, (long)loss->pid, share, cause,
	        when);
}
