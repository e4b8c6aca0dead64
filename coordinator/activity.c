#include "coordinator/activity.h"

#include <stdlib.h>
#include <string.h>

/* The shortest bin: a run that is over sooner than 256 of them, 17 ms, is drawn in fewer. */
#define FIRST_BIN_NS UINT64_C(65536)

void activity_init(struct activity *activity)
{
	*activity = (struct activity){.bin_ns = FIRST_BIN_NS};
}

void activity_release(struct activity *activity)
{
	free(activity->workers);
	activity->workers = NULL;
	activity->allocated = 0;
}

static void fold(float bins[ACTIVITY_BINS])
{
	for (size_t i = 0; i < ACTIVITY_BINS / 2; i++)
		bins[i] = bins[2 * i] + bins[2 * i + 1];
	memset(bins + ACTIVITY_BINS / 2, 0, ACTIVITY_BINS / 2 * sizeof *bins);
}

static void reach(struct activity *activity, uint64_t end_ns)
{
	while (end_ns / ACTIVITY_BINS >= activity->bin_ns) {
		activity->bin_ns *= 2;
		for (uint32_t i = 0; i < activity->allocated; i++) {
			fold(activity->workers[i].busy);
			fold(activity->workers[i].lost);
		}
	}
}

static bool allocate(struct activity *activity, uint32_t count)
{
	struct activity_worker *more = realloc(activity->workers, count * sizeof *more);
	if (more == NULL)
		return false;
	memset(more + activity->allocated, 0, (count - activity->allocated) * sizeof *more);
	activity->workers = more;
	activity->allocated = count;
	return true;
}

bool activity_add(struct activity *activity, uint32_t worker, struct range time, bool lost)
{
	if (worker >= activity->count)
		activity->count = worker + 1;
	if (worker >= ACTIVITY_WORKERS || time.end <= time.begin)
		return true;
	if (worker >= activity->allocated && !allocate(activity, worker + 1))
		return false;
	reach(activity, time.end);
	struct activity_worker *of = &activity->workers[worker];
	of->busy_ns += lost ? 0 : time.end - time.begin;
	float *bins = lost ? of->lost : of->busy;
	for (uint64_t at = time.begin; at < time.end;) {
		uint64_t bin = at / activity->bin_ns;
		uint64_t end = (bin + 1) * activity->bin_ns < time.end ? (bin + 1) * activity->bin_ns : time.end;
		bins[bin] += (float)(end - at);
		at = end;
	}
	return true;
}

uint32_t activity_bins(const struct activity *activity, uint64_t end_ns)
{
	uint64_t bins = (end_ns + activity->bin_ns - 1) / activity->bin_ns;
	return bins < 1 ? 1 : bins > ACTIVITY_BINS ? ACTIVITY_BINS : (uint32_t)bins;
}

/* Nothing is 0, and hardly anything more than that. */
static char digit(float ns, uint64_t bin_ns)
{
	float level = ns / (float)bin_ns * (ACTIVITY_LEVELS - 1);
	if (ns <= 0.0F)
		return '0';
	return (char)('0' + (level < 1.0F                         ? 1
	                            : level > ACTIVITY_LEVELS - 1 ? ACTIVITY_LEVELS - 1
	                                                          : (int)(level + 0.5F)));
}

void activity_digits(const struct activity *activity, uint32_t worker, bool lost, uint32_t bins, char *text)
{
	for (uint32_t i = 0; i < bins; i++) {
		const struct activity_worker *of = worker < activity->allocated ? &activity->workers[worker] : NULL;
		text[i] = of == NULL ? '0' : digit(lost ? of->lost[i] : of->busy[i], activity->bin_ns);
	}
	text[bins] = '\0';
}
