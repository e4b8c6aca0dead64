#include "tests/end_to_end/control_group.h"

#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The two versions of control groups: where they are mounted, and what the limit's file is called. */
static const struct version {
	const char *controllers; /* as in /proc/self/cgroup */
	const char *root;
	const char *limit;
} versions[] = {
        {"memory", "/sys/fs/cgroup/memory", "memory.limit_in_bytes"},
        {"", "/sys/fs/cgroup", "memory.max"},
};

/* The directory of this process's own group, to be freed. NULL: it has none of this version. */
static char *own_group(const struct version *version)
{
	char *groups = file_read("/proc/self/cgroup", NULL);
	char *directory = NULL;
	char *rest = NULL;
	for (char *line = strtok_r(groups, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		char *controllers = strchr(line, ':');
		char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
		if (path == NULL)
			continue;
		*path++ = '\0';
		if (strcmp(controllers + 1, version->controllers) == 0 && directory == NULL)
			directory = path_join(version->root, path + (*path == '/'));
	}
	free(groups);
	return directory;
}

static bool write_number(const char *directory, const char *name, size_t number)
{
	char *path = path_join(directory, name);
	FILE *file = access(path, W_OK) == 0 ? fopen(path, "w") : NULL;
	bool written = file != NULL && fprintf(file, "%zu\n", number) > 0;
	if (file != NULL && fclose(file) != 0)
		written = false;
	free(path);
	return written;
}

static char *try_version(const struct version *version, size_t bytes, const char **reason)
{
	char name[64];
	char *own = own_group(version);
	if (own == NULL)
		return NULL;
	snprintf(name, sizeof name, "forkfit-test-%d", (int)getpid());
	char *directory = path_join(own, name);
	free(own);
	if (mkdir(directory, 0755) != 0) {
		*reason = "this process may not make a control group";
	} else if (!write_number(directory, version->limit, bytes)) {
		*reason = "the control group has no limit on memory to set";
		rmdir(directory);
	} else {
		return directory;
	}
	free(directory);
	return NULL;
}

char *control_group_new(size_t bytes, const char **reason)
{
	*reason = "there are no memory control groups";
	char *directory = NULL;
	for (size_t i = 0; i < sizeof versions / sizeof versions[0] && directory == NULL; i++)
		directory = try_version(&versions[i], bytes, reason);
	return directory;
}

void control_group_remove(char *directory)
{
	cr_expect_eq(rmdir(directory), 0, "cannot remove %s", directory);
	free(directory);
}
