#define _GNU_SOURCE
#include "worker/isolation.h"

#include "common/calls.h"
#include "worker/system_calls.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* Standard input, output and error, and the dataset until it is mapped. */
enum { DESCRIPTORS = 4 };

bool isolation_enter(pid_t parent)
{
	calls_begin(CALL_DIE_WITH, SIGKILL);
	calls_end(prctl(PR_SET_PDEATHSIG, SIGKILL));
	/* Asked for after a parent's death, the signal never comes; the parent's pid tells. */
	calls_begin(CALL_GETPPID, 0);
	pid_t present = getppid();
	calls_end(present);
	if (present != parent)
		return false;
	calls_begin(CALL_CLOSEFROM, STDERR_FILENO + 1);
	closefrom(STDERR_FILENO + 1);
	calls_end(0);
	return true;
}

/* Makes a limit lower, never higher. */
static bool limit(__rlimit_resource_t resource, rlim_t soft, rlim_t hard)
{
	struct rlimit now;
	if (getrlimit(resource, &now) != 0)
		return false;
	struct rlimit wanted = {
	        .rlim_cur = soft < now.rlim_cur ? soft : now.rlim_cur,
	        .rlim_max = hard < now.rlim_max ? hard : now.rlim_max,
	};
	calls_begin(CALL_SETRLIMIT, (int64_t)resource, (int64_t)wanted.rlim_cur, (int64_t)wanted.rlim_max);
	int result = setrlimit(resource, &wanted);
	calls_end(result);
	return result == 0;
}

/* The address space of this process, in bytes; 0 where /proc does not say: then the limit is tighter. */
static uint64_t address_space(void)
{
	uint64_t pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* RLIMIT_AS makes mmap(2) and malloc(3) fail, so that the worker can do with less or say what is wrong. */
static bool limit_memory(uint64_t max_memory_mb)
{
	rlim_t most = address_space() + (max_memory_mb << 20);
	return max_memory_mb == 0 || ISOLATION_SANITIZED || limit(RLIMIT_AS, most, most);
}

/* The soft limit is SIGXCPU, which can be told apart; a second later the hard one is SIGKILL. */
static bool limit_cpu(uint64_t max_cpu_s)
{
	return max_cpu_s == 0 || limit(RLIMIT_CPU, max_cpu_s, max_cpu_s + 1);
}

int isolation_confine(const struct isolation *isolation)
{
	if (!limit_memory(isolation->max_memory_mb) || !limit_cpu(isolation->max_cpu_s))
		return errno;
	if (!isolation->enabled)
		return 0;
	if (!limit(RLIMIT_CORE, 0, 0) || !limit(RLIMIT_NOFILE, DESCRIPTORS, DESCRIPTORS))
		return errno;
	calls_begin(CALL_PRIVILEGES, 0);
	int result = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	calls_end(result);
	if (result != 0)
		return errno;
	return isolation->filter == NULL ? 0 : system_call_filter_install(isolation->filter);
}
