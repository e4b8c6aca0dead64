#include "coordinator/injection.h"

#include "common/fault_log.h"
#include "coordinator/config_faults.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct injection {
	struct fault_plan plan;
	const struct event_stream *events;
	uint32_t *occurrences;     /* for each fault of the plan: the coordinator's occasions that matched so far */
	struct fault_log *own_log; /* the plan's, where nobody has brought one; else NULL */
	uint32_t taken;            /* records of the plan's log */
	bool keeps_fired;          /* they are asked for as a list; else a long run would hold them for nothing */
	struct fault *fired;
	size_t fired_count;
	size_t fired_capacity;
	bool incomplete; /* one of those that happened could not be kept */
};

bool injection_open(const struct config *config, const struct event_stream *events, struct fault_log *log,
        struct injection **injection, struct error *error)
{
	*injection = NULL;
	if (config->fault_count == 0 && config->chaos.rate <= 0.0)
		return true;
	struct injection *made = calloc(1, sizeof *made);
	if (made == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	made->plan.faults = config->faults;
	made->plan.count = config->fault_count;
	made->plan.chaos = config->chaos;
	made->events = events;
	made->keeps_fired = config->output.faults != NULL;
	made->occurrences = calloc(config->fault_count + 1, sizeof *made->occurrences);
	if (log == NULL)
		log = made->own_log = fault_log_new();
	made->plan.log = log;
	if (made->occurrences == NULL || made->plan.log == NULL) {
		injection_free(made);
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	}
	*injection = made;
	return true;
}

void injection_free(struct injection *injection)
{
	if (injection == NULL)
		return;
	fault_log_free(injection->own_log);
	free(injection->occurrences);
	free(injection->fired);
	free(injection);
}

const struct fault_plan *injection_plan(
        const struct injection *injection, uint32_t worker, uint32_t incarnation, struct fault_plan *plan)
{
	if (injection == NULL)
		return NULL;
	*plan = injection->plan;
	plan->worker = worker;
	plan->incarnation = incarnation;
	return plan;
}

static void keep(struct injection *injection, const struct fault *fault)
{
	if (injection->fired_count == injection->fired_capacity) {
		size_t capacity = injection->fired_capacity * 2 + 16;
		struct fault *more = realloc(injection->fired, capacity * sizeof *more);
		if (more == NULL) {
			injection->incomplete = true;
			return;
		}
		injection->fired = more;
		injection->fired_capacity = capacity;
	}
	injection->fired[injection->fired_count++] = *fault;
}

static void tell(
        struct injection *injection, const struct fault *fault, const struct fault_occasion *occasion, pid_t pid)
{
	struct event event = {
	        .type = EVENT_FAULT_FIRED,
	        .epoch = occasion->epoch,
	        .has_worker = fault_site_has_worker(fault->site),
	        .worker = occasion->worker,
	        .incarnation = occasion->incarnation,
	        .pid = pid,
	};
	event.fault_fired.fault = fault;
	if (injection->keeps_fired)
		keep(injection, fault);
	events_emit(injection->events, event);
}

void injection_report(struct injection *injection, bool last)
{
	struct fault_record record;
	if (injection == NULL)
		return;
	while (fault_log_take(injection->plan.log, &injection->taken, last, &record)) {
		const struct fault *fault = &record.fault;
		struct fault_occasion occasion = {fault->site, fault->worker, fault->incarnation, fault->epoch};
		if (fault_site_is_workers(fault->site)) /* the others were told as they happened */
			tell(injection, fault, &occasion, record.pid);
	}
}

/* What the kind does to the coordinator: it dies of it, or a system call fails with the errno that is returned. */
static int do_to_coordinator(enum fault_kind kind)
{
	switch (kind) {
	case FAULT_FORK_FAILS:
		return EAGAIN;
	case FAULT_NO_DESCRIPTORS:
		return EMFILE;
	case FAULT_NO_SPACE:
		return ENOSPC;
	default:
		raise(SIGKILL);
		return 0;
	}
}

static int strike(struct injection *injection, const struct fault_occasion *occasion)
{
	int failure = 0;
	for (size_t i = 0; i < injection->plan.count; i++) {
		struct fault fault = injection->plan.faults[i];
		if (!fault_matches(&fault, occasion))
			continue;
		uint32_t occurrence = injection->occurrences[i]++;
		if (!fault_fires(&fault, injection->plan.chaos.seed, occasion, occurrence))
			continue;
		fault.skip = occurrence;
		fault.times = 1;
		fault.p = 1.0;
		tell(injection, &fault, occasion, getpid());
		/* Also there, for whoever outlives this process. */
		fault_log_put(injection->plan.log, &fault, (int32_t)getpid());
		failure = do_to_coordinator(fault.kind);
	}
	return failure;
}

int fault_point(struct injection *injection, enum fault_site site, uint32_t epoch)
{
	struct fault_occasion occasion = {site, FAULT_ANY, FAULT_ANY, epoch};
	return injection == NULL ? 0 : strike(injection, &occasion);
}

int fault_point_fork(struct injection *injection, uint32_t worker, uint32_t incarnation, uint32_t epoch)
{
	struct fault_occasion occasion = {SITE_COORDINATOR_FORK, worker, incarnation, epoch};
	return injection == NULL ? 0 : strike(injection, &occasion);
}

int fault_point_step(const struct fault_points *points, enum fault_step step)
{
	if (points == NULL)
		return 0;
	enum fault_site site = (enum fault_site)((unsigned)points->draft + (unsigned)step);
	return fault_point(points->injection, site, points->epoch);
}

char *injection_text(const struct injection *injection)
{
	if (injection != NULL && injection->incomplete)
		return NULL;
	return config_faults_text(
	        injection == NULL ? NULL : injection->fired, injection == NULL ? 0 : injection->fired_count);
}
