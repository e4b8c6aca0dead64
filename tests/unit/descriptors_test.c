#include "coordinator/descriptors.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(descriptors, .timeout = 20);

/* In a child each, for what they change cannot be undone. A child says by its status whether all was right. */
enum { RIGHT = 42, WRONG };

static void expect_right(int (*child)(int argument), int argument)
{
	int status;
	pid_t pid = fork();
	if (pid == 0)
		_exit(child(argument));
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == RIGHT, "for %d: status %x", argument, (unsigned)status);
}

static bool is_null_device(int descriptor)
{
	struct stat here, null;
	return fstat(descriptor, &here) == 0 && stat("/dev/null", &null) == 0 && S_ISCHR(here.st_mode) &&
	       here.st_rdev == null.st_rdev;
}

/* closed: bit i for descriptor i. The others are pipes. */
static int hold(int closed)
{
	int ends[2];
	struct error error;
	struct stat before[3], after;
	if (pipe(ends) != 0)
		return WRONG;
	for (int i = 0; i < 3; i++)
		if (dup2(ends[1], i) < 0 || fstat(i, &before[i]) != 0)
			return WRONG;
	int lowest = dup(0);
	close(lowest);
	for (int i = 0; i < 3; i++)
		if (closed >> i & 1)
			close(i);
	if (!descriptors_hold_standard(&error))
		return WRONG;
	for (int i = 0; i < 3; i++) {
		bool kept = fstat(i, &after) == 0 && after.st_ino == before[i].st_ino && S_ISFIFO(after.st_mode);
		if (closed >> i & 1 ? !is_null_device(i) : !kept)
			return WRONG;
	}
	int next = dup(0);
	return next == lowest ? RIGHT : WRONG;
}

/* What is not there to be read ends at once; what is told to a person may be lost, but not a result. */
static int use_closed(int unused)
{
	struct error error;
	char byte;
	(void)unused;
	for (int i = 0; i < 3; i++)
		close(i);
	bool right = descriptors_hold_standard(&error) && read(STDIN_FILENO, &byte, 1) == 0 &&
	             write(STDERR_FILENO, "", 1) == 1 && write(STDOUT_FILENO, "", 1) == -1 && errno == EBADF;
	return right ? RIGHT : WRONG;
}

Test(descriptors, take_no_result_where_standard_output_is_closed)
{
	expect_right(use_closed, 0);
}

Test(descriptors, of_standard_input_output_and_error_are_opened_where_they_are_closed)
{
	for (int closed = 0; closed < 8; closed++)
		expect_right(hold, closed);
}

/* Soft limit 40, hard limit 64; workers take two descriptors each, and the coordinator 24. */
static int allow(int workers)
{
	struct rlimit limit = {40, 64};
	struct error error = {0};
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return WRONG;
	bool allowed = descriptors_allow((uint32_t)workers, &error);
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max != 64)
		return WRONG;
	if (workers <= 8)
		return allowed && limit.rlim_cur == 40 ? RIGHT : WRONG;
	if (workers <= 20)
		return allowed && limit.rlim_cur == 24 + 2 * (rlim_t)workers ? RIGHT : WRONG;
	static const char message[] = "4096 workers need 8216 descriptors, and the limit (ulimit -Hn) is 64";
	bool told = workers != 4096 || strcmp(error.message, message) == 0;
	return !allowed && error.code == EXIT_OS_ERROR && limit.rlim_cur == 40 && told ? RIGHT : WRONG;
}

Test(descriptors, are_allowed_as_many_as_workers_need)
{
	static const int workers[] = {1, 8, 9, 20, 21, 4096};
	for (size_t i = 0; i < sizeof workers / sizeof *workers; i++)
		expect_right(allow, workers[i]);
}
