#define _GNU_SOURCE
#include "coordinator/containment.h"

#include <dirent.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

bool containment_inherit_orphans(struct error *error)
{
	if (prctl(PR_SET_CHILD_SUBREAPER, 1) == 0)
		return true;
	return error_set_errno(error, EXIT_OS_ERROR, "cannot become the parent of orphans");
}

bool containment_enter(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Asked for after a parent's death, the signal never comes; the parent's pid tells. */
	if (getppid() != parent)
		return false;
	closefrom(STDERR_FILENO + 1);
	return true;
}

int containment_descriptors(void)
{
	int count = 0;
	DIR *directory = opendir("/proc/self/fd");
	if (directory == NULL)
		return -1;
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += entry->d_name[0] != '.';
	closedir(directory);
	return count - 1; /* without the directory's own */
}
