#include "coordinator/signals.h"

#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static int pipe_ends[2] = {-1, -1}; /* read, write: a handler has no other way to reach them */

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
enum { WATCHED_COUNT = sizeof watched / sizeof *watched };

static void on_signal(int number)
{
	int reason = errno;
	unsigned char byte = (unsigned char)number;
	/* If the pipe is full, news enough is waiting in it. */
	ssize_t written = write(pipe_ends[1], &byte, 1);
	(void)written;
	errno = reason;
}

bool signals_install(struct error *error)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_NOCLDSTOP};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	if (pipe(pipe_ends) != 0)
		return error_set_errno(error, EXIT_OS_ERROR, "cannot make the signals' pipe");
	for (int i = 0; i < 2; i++) {
		fcntl(pipe_ends[i], F_SETFL, O_NONBLOCK);
		fcntl(pipe_ends[i], F_SETFD, FD_CLOEXEC);
	}
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < WATCHED_COUNT; i++)
		sigaction(watched[i], &action, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
	sigaction(SIGXFSZ, &ignore, NULL);
	return true;
}

int signals_descriptor(void)
{
	return pipe_ends[0];
}

struct signals_seen signals_take(void)
{
	struct signals_seen seen = {0};
	unsigned char bytes[64];
	ssize_t got;
	while ((got = read(pipe_ends[0], bytes, sizeof bytes)) > 0 || (got < 0 && errno == EINTR)) {
		for (ssize_t i = 0; i < got; i++) {
			if (bytes[i] == SIGCHLD)
				seen.child = true;
			else
				seen.interrupts++;
		}
	}
	return seen;
}

static void fill_watched(sigset_t *set)
{
	sigemptyset(set);
	for (size_t i = 0; i < WATCHED_COUNT; i++)
		sigaddset(set, watched[i]);
}

static sigset_t mask_before; /* signals_hold */

void signals_hold(void)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	sigset_t set;
	fill_watched(&set);
	sigprocmask(SIG_BLOCK, &set, &mask_before);
	/* Whoever inherits that it is ignored has children that cannot be waited for. */
	sigaction(SIGCHLD, &standard, NULL);
	sigaction(SIGPIPE, &ignore, NULL);
}

void signals_release(void)
{
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

struct signals_seen signals_wait(uint64_t deadline_ns)
{
	struct signals_seen seen = {0};
	uint64_t now = clock_now_ns();
	uint64_t left_ns = deadline_ns > now ? deadline_ns - now : 0;
	struct timespec left = {(time_t)(left_ns / 1000000000), (long)(left_ns % 1000000000)};
	sigset_t set;
	int number;
	fill_watched(&set);
	while ((number = sigtimedwait(&set, NULL, &left)) > 0) {
		if (number == SIGCHLD)
			seen.child = true;
		else
			seen.interrupts++;
		left = (struct timespec){0, 0}; /* what else is there already */
	}
	return seen;
}

void signals_block(sigset_t *before)
{
	sigset_t all;
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, before);
}

void signals_unblock(const sigset_t *before)
{
	sigprocmask(SIG_SETMASK, before, NULL);
}

void signals_reset_in_child(const sigset_t *before)
{
	struct sigaction standard = {.sa_handler = SIG_DFL};
	struct sigaction ignore = {.sa_handler = SIG_IGN};
	for (size_t i = 0; i < WATCHED_COUNT; i++)
		sigaction(watched[i], watched[i] == SIGINT ? &ignore : &standard, NULL);
	signals_unblock(before);
}
