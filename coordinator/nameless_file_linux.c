#define _GNU_SOURCE
#include "coordinator/nameless_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

/* The name by which linkat(2) finds an open file without privileges. */
static void name_of_descriptor(int descriptor, char name[32])
{
	snprintf(name, 32, "/proc/self/fd/%d", descriptor);
}

int nameless_file_open(int directory)
{
	char name[32];
	int descriptor = openat(directory, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	if (descriptor < 0)
		return -1;
	/* What could not be named in the end, because /proc is not there, is of no use. */
	name_of_descriptor(descriptor, name);
	if (access(name, F_OK) == 0)
		return descriptor;
	close(descriptor);
	return -1;
}

bool nameless_file_name(int descriptor, const char *path)
{
	char name[32];
	name_of_descriptor(descriptor, name);
	return linkat(AT_FDCWD, name, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0;
}
