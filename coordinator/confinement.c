#include "coordinator/confinement.h"

#include "coordinator/machine.h"

#include <errno.h>

/* Of the memory that is free, so much may hold parsed numbers; the rest is for the page cache and everybody else. */
static const double cache_share = 0.7;

/* Of the memory that a worker may have, so much; it also needs some for what it maps and what it answers. */
static const double cache_share_of_limit = 0.5;

bool confinement_init(struct confinement *confinement, const struct config *config, const struct event_stream *events,
        struct error *error)
{
	*confinement = (struct confinement){
	        .isolation =
	                {
	                        .enabled = config->isolation.enabled,
	                        .max_memory_mb = config->isolation.max_memory_mb,
	                        .max_cpu_s = config->isolation.max_cpu_s,
	                },
	};
	if (!config->isolation.enabled)
		return true;
	bool with_faults = config->fault_count > 0 || config->chaos.rate > 0.0;
	int reason = system_call_filter_new(&confinement->filter, with_faults);
	if (reason == ENOSYS) {
		struct event event = {.type = EVENT_NOTE};
		event.note.text = "this kernel has no system call filters (seccomp): the workers go without";
		events_emit(events, event);
	} else if (reason != 0 && reason != ENOTSUP) {
		errno = reason;
		return error_set_errno(error, EXIT_OS_ERROR, "cannot make the workers' system call filter");
	}
	confinement->isolation.filter = confinement->filter;
	return true;
}

void confinement_release(struct confinement *confinement)
{
	system_call_filter_free(confinement->filter);
	confinement->filter = NULL;
}

uint64_t confinement_cache_bytes(const struct config *config, uint32_t workers)
{
	double share = (double)machine_available_memory() * cache_share / workers;
	double limit = (double)config->isolation.max_memory_mb * 1048576 * cache_share_of_limit;
	return (uint64_t)(limit > 0 && limit < share ? limit : share);
}
