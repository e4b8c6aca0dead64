#define _GNU_SOURCE
#include "worker/system_calls.h"

#include "common/calls.h"
#include "worker/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Stands for the pid of the worker, which is not known before the fork. No process has this one: 2^22 is the most. */
#define OWN_PID 0x7fffffffU

/* What a condition asks of an argument: what is left of its lower 32 bits under the mask. */
struct condition {
	uint32_t argument;
	uint32_t mask;
	uint32_t value;
};

/* Arguments that are an int in 64 bits: what is in the upper half says nothing. */
#define INT_IS(place, number)                                               \
	{                                                                   \
		.argument = (place), .mask = 0xffffffffU, .value = (number) \
	}
#define INT_LACKS(place, bits)                                  \
	{                                                       \
		.argument = (place), .mask = (bits), .value = 0 \
	}

/* A call with one condition on its arguments. Of several rules for one call, one must hold. */
static const struct {
	uint32_t call;
	struct condition condition;
} conditional[] = {
        {SYS_read, INT_IS(0, STDIN_FILENO)},
        {SYS_write, INT_IS(0, STDOUT_FILENO)},
        {SYS_write, INT_IS(0, STDERR_FILENO)},
        {SYS_writev, INT_IS(0, STDERR_FILENO)}, /* the C library, before it aborts */
        {SYS_ioctl, INT_IS(1, FIONREAD)},       /* scheduling_wait_awake: are there bytes in the pipe? */
        /* The dataset, for reading: no other flag may be set. */
        {SYS_openat, INT_LACKS(2, ~(uint32_t)O_CLOEXEC)},
        {SYS_newfstatat, INT_IS(3, AT_EMPTY_PATH)}, /* fstat(3) */
        {SYS_mmap, INT_LACKS(2, PROT_EXEC)},
        {SYS_mprotect, INT_LACKS(2, PROT_EXEC)},
        /* raise(3): a process can always end or stop itself. */
        {SYS_kill, INT_IS(0, OWN_PID)},
        {SYS_tgkill, INT_IS(0, OWN_PID)},
};

/* Calls that can do no harm outside of the process that makes them. */
static const uint32_t unconditional[] = {
        SYS_fstat,
        SYS_close,
        /* malloc(3) */
        SYS_brk,
        SYS_munmap,
        SYS_mremap,
        SYS_madvise,
        SYS_getrandom,
        /* clock_now_ns, where the machine's clock cannot be read without a call */
        SYS_clock_gettime,
        /* waiting, and going on after a stop */
        SYS_sched_yield,
        SYS_nanosleep,
        SYS_clock_nanosleep,
        SYS_restart_syscall,
        /* signals of its own, for last_words_linux.c and raise(3) */
        SYS_rt_sigaction,
        SYS_rt_sigprocmask,
        SYS_rt_sigreturn,
        SYS_getpid,
        SYS_gettid,
        /* the C library's locks and its initialisers that run once */
        SYS_futex,
        SYS_exit_group,
};

/* With which a worker does to itself what a run with faults asks for; no other run's worker may make them. */
static const uint32_t for_faults[] = {
        SYS_timer_create,                    /* who stops itself wants to be woken */
        SYS_timer_settime, SYS_memfd_create, /* a file of its own, to be cut short */
};

/* Twice what the list above comes to. */
enum { INSTRUCTIONS_MAX = 256 };

struct system_call_filter {
	unsigned flags; /* of seccomp(2) */
	unsigned short count;
	struct sock_filter instructions[INSTRUCTIONS_MAX];
};

/* seccomp(2) looks at its flags first, and then at the program: with none, EFAULT means that it would have taken one.
 */
static bool kernel_takes_filters(unsigned flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, NULL) != 0 && errno == EFAULT;
}

_Static_assert(5 + 6 * (sizeof conditional / sizeof *conditional) +
                               2 * ((sizeof unconditional + sizeof for_faults) / sizeof *unconditional) <=
                       INSTRUCTIONS_MAX,
        "room for all rules");

static void put(struct system_call_filter *filter, struct sock_filter instruction)
{
	filter->instructions[filter->count++] = instruction;
}

static void put_load(struct system_call_filter *filter, size_t offset)
{
	put(filter, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset));
}

static void put_verdict(struct system_call_filter *filter, uint32_t verdict)
{
	put(filter, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, verdict));
}

/* Skips so many instructions unless what was loaded is the value. */
static void put_skip_unless(struct system_call_filter *filter, uint32_t value, uint8_t instructions)
{
	put(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, instructions));
}

/* The number of the call is loaded, here and behind. */
static void put_rule(struct system_call_filter *filter, uint32_t call)
{
	put_skip_unless(filter, call, 1);
	put_verdict(filter, SECCOMP_RET_ALLOW);
}

static void put_conditional_rule(struct system_call_filter *filter, uint32_t call, struct condition condition)
{
	put_skip_unless(filter, call, 5);
	put_load(filter,
	        offsetof(struct seccomp_data, args) + condition.argument * sizeof(uint64_t)); /* little-endian */
	put(filter, (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, condition.mask));
	put_skip_unless(filter, condition.value, 1);
	put_verdict(filter, SECCOMP_RET_ALLOW);
	put_load(filter, offsetof(struct seccomp_data, nr));
}

/*
 * The list as a program: one comparison after the other, those of every epoch first. libseccomp would write it too, but
 * not where memory is short: then its version 2.5 crashes, hangs, or leaves rules out without a word.
 */
static void compile(struct system_call_filter *filter, bool with_faults)
{
	/* Calls of another architecture's table, such as those of 32 bits, have other numbers: none is allowed. */
	put_load(filter, offsetof(struct seccomp_data, arch));
	put(filter, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
	put_verdict(filter, SECCOMP_RET_TRAP);
	put_load(filter, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < sizeof conditional / sizeof *conditional; i++)
		put_conditional_rule(filter, conditional[i].call, conditional[i].condition);
	for (size_t i = 0; i < sizeof unconditional / sizeof *unconditional; i++)
		put_rule(filter, unconditional[i]);
	for (size_t i = 0; with_faults && i < sizeof for_faults / sizeof *for_faults; i++)
		put_rule(filter, for_faults[i]);
	put_verdict(filter, SECCOMP_RET_TRAP);
}

int system_call_filter_new(struct system_call_filter **filter, bool with_faults)
{
	/* Before Linux 5.16 a filter would slow the arithmetic down, against attacks that a worker does not fear. */
	unsigned flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	*filter = NULL;
	if (ISOLATION_SANITIZED)
		return ENOTSUP;
	if (!kernel_takes_filters(flags))
		flags = 0;
	if (!kernel_takes_filters(flags))
		return ENOSYS;
	struct system_call_filter *made = calloc(1, sizeof *made);
	if (made == NULL)
		return ENOMEM;
	made->flags = flags;
	compile(made, with_faults);
	*filter = made;
	return 0;
}

void system_call_filter_free(struct system_call_filter *filter)
{
	free(filter);
}

int system_call_filter_install(const struct system_call_filter *filter)
{
	struct sock_filter instructions[INSTRUCTIONS_MAX];
	struct sock_fprog program = {filter->count, instructions};
	unsigned pid = (unsigned)getpid();
	for (unsigned short i = 0; i < filter->count; i++) {
		instructions[i] = filter->instructions[i];
		if (instructions[i].code == (BPF_JMP | BPF_JEQ | BPF_K) && instructions[i].k == OWN_PID)
			instructions[i].k = pid;
	}
	calls_begin(CALL_SECCOMP, filter->count, filter->flags);
	long result = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program);
	calls_end(result);
	return result == 0 ? 0 : errno;
}
