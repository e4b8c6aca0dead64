#include "coordinator/process.h"

#include "common/calls.h"
#include "common/clock.h"
#include "coordinator/containment.h"
#include "coordinator/signals.h"
#include "worker/worker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { READ_END, WRITE_END };

static void close_pair(const int ends[2])
{
	calls_close(ends[READ_END]);
	calls_close(ends[WRITE_END]);
}

static bool make_pipe(int ends[2], int failure)
{
	errno = failure;
	if (failure != 0)
		return false;
	calls_begin(CALL_PIPE, 0);
	int result = pipe(ends);
	if (result == 0) {
		calls_set(0, ends[READ_END]);
		calls_set(1, ends[WRITE_END]);
	}
	calls_end(result);
	return result == 0;
}

static pid_t fork_unless(int failure)
{
	errno = failure;
	if (failure != 0)
		return -1;
	calls_begin(CALL_FORK, 0);
	pid_t pid = fork();
	if (pid != 0)
		calls_end(pid);
	return pid;
}

static bool move(int descriptor, int to)
{
	calls_begin(CALL_DUP2, descriptor, to);
	int result = dup2(descriptor, to);
	calls_end(result);
	return result >= 0;
}

static void leave(int status)
{
	calls_begin(CALL_EXIT, status);
	_exit(status);
}

/* The child's whole world becomes its two pipes; worker_main closes the rest. */
static void become_worker(
        const int down[2], const int up[2], const struct worker_options *options, const sigset_t *signals_before)
{
	calls_enter_child(options->call_place);
	signals_reset_in_child(signals_before);
	if (!move(down[READ_END], STDIN_FILENO) || !move(up[WRITE_END], STDOUT_FILENO))
		leave(WORKER_IO_FAILED);
	leave((int)worker_main(options));
}

static void never_wait(int descriptor)
{
	calls_begin(CALL_NONBLOCK, descriptor);
	calls_end(fcntl(descriptor, F_SETFL, O_NONBLOCK));
}

bool process_start(struct process *process, const struct worker_options *options,
        const struct process_failures *failures, struct error *error)
{
	static const struct process_failures none = {0, 0};
	int down[2], up[2];
	sigset_t before;
	if (failures == NULL)
		failures = &none;
	if (!make_pipe(down, 0))
		return error_set_errno(error, EXIT_OS_ERROR, "cannot make a pipe");
	if (!make_pipe(up, failures->pipe)) {
		error_set_errno(error, EXIT_OS_ERROR, "cannot make a pipe");
		close_pair(down);
		return false;
	}
	signals_block(&before);
	pid_t pid = fork_unless(failures->fork);
	if (pid == 0)
		become_worker(down, up, options, &before);
	int reason = errno;
	signals_unblock(&before);
	if (pid < 0) {
		close_pair(down);
		close_pair(up);
		errno = reason;
		return error_set_errno(error, EXIT_OS_ERROR, "cannot fork a worker");
	}
	/* With the worker's ends kept open here, its death would not show as end of file or EPIPE. */
	calls_close(down[READ_END]);
	calls_close(up[WRITE_END]);
	never_wait(down[WRITE_END]);
	never_wait(up[READ_END]);
	*process = (struct process){pid, down[WRITE_END], up[READ_END]};
	return true;
}

void process_close(struct process *process)
{
	if (process->down >= 0)
		calls_close(process->down);
	if (process->up >= 0)
		calls_close(process->up);
	process->down = process->up = -1;
}

void process_signal(const struct process *process, int number)
{
	if (process->pid <= 0)
		return;
	calls_begin(CALL_KILL, process->pid, number);
	calls_end(kill(process->pid, number));
}

bool process_try_reap(struct process *process, int *status)
{
	if (process->pid <= 0)
		return false;
	pid_t got;
	do {
		calls_begin(CALL_WAITPID, process->pid);
		got = waitpid(process->pid, status, WNOHANG);
		if (got > 0)
			calls_set(1, *status);
		calls_end(got);
	} while (got < 0 && errno == EINTR);
	if (got != process->pid)
		return false;
	process->pid = 0;
	return true;
}

enum process_news process_take_news(const struct process *process, int *signal_number)
{
	siginfo_t news = {0};
	if (process->pid <= 0)
		return PROCESS_NO_NEWS;
	calls_begin(CALL_WAITID, process->pid);
	int result = waitid(P_PID, (id_t)process->pid, &news, WSTOPPED | WCONTINUED | WNOHANG);
	calls_set(1, result == 0 && news.si_pid != 0 ? news.si_code : 0);
	calls_end(result);
	if (result != 0 || news.si_pid == 0)
		return PROCESS_NO_NEWS;
	*signal_number = news.si_status;
	return news.si_code == CLD_CONTINUED ? PROCESS_CONTINUED : PROCESS_STOPPED;
}

