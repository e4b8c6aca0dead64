/*
 * What takes too long for every day: a death at each byte of each frame of each worker, in a run of its own, and a flip
 * of each bit of each frame. `make soak` runs it. It is cut into tests that take some minutes at most; each says on
 * standard error which frame is done.
 */
#include "tests/end_to_end/fault_run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

TestSuite(soak_each_byte, .init = fault_lab_enter, .fini = fault_lab_leave, .timeout = 1800);
TestSuite(soak_each_bit, .init = fault_lab_enter, .fini = fault_lab_leave, .timeout = 1800);

enum { WORKERS = 4 };

/* A frame whose length has grown is noticed no earlier. No other flip needs a deadline to be noticed. */
static const double DEADLINE_S = 0.25;
enum { LENGTH_FIRST = 8, LENGTH_LAST = 11 }; /* the length's bytes: see common/PROTOCOL.md */

/* At the least: ASSIGN and READY twice, then three rounds, three epochs and the metrics, and STOP. */
static unsigned fewest_frames(const char *site)
{
	if (strcmp(site, "stop.read") == 0)
		return 1;
	return strcmp(site, "assign.read") == 0 || strcmp(site, "ready.write") == 0 ? 2 : 7;
}

struct progress {
	const char *suite;
	const char *site;
	unsigned workers;
	unsigned runs;
	time_t start;
};

static void report(struct progress *progress, unsigned frame)
{
	fprintf(stderr, "%s: %s of %u: frame %u is done, %u runs in %ld s\n", progress->suite, progress->site,
	        progress->workers, frame + 1, progress->runs, (long)(time(NULL) - progress->start));
}

/* Each worker's `skip`th frame at the site. */
static bool find_frames(const char *site, unsigned workers, unsigned skip, size_t *lengths)
{
	char which[32];
	snprintf(which, sizeof which, "\"skip\": %u", skip);
	return frame_lengths(site, workers, which, lengths);
}

static void kill_one_at(const char *site, unsigned workers, unsigned worker, unsigned skip, size_t byte)
{
	char faults[256];
	snprintf(faults, sizeof faults,
	        "[{\"kind\": \"kill\", \"site\": \"%s\", \"worker\": %u, \"skip\": %u, \"byte\": %zu}]", site, worker,
	        skip, byte);
	struct run_result result = fault_run(&(struct fault_run){.faults = faults, .workers = workers});
	expect_identical(&result, faults);
	cr_expect(fault_has_fired("kill", site), "%s has not happened", faults);
	run_result_release(&result);
}

/* One worker at a time; the last time when all bytes have passed. */
static void kill_at_each_byte(const char *site, unsigned workers)
{
	struct progress progress = {"soak_each_byte", site, workers, 0, time(NULL)};
	size_t lengths[WORKERS];
	unsigned skip = 0;
	for (; find_frames(site, workers, skip, lengths); skip++) {
		for (unsigned worker = 0; worker < workers; worker++)
			for (size_t byte = 0; byte <= lengths[worker]; byte++, progress.runs++)
				kill_one_at(site, workers, worker, skip, byte);
		report(&progress, skip);
	}
	cr_expect(skip >= fewest_frames(site), "only %u frames at %s", skip, site);
}

/* Is the byte one of any worker's frame's length? Behind the end of a shorter one it is counted from its start on. */
static bool is_of_length(size_t byte, const size_t *lengths, unsigned workers)
{
	for (unsigned worker = 0; worker < workers; worker++) {
		size_t at = byte % lengths[worker];
		if (at >= LENGTH_FIRST && at <= LENGTH_LAST)
			return true;
	}
	return false;
}

/* All workers at once, each at the same bit of its frame; a bit behind the end of a shorter one is one from its start.
 */
static void flip_each_bit(const char *site, unsigned workers)
{
	struct progress progress = {"soak_each_bit", site, workers, 0, time(NULL)};
	size_t lengths[WORKERS];
	unsigned skip = 0;
	for (; find_frames(site, workers, skip, lengths); skip++) {
		size_t longest = 0;
		for (unsigned worker = 0; worker < workers; worker++)
			longest = lengths[worker] > longest ? lengths[worker] : longest;
		struct frame_strike strike = {.kind = "flip", .skip = skip};
		snprintf(strike.site, sizeof strike.site, "%s", site);
		for (size_t bit = 0; bit < 8 * longest; bit++, progress.runs++) {
			strike.byte = bit / 8;
			strike.bit = bit % 8;
			strike.timeout_s = is_of_length(strike.byte, lengths, workers) ? DEADLINE_S : 0;
			strike_frame(&strike, workers);
		}
		report(&progress, skip);
	}
	cr_expect(skip >= fewest_frames(site), "only %u frames at %s", skip, site);
}

/* Those before the first epoch and those of the metrics are among the frames of a site. */
#define FOR_EACH_NUMBER_OF_WORKERS(SUITE, STRIKE, NAME, SITE) \
	Test(SUITE, NAME##_of_1)                              \
	{                                                     \
		STRIKE(SITE, 1);                              \
	}                                                     \
	Test(SUITE, NAME##_of_2)                              \
	{                                                     \
		STRIKE(SITE, 2);                              \
	}                                                     \
	Test(SUITE, NAME##_of_3)                              \
	{                                                     \
		STRIKE(SITE, 3);                              \
	}                                                     \
	Test(SUITE, NAME##_of_4)                              \
	{                                                     \
		STRIKE(SITE, 4);                              \
	}

#define FOR_EACH_SITE(SUITE, STRIKE)                                                \
	FOR_EACH_NUMBER_OF_WORKERS(SUITE, STRIKE, assign_read, "assign.read")       \
	FOR_EACH_NUMBER_OF_WORKERS(SUITE, STRIKE, ready_write, "ready.write")       \
	FOR_EACH_NUMBER_OF_WORKERS(SUITE, STRIKE, params_read, "params.read")       \
	FOR_EACH_NUMBER_OF_WORKERS(SUITE, STRIKE, gradient_write, "gradient.write") \
	FOR_EACH_NUMBER_OF_WORKERS(SUITE, STRIKE, stop_read, "stop.read")

FOR_EACH_SITE(soak_each_byte, kill_at_each_byte)
FOR_EACH_SITE(soak_each_bit, flip_each_bit)
