/*
 * Runs the program under ptrace(2) and, at a system call that is chosen by number, kills the process that makes it or
 * lets the call fail. The tests do that for every call in turn (outside_failure_test.c).
 *
 *     call_driver REPORT PROCESSES CALL FROM TIMES ACTION program [argument]...
 *
 * REPORT     the file that gets what was seen, a word and numbers a line: see write_report
 * PROCESSES  whose calls count, with commas: 0 is the program, 1 its first child, 2 its second, …
 * CALL       the number of a system call, or -1: any
 * FROM       at which of those calls of a process it begins, from 1; 0: never
 * TIMES      how many in a row; 0: all from there on
 * ACTION     kill, or the errno with which the call fails
 *
 * The program's calls count from its entry point on, so that the dynamic loader's do not. A process that is killed at a
 * call does not make it; one whose call fails does not either, but for two calls that do not fail like others: close(2)
 * closes in any case, and brk(2) answers with where the break is. The driver ends as the program ends.
 *
 * strace could kill too, and fail calls. But its --inject counts in every process that -f brings under it, so that it
 * cannot aim at the coordinator alone, or at the second worker, or at the fourth process that is forked; it counts the
 * loader's calls; it does not tell whether it struck; and it cannot tell when the last worker followed its coordinator,
 * and whether somebody was left that nobody had waited for.
 */
#define _GNU_SOURCE
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PROCESSES_MAX = 64, CALLS_MAX = 512, STATUS_FAILED = 125 };

/* From the program's end on, its children have so long before they are called left behind. */
static const double LEFT_BEHIND_S = 5.0;

struct plan {
	uint64_t processes; /* bit n: process n */
	long call;
	unsigned long from, times;
	int failure; /* 0: kill */
};

struct traced {
	pid_t pid;
	bool ended;
	bool failing; /* the call that it is in is to fail */
	unsigned long long first_argument;
	unsigned long calls;
	unsigned long matching;
	double queued; /* when the program ended */
};

static struct plan plan;
static struct traced processes[PROCESSES_MAX];
static size_t process_count;
static unsigned long program_calls[CALLS_MAX]; /* of the program itself, by number */
static unsigned long fired;
static long struck_call = -1, struck_descriptor = -1;

_Noreturn static void give_up(const char *what)
{
	fprintf(stderr, "call_driver: %s: %s\n", what, strerror(errno));
	exit(STATUS_FAILED);
}

static double now(void)
{
	struct timespec reading;
	clock_gettime(CLOCK_MONOTONIC, &reading);
	return (double)reading.tv_sec + (double)reading.tv_nsec * 1e-9;
}

/*
 * How long the process, which may be a zombie, has been ready to run and had no CPU, in seconds. That the machine has
 * other work says nothing of a worker's readiness to die. 0 where the kernel does not tell.
 */
static double queued_s(pid_t pid)
{
	char path[64];
	unsigned long long ran_ns, queued_ns = 0;
	snprintf(path, sizeof path, "/proc/%ld/schedstat", (long)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu %llu", &ran_ns, &queued_ns) != 2)
		queued_ns = 0;
	fclose(file);
	return (double)queued_ns * 1e-9;
}

static void parse_processes(const char *text)
{
	for (char *end; *text != '\0'; text = *end == ',' ? end + 1 : end)
		plan.processes |= UINT64_C(1) << strtoul(text, &end, 10);
}

/* Processes are numbered as they are first seen: the program forks one after the other. */
static struct traced *process_of(pid_t pid)
{
	for (size_t i = 0; i < process_count; i++)
		if (processes[i].pid == pid)
			return &processes[i];
	if (process_count == PROCESSES_MAX) {
		errno = E2BIG;
		give_up("more processes than it can follow");
	}
	processes[process_count] = (struct traced){.pid = pid};
	return &processes[process_count++];
}

/* Where the program itself begins, after the dynamic loader. */
static uint64_t entry_point(pid_t pid)
{
	char path[64];
	uint64_t pair[2] = {AT_NULL, 0}, entry = 0;
	snprintf(path, sizeof path, "/proc/%ld/auxv", (long)pid);
	FILE *file = fopen(path, "re");
	if (file == NULL)
		give_up(path);
	while (fread(pair, sizeof pair, 1, file) == 1 && pair[0] != AT_NULL)
		if (pair[0] == AT_ENTRY)
			entry = pair[1];
	fclose(file);
	return entry;
}

static void wait_for_trap(pid_t pid)
{
	int status;
	if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status) || WSTOPSIG(status) != SIGTRAP)
		give_up("the program has not begun");
}