bool process_reap_until(struct process *process, uint64_t deadline_ns, int *status)
{
	/* An exit is over in well under a millisecond; who takes longer is looked at less and less often. */
	uint64_t pause_ns = 20000;
	const uint64_t longest_pause_ns = 5000000;
	while (!process_try_reap(process, status)) {
		uint64_t now = clock_now_ns();
		if (now >= deadline_ns)
			return false;
		if (pause_ns > deadline_ns - now)
			pause_ns = deadline_ns - now;
		nanosleep(&(struct timespec){.tv_nsec = (long)pause_ns}, NULL);
		pause_ns = pause_ns * 2 < longest_pause_ns ? pause_ns * 2 : longest_pause_ns;
	}
	return true;
}

static void become_run(const struct process_run *run, pid_t parent)
{
	/* A session: a terminal's signals concern the campaign, and not its runs. */
	setsid();
	if (dup2(run->input, STDIN_FILENO) < 0 || dup2(run->output, STDOUT_FILENO) < 0 ||
	        dup2(run->messages, STDERR_FILENO) < 0 || !containment_enter(parent))
		_exit(EXIT_OS_ERROR);
	signals_release();
	_exit(run->body(run->context));
}

bool process_start_run(struct process *process, const struct process_run *run, struct error *error)
{
	sigset_t before;
	pid_t parent = getpid();
	signals_block(&before);
	pid_t pid = fork();
	if (pid == 0)
		become_run(run, parent);
	int reason = errno;
	signals_unblock(&before);
	if (pid < 0) {
		errno = reason;
		return error_set_errno(error, EXIT_OS_ERROR, "cannot fork a run");
	}
	*process = (struct process){pid, -1, -1};
	return true;
}

void process_kill_group(pid_t leader)
{
	/* The leader too by its pid: it may not have come to have a group yet. */
	kill(leader, SIGKILL);
	kill(-leader, SIGKILL);
}

/* Reaps who has ended. True: nobody is left. */
static bool reap_group(pid_t leader, unsigned *reaped)
{
	for (;;) {
		pid_t got = waitpid(-leader, NULL, WNOHANG);
		if (got > 0)
			++*reaped;
		else if (got == 0 || errno != EINTR)
			return got != 0;
	}
}

struct process_group_rest process_end_group(pid_t leader, uint64_t deadline_ns)
{
	struct process_group_rest rest = {0, 0};
	const struct timespec pause = {.tv_nsec = 200000};
	while (!reap_group(leader, &rest.dead) && clock_now_ns() < deadline_ns)
		nanosleep(&pause, NULL);
	while (!reap_group(leader, &rest.alive)) {
		kill(-leader, SIGKILL);
		nanosleep(&pause, NULL);
	}
	return rest;
}

const char *process_signal_name(int number)
{
	static const struct {
		int number;
		const char *name;
	} names[] = {
	        {SIGHUP, "SIGHUP"},
	        {SIGINT, "SIGINT"},
	        {SIGQUIT, "SIGQUIT"},
	        {SIGILL, "SIGILL"},
	        {SIGTRAP, "SIGTRAP"},
	        {SIGABRT, "SIGABRT"},
	        {SIGBUS, "SIGBUS"},
	        {SIGFPE, "SIGFPE"},
	        {SIGKILL, "SIGKILL"},
	        {SIGUSR1, "SIGUSR1"},
	        {SIGSEGV, "SIGSEGV"},
	        {SIGUSR2, "SIGUSR2"},
	        {SIGPIPE, "SIGPIPE"},
	        {SIGALRM, "SIGALRM"},
	        {SIGTERM, "SIGTERM"},
	        {SIGXCPU, "SIGXCPU"},
	        {SIGXFSZ, "SIGXFSZ"},
	        {SIGSYS, "SIGSYS"},
	        {SIGSTOP, "SIGSTOP"},
	        {SIGCONT, "SIGCONT"},
	};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == number)
			return names[i].name;
	return NULL;
}

static const char *exit_meaning(int status)
{
	switch (status) {
	case WORKER_LEFT:
		return "it left without being told to";
	case WORKER_GAVE_UP:
		return "it gave up with an error";
	case WORKER_IO_FAILED:
		return "its pipe failed";
	case WORKER_NO_MEMORY:
		return "out of memory";
	default:
		return "not one of forkfit's";
	}
}

void process_status_text(int status, char *text, size_t capacity)
{
	if (WIFEXITED(status)) {
		snprintf(text, capacity, "exited with status %d (%s)", WEXITSTATUS(status),
		        exit_meaning(WEXITSTATUS(status)));
		return;
	}
	const char *name = process_signal_name(WTERMSIG(status));
	if (name != NULL)
		snprintf(text, capacity, "was killed by %s", name);
	else
		snprintf(text, capacity, "was killed by signal %d", WTERMSIG(status));
}
