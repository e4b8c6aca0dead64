#define _GNU_SOURCE
#include "tests/end_to_end/harness_linux.h"

#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

bool child_dies_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0)
		return false;
	/* The parent may have died before it could be watched. */
	errno = ESRCH;
	return getppid() == parent;
}

bool child_keeps_only_streams(void)
{
	return close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC) == 0;
}

/* A line of /proc/pid/stat: the name in parentheses may itself hold blanks and parentheses. */
static bool parse_stat(const char *line, struct process *process)
{
	const char *name_open = strchr(line, '(');
	const char *name_close = strrchr(line, ')');
	int parent, group, session;
	if (name_open == NULL || name_close == NULL)
		return false;
	if (sscanf(name_close + 1, " %c %d %d %d", &process->state, &parent, &group, &session) != 4)
		return false;
	process->pid = atoi(line);
	process->parent = parent;
	process->session = session;
	snprintf(process->name, sizeof process->name, "%.*s", (int)(name_close - name_open - 1), name_open + 1);
	return true;
}

bool process_read(pid_t pid, struct process *process)
{
	char path[32];
	char line[1024];
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "r");
	if (file == NULL)
		return false;
	bool there = fgets(line, sizeof line, file) != NULL && parse_stat(line, process);
	fclose(file);
	return there;
}

static bool of_parent(const struct process *process, pid_t parent)
{
	return process->parent == parent;
}

static bool of_session(const struct process *process, pid_t session)
{
	return process->session == session;
}

static int compare_pids(const void *left, const void *right)
{
	const struct process *a = left;
	const struct process *b = right;
	return (a->pid > b->pid) - (a->pid < b->pid);
}

static size_t find_processes(
        bool (*wanted)(const struct process *, pid_t), pid_t pid, struct process *found, size_t capacity)
{
	size_t count = 0;
	DIR *directory = opendir("/proc");
	cr_assert(directory != NULL, "/proc: %s", strerror(errno));
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		struct process process;
		/* atoi is 0 for what is no process, and a process may vanish between the two looks. */
		if (atoi(entry->d_name) <= 0 || !process_read(atoi(entry->d_name), &process) || !wanted(&process, pid))
			continue;
		if (count < capacity)
			found[count] = process;
		count++;
	}
	closedir(directory);
	if (capacity > 0)
		qsort(found, count < capacity ? count : capacity, sizeof *found, compare_pids);
	return count;
}

size_t processes_of_parent(pid_t parent, struct process *found, size_t capacity)
{
	return find_processes(of_parent, parent, found, capacity);
}

size_t processes_of_session(pid_t session, struct process *found, size_t capacity)
{
	return find_processes(of_session, session, found, capacity);
}
