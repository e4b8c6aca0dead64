#define _GNU_SOURCE
#include "tests/end_to_end/inspection_linux.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int compare_numbers(const void *left, const void *right)
{
	const struct open_descriptor *a = left;
	const struct open_descriptor *b = right;
	return (a->number > b->number) - (a->number < b->number);
}

size_t process_descriptors(pid_t pid, struct open_descriptor *found, size_t capacity)
{
	char path[64];
	size_t count = 0;
	snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
	DIR *directory = opendir(path);
	cr_assert(directory != NULL, "cannot list %s", path);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		if (entry->d_name[0] == '.')
			continue;
		if (count < capacity) {
			struct open_descriptor *descriptor = &found[count];
			ssize_t length = readlinkat(
			        dirfd(directory), entry->d_name, descriptor->target, sizeof descriptor->target - 1);
			descriptor->target[length > 0 ? length : 0] = '\0';
			descriptor->number = atoi(entry->d_name);
		}
		count++;
	}
	closedir(directory);
	qsort(found, count < capacity ? count : capacity, sizeof *found, compare_numbers);
	return count;
}

size_t process_mappings(pid_t pid, const char *path, struct file_mapping *found, size_t capacity)
{
	char maps[64];
	char line[4096];
	size_t count = 0;
	snprintf(maps, sizeof maps, "/proc/%d/maps", (int)pid);
	FILE *file = fopen(maps, "r");
	cr_assert(file != NULL, "cannot open %s", maps);
	while (fgets(line, sizeof line, file) != NULL) {
		uint64_t from, to, offset;
		char permissions[5];
		int name = 0;
		line[strcspn(line, "\n")] = '\0';
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %*s %*s %n", &from, &to, permissions, &offset,
		            &name) != 4 ||
		        strcmp(line + name, path) != 0)
			continue;
		if (strcmp(permissions, "---s") == 0)
			continue; /* nothing can be seen through a guard page */
		if (count < capacity) {
			found[count].begin = offset;
			found[count].end = offset + (to - from);
			memcpy(found[count].permissions, permissions, sizeof permissions);
		}
		count++;
	}
	fclose(file);
	return count;
}

long process_memory_kb(pid_t pid, const char *file, const char *name)
{
	char path[64];
	char line[256];
	long kilobytes = -1;
	size_t length = strlen(name);
	snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	FILE *stream = fopen(path, "r");
	if (stream == NULL)
		return -1;
	while (fgets(line, sizeof line, stream) != NULL)
		if (strncmp(line, name, length) == 0 && line[length] == ':')
			kilobytes = atol(line + length + 1);
	fclose(stream);
	return kilobytes;
}

bool confine_to_one_cpu(void)
{
	cpu_set_t allowed, one;
	if (sched_getaffinity(0, sizeof allowed, &allowed) != 0)
		return false;
	CPU_ZERO(&one);
	for (int cpu = 0; cpu < CPU_SETSIZE && CPU_COUNT(&one) == 0; cpu++)
		if (CPU_ISSET(cpu, &allowed))
			CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof one, &one) == 0;
}

bool directory_has_nameless_files(const char *path)
{
	int descriptor = open(path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	if (descriptor >= 0)
		close(descriptor);
	return descriptor >= 0;
}