/* Lets the loader do its work: up to a breakpoint (int3) at the entry point. */
static void run_to_entry_point(pid_t pid)
{
	uint64_t entry = entry_point(pid);
	struct user_regs_struct registers;
	long word = ptrace(PTRACE_PEEKTEXT, pid, entry, NULL);
	ptrace(PTRACE_POKETEXT, pid, entry, (word & ~0xffL) | 0xcc);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	wait_for_trap(pid);
	ptrace(PTRACE_POKETEXT, pid, entry, word);
	ptrace(PTRACE_GETREGS, pid, NULL, &registers);
	registers.rip = entry;
	ptrace(PTRACE_SETREGS, pid, NULL, &registers);
}

static pid_t start_program(char *const arguments[])
{
	pid_t pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execv(arguments[0], arguments);
		give_up(arguments[0]);
	}
	if (pid < 0)
		give_up("fork");
	wait_for_trap(pid); /* at its exec */
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL, PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL) != 0)
		give_up("ptrace");
	process_of(pid);
	run_to_entry_point(pid);
	return pid;
}

/* Does the plan strike at this call of the process? Counts it. */
static bool is_due(struct traced *process, long call)
{
	size_t number = (size_t)(process - processes);
	process->calls++;
	if (number == 0 && call >= 0 && call < CALLS_MAX)
		program_calls[call]++;
	if ((plan.processes >> number & 1) == 0 || (plan.call >= 0 && plan.call != call))
		return false;
	process->matching++;
	return plan.from > 0 && process->matching >= plan.from &&
	       (plan.times == 0 || process->matching - plan.from < plan.times);
}

static void enter_call(struct traced *process)
{
	struct user_regs_struct registers;
	if (ptrace(PTRACE_GETREGS, process->pid, NULL, &registers) != 0)
		return; /* it was killed meanwhile */
	long call = (long)registers.orig_rax;
	if (!is_due(process, call))
		return;
	fired++;
	struck_call = call;
	struck_descriptor = (long)registers.rdi;
	if (plan.failure == 0) {
		kill(process->pid, SIGKILL);
		return;
	}
	process->failing = true;
	process->first_argument = registers.rdi;
	if (call == SYS_brk)
		registers.rdi = 0;
	else if (call != SYS_close)
		registers.orig_rax = (unsigned long long)-1;
	ptrace(PTRACE_SETREGS, process->pid, NULL, &registers);
}

static void leave_call(struct traced *process)
{
	struct user_regs_struct registers;
	if (!process->failing || ptrace(PTRACE_GETREGS, process->pid, NULL, &registers) != 0)
		return;
	if (registers.orig_rax != SYS_brk)
		registers.rax = (unsigned long long)-plan.failure;
	registers.rdi = process->first_argument;
	process->failing = false;
	ptrace(PTRACE_SETREGS, process->pid, NULL, &registers);
}

/* Deals with a stop, and lets the process go on with the signal that it stopped for, if any. */
static void handle_stop(struct traced *process, int status, bool is_new)
{
	int number = WSTOPSIG(status);
	struct __ptrace_syscall_info info;
	if (number == (SIGTRAP | 0x80)) {
		number = 0;
		if (ptrace(PTRACE_GET_SYSCALL_INFO, process->pid, sizeof info, &info) > 0) {
			if (info.op == PTRACE_SYSCALL_INFO_ENTRY)
				enter_call(process);
			else if (info.op == PTRACE_SYSCALL_INFO_EXIT)
				leave_call(process);
		}
	} else if (status >> 16 != 0 || (is_new && number == SIGSTOP)) {
		number = 0; /* a fork, or where a child begins */
	}
	ptrace(PTRACE_SYSCALL, process->pid, NULL, (uintptr_t)number);
}

struct ending {
	int status;        /* the program's */
	double ended;      /* when; 0: not yet */
	double queued;     /* how long this process had waited for a CPU until then */
	double seconds;    /* from its end to the last process's, without what they and this one waited for a CPU */
	size_t unattended; /* processes that it had not waited for when it ended */
	size_t left;       /* of them, those that had to be killed */
};

static void note_program_end(int status, struct ending *ending)
{
	for (size_t i = 1; i < process_count; i++)
		processes[i].queued = processes[i].ended ? 0 : queued_s(processes[i].pid);
	processes[0].ended = true;
	ending->status = status;
	ending->queued = queued_s(getpid());
	ending->ended = now();
}

