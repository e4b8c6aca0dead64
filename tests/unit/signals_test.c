#include "coordinator/signals.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(signals, .timeout = 20);

static void install(void)
{
	struct error error = {0};
	cr_assert(signals_install(&error), "%s", error.message);
}

static bool is_readable(void)
{
	struct pollfd entry = {.fd = signals_descriptor(), .events = POLLIN};
	return poll(&entry, 1, 0) == 1;
}

/* Longer than what counts as one wish. */
static void pause_between_wishes(void)
{
	nanosleep(&(struct timespec){.tv_nsec = 70000000}, NULL);
}

Test(signals, to_stop_become_interrupts)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
	install();
	cr_expect_not(is_readable());
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
		raise(numbers[i]);
		cr_expect(is_readable());
		struct signals_seen seen = signals_take();
		cr_expect(seen.interrupts == 1 && !seen.child);
		cr_expect_not(is_readable());
		pause_between_wishes();
	}
}

Test(signals, are_counted_also_if_nobody_looks_in_between)
{
	install();
	raise(SIGINT);
	pause_between_wishes();
	raise(SIGINT);
	raise(SIGCHLD);
	struct signals_seen seen = signals_take();
	cr_expect(seen.interrupts == 2 && seen.child);
	seen = signals_take();
	cr_expect(seen.interrupts == 0 && !seen.child);
}

/* As timeout(1) does it: the process, and then its group. */
Test(signals, at_once_are_one_wish)
{
	install();
	raise(SIGTERM);
	raise(SIGTERM);
	cr_expect_eq(signals_take().interrupts, 1);
	raise(SIGHUP);
	cr_expect_eq(signals_take().interrupts, 0);
	pause_between_wishes();
	raise(SIGHUP);
	cr_expect_eq(signals_take().interrupts, 1);
}

Test(signals, in_any_number_do_not_block_their_handler)
{
	install();
	for (int i = 0; i < 70000; i++) /* more than a pipe holds */
		raise(SIGTERM);
	cr_expect_geq(signals_take().interrupts, 1);
	cr_expect_not(is_readable());
}

Test(signals, leave_errno_alone)
{
	install();
	for (int i = 0; i < 66000; i++) {
		errno = 12345;
		raise(SIGTERM);
		cr_assert_eq(errno, 12345);
	}
}

Test(signals, of_a_broken_pipe_are_errors_of_write)
{
	int ends[2];
	install();
	cr_assert_eq(pipe(ends), 0);
	close(ends[0]);
	cr_expect(write(ends[1], "x", 1) == -1 && errno == EPIPE);
	close(ends[1]);
}

Test(signals, wait_while_they_are_blocked)
{
	sigset_t before;
	install();
	signals_block(&before);
	raise(SIGTERM);
	cr_expect_eq(signals_take().interrupts, 0);
	signals_unblock(&before);
	cr_expect_eq(signals_take().interrupts, 1);
}

/* What a child of fork() does with a signal: how it ends, or -1 if it ignores it. */
static int fate_of_child(int number)
{
	int status;
	sigset_t before;
	signals_block(&before);
	pid_t pid = fork();
	if (pid == 0) {
		raise(number); /* while blocked: it comes in signals_reset_in_child */
		signals_reset_in_child(&before);
		_exit(0);
	}
	signals_unblock(&before);
	cr_assert(pid > 0 && waitpid(pid, &status, 0) == pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : -1;
}

Test(signals, to_a_worker_end_it_but_not_those_of_a_terminal)
{
	install();
	cr_expect_eq(fate_of_child(SIGTERM), SIGTERM);
	cr_expect_eq(fate_of_child(SIGHUP), SIGHUP);
	cr_expect_eq(fate_of_child(SIGINT), -1);
	cr_expect_eq(fate_of_child(SIGPIPE), -1);
	cr_expect_eq(signals_take().interrupts, 0); /* and the coordinator hears nothing of them */
}
