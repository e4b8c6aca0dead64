#include "coordinator/signals.h"

#include "common/calls.h"
#include "common/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

static int pipe_ends[2] = {-1, -1}; /* read, write: a handler has no other way to reach them */

static const int watched[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};
enum { WATCHED_COUNT = sizeof watched / sizeof *watched };

/* What a handler puts into the pipe: whole or not at all, since it is shorter than PIPE_BUF. */
struct arrival {
	uint64_t at_ns; /* clock_now_ns, whose clock_gettime(2) a handler may call */
	int number;
};

/* Nobody presses a key twice in so short a time, and timeout(1) and its like need far less to say a thing twice. */
#define SAME_WISH_NS UINT64_C(50000000)

static uint64_t last_wish_ns; /* when the last interrupt came that was counted; 0: none has */

static void on_signal(int number)
{
	int reason = errno;
	struct arrival arrival = {.at_ns = clock_now_ns(), .number = number};
	/* If the pipe is full, news enough is waiting in it. */
	ssize_t written = write(pipe_ends[1], &arrival, sizeof arrival);
	(void)written;
	errno = reason;
}

static volatile sig_atomic_t continued;

static void on_continue(int number)
{
	(void)number;
	continued = 1;
}

static void watch_continue(void)
{
	struct sigaction action = {.sa_handler = on_continue, .sa_flags = SA_RESTART};
	sigemptyset(&action.sa_mask);
	sigaction(SIGCONT, &action, NULL);
}

bool signals_take_continued(void)
{
	bool was = continued != 0;
	continued = 0;
	return was;
}

void signals_block_stop(sigset_t *before)
{
	sigset_t stop;
	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_BLOCK, &stop, before);
}

bool signals_install(struct error *error)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
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
	watch_continue();
	return true;
}

int signals_descriptor(void)
{
	return pipe_ends[0];
}

static bool is_another_wish(uint64_t at_ns)
{
	if (last_wish_ns != 0 && at_ns - last_wish_ns < SAME_WISH_NS)
		return false;
	last_wish_ns = at_ns;
	return true;
}

static ssize_t read_arrivals(struct arrival *arrivals, size_t bytes)
{
	calls_begin(CALL_READ, pipe_ends[0], (int64_t)bytes);
	ssize_t got = read(pipe_ends[0], arrivals, bytes);
	calls_end(got);
	return got;
}

struct signals_seen signals_take(void)
{
	struct signals_seen seen = {0};
	struct arrival arrivals[16];
	ssize_t got;
	while ((got = read_arrivals(arrivals, sizeof arrivals)) > 0 || (got < 0 && errno == EINTR)) {
		for (size_t i = 0; got > 0 && i < (size_t)got / sizeof *arrivals; i++) {
			if (arrivals[i].number == SIGCHLD)
				seen.child = true;
			else
				seen.interrupts += is_another_wish(arrivals[i].at_ns);
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
	watch_continue();
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
	sigaction(SIGCONT, &standard, NULL);
	signals_unblock(before);
}
