#include "coordinator/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/resource.h>
#include <unistd.h>

/* Two pipe ends for each worker, two more while it is being forked, and the coordinator's own files. */
enum { ENDS_PER_WORKER = 2, OWN_DESCRIPTORS = 24 };

bool descriptors_hold_standard(struct error *error)
{
	for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++) {
		int access = descriptor == STDOUT_FILENO ? O_RDONLY : O_RDWR;
		if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF && open("/dev/null", access) < 0)
			return error_set_errno(error, EXIT_OS_ERROR, "cannot open /dev/null");
	}
	return true;
}

bool descriptors_allow(uint32_t workers, struct error *error)
{
	struct rlimit limit;
	rlim_t needed = (rlim_t)workers * ENDS_PER_WORKER + OWN_DESCRIPTORS;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
		return true;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < needed)
		return error_set(error, EXIT_OS_ERROR,
		        "%" PRIu32 " workers need %ju descriptors, and the limit (ulimit -Hn) is %ju", workers,
		        (uintmax_t)needed, (uintmax_t)limit.rlim_max);
	limit.rlim_cur = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return error_set_errno(error, EXIT_OS_ERROR, "cannot raise the limit on descriptors");
	return true;
}
