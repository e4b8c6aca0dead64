/* What a test may have left behind in its process: children and open descriptors. */
#ifndef FORKFIT_TESTS_LEFTOVERS_H
#define FORKFIT_TESTS_LEFTOVERS_H

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/wait.h>

/* No child runs, and none that has ended waits to be reaped. */
static inline bool no_child_is_left(void)
{
	return waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
}

/* How many descriptors the process with that number in /proc has open ("self": this one). */
static inline size_t count_descriptors(const char *directory)
{
	size_t count = 0;
	DIR *listing = opendir(directory);
	if (listing == NULL)
		abort();
	while (readdir(listing) != NULL)
		count++;
	closedir(listing);
	return count;
}

static inline size_t descriptors_open(void)
{
	return count_descriptors("/proc/self/fd");
}

#endif
