#define _GNU_SOURCE
#include "coordinator/machine.h"

#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Where control groups show this process's own limits: version 2, then version 1. */
static const char *const cpu_max = "/sys/fs/cgroup/cpu.max";
static const char *const cpu_quota_v1 = "/sys/fs/cgroup/cpu/cpu.cfs_quota_us";
static const char *const cpu_period_v1 = "/sys/fs/cgroup/cpu/cpu.cfs_period_us";

/* One directory's memory limit and use, in the two versions' names. */
static const struct {
	const char *root;
	const char *controller; /* as /proc/self/cgroup names it */
	const char *limit;
	const char *usage;
} memory_files[] = {
        {"/sys/fs/cgroup", "", "memory.max", "memory.current"},
        {"/sys/fs/cgroup/memory", "memory", "memory.limit_in_bytes", "memory.usage_in_bytes"},
};

/* The first number in a file; false where there is none ("max"). */
static bool read_number(const char *path, int64_t *number)
{
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return false;
	bool read = fscanf(file, "%" SCNd64, number) == 1;
	fclose(file);
	return read;
}

static bool read_cpu_quota(double *cpus)
{
	int64_t quota, period;
	FILE *file = fopen(cpu_max, "re");
	bool read = false;
	if (file != NULL) {
		read = fscanf(file, "%" SCNd64 " %" SCNd64, &quota, &period) == 2;
		fclose(file);
	}
	if (!read)
		read = read_number(cpu_quota_v1, &quota) && read_number(cpu_period_v1, &period);
	if (!read || quota <= 0 || period <= 0)
		return false;
	*cpus = (double)quota / (double)period;
	return true;
}

uint32_t machine_cpus(void)
{
	cpu_set_t set;
	double quota;
	long cpus = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : sysconf(_SC_NPROCESSORS_ONLN);
	if (read_cpu_quota(&quota) && quota < (double)cpus)
		cpus = (long)(quota + 0.5);
	return cpus > 0 ? (uint32_t)cpus : 1;
}

/* The control group of this process under a controller ("" is version 2's), as a path below its root. */
static bool read_own_group(const char *controller, char *path, size_t capacity)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[4096];
	bool found = false;
	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof line, file) != NULL) {
		char *first = strchr(line, ':');
		char *second = first != NULL ? strchr(first + 1, ':') : NULL;
		if (second == NULL)
			continue;
		*second = '\0';
		second[1 + strcspn(second + 1, "\n")] = '\0';
		found = strcmp(first + 1, controller) == 0;
		if (found)
			snprintf(path, capacity, "%s", second + 1);
	}
	fclose(file);
	return found;
}

/* What is left below the tightest limit of the group and the groups it is in. */
static uint64_t memory_left_in_groups(void)
{
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < sizeof memory_files / sizeof *memory_files; i++) {
		char group[2048];
		if (!read_own_group(memory_files[i].controller, group, sizeof group))
			continue;
		for (;;) {
			char path[4096];
			int64_t limit, usage;
			snprintf(path, sizeof path, "%s%s/%s", memory_files[i].root, group, memory_files[i].limit);
			bool limited = read_number(path, &limit);
			snprintf(path, sizeof path, "%s%s/%s", memory_files[i].root, group, memory_files[i].usage);
			if (limited && read_number(path, &usage)) {
				uint64_t left = limit > usage ? (uint64_t)(limit - usage) : 0;
				least = left < least ? left : least;
			}
			char *parent = strrchr(group, '/');
			if (parent == NULL)
				break;
			*parent = '\0';
		}
	}
	return least;
}

uint64_t machine_available_memory(void)
{
	uint64_t available = UINT64_MAX;
	FILE *file = fopen("/proc/meminfo", "re");
	char line[256];
	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		uint64_t kilobytes;
		if (sscanf(line, "MemAvailable: %" SCNu64, &kilobytes) == 1)
			available = kilobytes * 1024;
	}
	if (file != NULL)
		fclose(file);
	uint64_t left = memory_left_in_groups();
	return left < available ? left : available;
}
