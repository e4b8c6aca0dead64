#define _GNU_SOURCE
#include "worker/isolation.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

bool isolation_enter(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* Asked for after a parent's death, the signal never comes; the parent's pid tells. */
	if (getppid() != parent)
		return false;
	closefrom(STDERR_FILENO + 1);
	return true;
}
