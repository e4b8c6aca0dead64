#include "tests/end_to_end/outside_sweep.h"

#include "tests/end_to_end/harness.h"
#include "tests/end_to_end/plausible_errors_linux.h"

#include <criterion/criterion.h>
#include <errno.h>

/* Each interruption takes a signal: as many in a row as nobody ever sends. */
enum { INTERRUPTIONS = 100 };

static void require(enum outside_means means)
{
	if (!outside_can(means))
		cr_skip_test("the means are not here");
}

void sweep_worker_deaths(const struct outside_run *run)
{
	require(OUTSIDE_SYSTEM_CALL);
	for (unsigned worker = 1; worker <= run->workers; worker++) {
		struct outside_run struck = *run;
		struck.strike = (struct outside_strike){.process = worker, .call = -1, .from = 1, .times = 1};
		for (; !outside_missed(); struck.strike.from++)
			outside_start(&struck, OUTSIDE_IDENTICAL);
		/* To load, three questions at least, three epochs, the metrics, and to leave. */
		cr_expect(outside_finish() > 25, "worker %u was hardly killed", worker);
	}
}

void sweep_coordinator_deaths(const struct outside_run *run)
{
	require(OUTSIDE_SYSTEM_CALL);
	struct outside_run struck = *run;
	struck.strike = (struct outside_strike){.process = 0, .call = -1, .from = 1, .times = 1};
	for (; !outside_missed(); struck.strike.from++)
		outside_start(&struck, OUTSIDE_KILLED);
	cr_expect(outside_finish() > 100, "the coordinator was hardly killed");
}

/* From each place on for ever, or only from the first and the middle: waiting for deadlines takes long. */
static bool is_place_for_ever(unsigned from, unsigned long count, enum outside_errors errors)
{
	return errors == OUTSIDE_ALL_ERRORS || from == 1 || from == count / 2;
}

static void fail_call(
        struct outside_run *run, const struct plausible_errors *call, unsigned long count, enum outside_errors errors)
{
	size_t kinds = 0;
	while (kinds < PLAUSIBLE_ERRORS_MAX && call->errors[kinds] != 0)
		kinds++;
	for (unsigned from = 1; from <= count; from++) {
		for (size_t kind = 0; kind < kinds; kind++) {
			int failure = call->errors[kind];
			run->strike = (struct outside_strike){.call = call->call, .from = from, .failure = failure};
			if (errors == OUTSIDE_ALL_ERRORS || from % kinds == kind) {
				run->strike.times = 1;
				outside_start(run, call->survived ? OUTSIDE_IDENTICAL : OUTSIDE_IDENTICAL_OR_CLEAN);
			}
			if (is_place_for_ever(from, count, errors)) {
				run->strike.times = failure == EINTR ? INTERRUPTIONS : 0;
				outside_start(run, OUTSIDE_IDENTICAL_OR_CLEAN);
			}
		}
	}
}

void sweep_failing_calls(const struct outside_run *run, enum outside_errors errors)
{
	require(OUTSIDE_SYSTEM_CALL);
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer makes calls of its own, and gives up when they fail");
	struct outside_run struck = *run;
	struck.strike = (struct outside_strike){.call = -1};
	struct outside_report report = outside_undisturbed(&struck);
	for (long number = 0; number < (long)(sizeof report.calls / sizeof *report.calls); number++) {
		if (report.calls[number] == 0)
			continue;
		const struct plausible_errors *call = plausible_errors_of(number);
		cr_expect(call != NULL, "the coordinator makes system call %ld: which errors are plausible?", number);
		if (call == NULL || call->errors[0] == 0)
			continue;
		fail_call(&struck, call, report.calls[number], errors);
	}
	/* Some are made only where somebody has to be waited for. */
	cr_expect(outside_finish() > 30, "hardly any call failed");
}

void sweep_failing_allocations(const struct outside_run *run, unsigned process, unsigned stride)
{
	require(OUTSIDE_ALLOCATION);
	struct outside_run struck = *run;
	struck.strike = (struct outside_strike){.means = OUTSIDE_ALLOCATION, .process = process};
	unsigned long count = outside_undisturbed(&struck).seen;
	cr_expect(count > 0, "process %u allocates nothing", process);
	for (struck.strike.from = 1; struck.strike.from <= count; struck.strike.from += stride) {
		for (struck.strike.times = 0; struck.strike.times <= 1; struck.strike.times++)
			outside_start(&struck, OUTSIDE_IDENTICAL_OR_CLEAN);
	}
	cr_expect(outside_finish() > count / stride, "few of %lu allocations failed", count);
}