/* A process that has ended, and that nobody has waited for: how long did it take to follow the program? */
static void measure(pid_t pid, struct ending *ending)
{
	double queued = queued_s(pid) - process_of(pid)->queued + queued_s(getpid()) - ending->queued;
	double seconds = now() - ending->ended - queued;
	if (seconds > ending->seconds)
		ending->seconds = seconds;
}

/* Every process has two ends where its parent does not wait for it: one for who traces it, one for who inherits it. */
static void note_end(pid_t pid, struct ending *ending)
{
	struct traced *process = process_of(pid);
	if (process->ended || ending->ended > 0)
		ending->unattended++;
	process->ended = true;
}

/* As waitpid(2) for any process; once the program has ended, it measures who has followed, and waits for nothing. */
static pid_t await(int *status, struct ending *ending)
{
	siginfo_t seen = {.si_pid = 0};
	if (ending->ended == 0)
		return waitpid(-1, status, __WALL);
	if (waitid(P_ALL, 0, &seen, WEXITED | WSTOPPED | WNOWAIT | WNOHANG | __WALL) != 0)
		return -1;
	if (seen.si_pid == 0)
		return 0;
	if (seen.si_code == CLD_EXITED || seen.si_code == CLD_KILLED || seen.si_code == CLD_DUMPED)
		measure(seen.si_pid, ending);
	return waitpid(seen.si_pid, status, __WALL);
}

static struct ending follow(pid_t program)
{
	struct ending ending = {0};
	for (;;) {
		int status;
		pid_t pid = await(&status, &ending);
		if (pid < 0 && errno == EINTR)
			continue;
		if (pid < 0)
			return ending; /* nobody is left */
		if (pid == 0) {
			if (now() > ending.ended + LEFT_BEHIND_S) {
				for (size_t i = 0; i < process_count; i++)
					ending.left += !processes[i].ended;
				return ending; /* who is left is killed by PTRACE_O_EXITKILL */
			}
			nanosleep(&(struct timespec){.tv_nsec = 200000}, NULL);
		} else if (WIFSTOPPED(status)) {
			size_t known = process_count;
			struct traced *process = process_of(pid);
			bool is_new = process_count > known || process->calls == 0;
			handle_stop(process, status, is_new);
		} else if (pid == program) {
			note_program_end(status, &ending);
		} else {
			note_end(pid, &ending);
		}
	}
}

static void write_report(const char *path, const struct ending *ending)
{
	FILE *file = fopen(path, "we");
	if (file == NULL)
		give_up(path);
	fprintf(file, "fired %lu\nstruck_call %ld\nstruck_descriptor %ld\n", fired, struck_call, struck_descriptor);
	fprintf(file, "end_us %.0f\nunattended %zu\nleft %zu\n", ending->seconds * 1e6, ending->unattended,
	        ending->left);
	for (size_t i = 0; i < process_count; i++)
		fprintf(file, "process %zu %lu\n", i, processes[i].calls);
	for (size_t i = 0; i < CALLS_MAX; i++)
		if (program_calls[i] > 0)
			fprintf(file, "call %zu %lu\n", i, program_calls[i]);
	if (fclose(file) != 0)
		give_up(path);
}

int main(int count, char **arguments)
{
	if (count < 8) {
		fputs("usage: call_driver REPORT PROCESSES CALL FROM TIMES ACTION program [argument]...\n", stderr);
		return STATUS_FAILED;
	}
	parse_processes(arguments[2]);
	plan.call = strtol(arguments[3], NULL, 10);
	plan.from = strtoul(arguments[4], NULL, 10);
	plan.times = strtoul(arguments[5], NULL, 10);
	plan.failure = strcmp(arguments[6], "kill") == 0 ? 0 : atoi(arguments[6]);
	/* Who is orphaned becomes a child of this process, so that it is seen. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	pid_t program = start_program(arguments + 7);
	ptrace(PTRACE_SYSCALL, program, NULL, NULL);
	struct ending ending = follow(program);
	write_report(arguments[1], &ending);
	if (WIFEXITED(ending.status))
		return WEXITSTATUS(ending.status);
	struct rlimit none = {0, 0};
	setrlimit(RLIMIT_CORE, &none);
	signal(WTERMSIG(ending.status), SIG_DFL);
	raise(WTERMSIG(ending.status));
	return STATUS_FAILED;
}
