#include "coordinator/process.h"

#include "common/clock.h"
#include "tests/unit/leftovers.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

TestSuite(process, .timeout = 30);

#define SECOND_NS UINT64_C(1000000000)

/* A status of waitpid, from a child that ends that way. */
static int status_of(int exit_status, int killed_by)
{
	int status;
	pid_t pid = fork();
	cr_assert_geq(pid, 0);
	if (pid == 0) {
		struct rlimit none = {0, 0};
		setrlimit(RLIMIT_CORE, &none);
		if (killed_by != 0) {
			signal(killed_by, SIG_DFL);
			raise(killed_by);
		}
		_exit(exit_status);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return status;
}

Test(process, says_how_one_ended)
{
	static const struct {
		int exit_status, killed_by;
		char text[64];
	} rows[] = {
	        {0, 0, "exited with status 0 (it left without being told to)"},
	        {10, 0, "exited with status 10 (it gave up with an error)"},
	        {11, 0, "exited with status 11 (its pipe failed)"},
	        {12, 0, "exited with status 12 (out of memory)"},
	        {1, 0, "exited with status 1 (not one of forkfit's)"},
	        {255, 0, "exited with status 255 (not one of forkfit's)"},
	        {0, SIGKILL, "was killed by SIGKILL"},
	        {0, SIGTERM, "was killed by SIGTERM"},
	        {0, SIGBUS, "was killed by SIGBUS"},
	        {0, SIGSEGV, "was killed by SIGSEGV"},
	        {0, 40, "was killed by signal 40"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[96];
		process_status_text(status_of(rows[i].exit_status, rows[i].killed_by), text, sizeof text);
		cr_expect_str_eq(text, rows[i].text);
	}
}

/* Starts a worker without isolation or faults. */
static bool start(struct process *process, struct error *error)
{
	static const struct isolation none = {.enabled = false};
	const struct worker_options options = {.coordinator = getpid(), .isolation = &none};
	return process_start(process, &options, NULL, error);
}

static struct process start_good(void)
{
	struct process process;
	struct error error = {0};
	cr_assert(start(&process, &error), "%s", error.message);
	return process;
}

Test(process, leaves_when_its_pipes_are_closed)
{
	struct process process = start_good();
	int status;
	cr_expect_gt(process.pid, 0);
	process_close(&process);
	cr_expect(process.down == -1 && process.up == -1);
	cr_assert(process_reap_until(&process, clock_now_ns() + 20 * SECOND_NS, &status));
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	cr_expect_eq(process.pid, 0);
	cr_expect(no_child_is_left());
}

/* Catches the mutation blocking_ends. */
Test(process, has_ends_that_do_not_block)
{
	struct process process = start_good();
	char byte;
	int status;
	cr_expect(fcntl(process.down, F_GETFL) & O_NONBLOCK);
	cr_assert(fcntl(process.up, F_GETFL) & O_NONBLOCK); /* or read() would wait for ever */
	cr_expect(read(process.up, &byte, 1) == -1 && errno == EAGAIN);
	process_close(&process);
	process_reap_until(&process, clock_now_ns() + 20 * SECOND_NS, &status);
}

/* Catches the mutation ends_kept_by_parent. */
Test(process, leaves_nothing_open_when_it_is_over)
{
	size_t before = descriptors_open();
	struct process process = start_good();
	int status;
	cr_expect_eq(descriptors_open(), before + 2);
	process_signal(&process, SIGKILL);
	cr_assert(process_reap_until(&process, clock_now_ns() + 20 * SECOND_NS, &status));
	process_close(&process);
	process_close(&process); /* once more does nothing */
	cr_expect_eq(descriptors_open(), before);
}

Test(process, is_not_reaped_while_it_runs)
{
	struct process process = start_good();
	int status;
	uint64_t began = clock_now_ns();
	cr_expect_not(process_try_reap(&process, &status));
	cr_expect_not(process_reap_until(&process, began + SECOND_NS / 20, &status));
	cr_expect_geq(clock_now_ns() - began, SECOND_NS / 20);
	cr_expect_gt(process.pid, 0);
	process_signal(&process, SIGKILL);
	cr_assert(process_reap_until(&process, clock_now_ns() + 20 * SECOND_NS, &status));
	cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	process_close(&process);
}

/* The pid of one that was reaped may be anybody's. */
Test(process, is_not_signalled_or_awaited_once_reaped)
{
	struct process process = {.pid = 0, .down = -1, .up = -1};
	int status;
	cr_assert(getpgrp() == getpid() || setpgid(0, 0) == 0); /* or kill(0) would hit others */
	process_signal(&process, SIGKILL);
	cr_expect_not(process_try_reap(&process, &status));
}

Test(process, that_cannot_be_started_leaves_nothing_open)
{
	size_t before = descriptors_open();
	int lowest = dup(0);
	struct process process;
	struct error error;
	struct rlimit limit;
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	close(lowest);
	for (int spare = 0; spare < 4; spare++) { /* too few for two pipes */
		struct rlimit low = {(rlim_t)(lowest + spare), limit.rlim_max};
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &low), 0);
		bool started = start(&process, &error);
		cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
		cr_assert_not(started, "with %d spare descriptors", spare);
		cr_expect_eq(error.code, EXIT_OS_ERROR);
		cr_expect_str_eq(error.message, "cannot make a pipe: Too many open files");
		cr_expect_eq(descriptors_open(), before);
	}
	cr_expect(no_child_is_left());
}
