#define _GNU_SOURCE
#include "worker/system_calls.h"

#include "worker/isolation.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Stands for the pid of the worker, which is not known before the fork. No process has this one: 2^22 is the most. */
#define OWN_PID 0x7fffffffU

/* Arguments that are an int in 64 bits: what is in the upper half says nothing. */
#define INT_BITS 0xffffffffU
#define INT_IS(place, value)                                                                      \
	{                                                                                         \
		.arg = (place), .op = SCMP_CMP_MASKED_EQ, .datum_a = INT_BITS, .datum_b = (value) \
	}
#define INT_LACKS(place, bits)                                                            \
	{                                                                                 \
		.arg = (place), .op = SCMP_CMP_MASKED_EQ, .datum_a = (bits), .datum_b = 0 \
	}

/* A call with one condition on its arguments. Of several rules for one call, one must hold. */
static const struct {
	int call;
	struct scmp_arg_cmp condition;
} conditional[] = {
        {SCMP_SYS(read), INT_IS(0, STDIN_FILENO)},
        {SCMP_SYS(write), INT_IS(0, STDOUT_FILENO)},
        {SCMP_SYS(write), INT_IS(0, STDERR_FILENO)},
        {SCMP_SYS(writev), INT_IS(0, STDERR_FILENO)}, /* the C library, before it aborts */
        /* The dataset, for reading: no other flag may be set. */
        {SCMP_SYS(openat), INT_LACKS(2, INT_BITS & ~(unsigned)O_CLOEXEC)},
        {SCMP_SYS(newfstatat), INT_IS(3, AT_EMPTY_PATH)}, /* fstat(3) */
        {SCMP_SYS(mmap), INT_LACKS(2, PROT_EXEC)},
        {SCMP_SYS(mprotect), INT_LACKS(2, PROT_EXEC)},
        /* raise(3): a process can always end or stop itself. */
        {SCMP_SYS(kill), INT_IS(0, OWN_PID)},
        {SCMP_SYS(tgkill), INT_IS(0, OWN_PID)},
};

/* Calls that can do no harm outside of the process that makes them. */
static const int unconditional[] = {
        SCMP_SYS(fstat),
        SCMP_SYS(close),
        /* malloc(3) */
        SCMP_SYS(brk),
        SCMP_SYS(munmap),
        SCMP_SYS(mremap),
        SCMP_SYS(madvise),
        SCMP_SYS(getrandom),
        /* clock_now_ns, where the machine's clock cannot be read without a call */
        SCMP_SYS(clock_gettime),
        /* sleeping, and going on after a stop */
        SCMP_SYS(nanosleep),
        SCMP_SYS(clock_nanosleep),
        SCMP_SYS(restart_syscall),
        /* signals of its own, for last_words_linux.c and raise(3) */
        SCMP_SYS(rt_sigaction),
        SCMP_SYS(rt_sigprocmask),
        SCMP_SYS(rt_sigreturn),
        SCMP_SYS(getpid),
        SCMP_SYS(gettid),
        /* the C library's locks and its initialisers that run once */
        SCMP_SYS(futex),
        SCMP_SYS(exit_group),
};

/* With which a worker does to itself what a run with faults asks for; no other run's worker may make them. */
static const int for_faults[] = {
        SCMP_SYS(timer_create),                          /* who stops itself wants to be woken */
        SCMP_SYS(timer_settime), SCMP_SYS(memfd_create), /* a file of its own, to be cut short */
};

/* Three times what the list above compiles to; compiled, it also fits in a pipe. */
enum { INSTRUCTIONS_MAX = 512 };

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

static int add_rules(scmp_filter_ctx context, bool with_faults)
{
	int status = 0;
	for (size_t i = 0; status == 0 && i < sizeof conditional / sizeof *conditional; i++)
		status = seccomp_rule_add_array(
		        context, SCMP_ACT_ALLOW, conditional[i].call, 1, &conditional[i].condition);
	for (size_t i = 0; status == 0 && i < sizeof unconditional / sizeof *unconditional; i++)
		status = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, unconditional[i], 0, NULL);
	for (size_t i = 0; status == 0 && with_faults && i < sizeof for_faults / sizeof *for_faults; i++)
		status = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, for_faults[i], 0, NULL);
	return status;
}

/* libseccomp writes programs to descriptors only. Returns 0 or an errno. */
static int export(const scmp_filter_ctx context, struct system_call_filter *filter)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
		return errno;
	int status = -seccomp_export_bpf(context, ends[1]);
	ssize_t length = read(ends[0], filter->instructions, sizeof filter->instructions);
	close(ends[0]);
	close(ends[1]);
	if (status == 0 && (length <= 0 || (size_t)length == sizeof filter->instructions))
		status = E2BIG;
	filter->count = (unsigned short)(length > 0 ? (size_t)length / sizeof *filter->instructions : 0);
	return status;
}

/* Calls of another architecture's table, such as those of 32 bits, have other numbers: none is allowed. */
static int compile(struct system_call_filter *filter, bool with_faults)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_TRAP);
	if (context == NULL)
		return ENOMEM;
	int status = -seccomp_attr_set(context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_TRAP);
	if (status == 0)
		status = -add_rules(context, with_faults);
	if (status == 0)
		status = export(context, filter);
	seccomp_release(context);
	return status;
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
	int status = compile(made, with_faults);
	if (status == 0)
		*filter = made;
	else
		free(made);
	return status;
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
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program) == 0 ? 0 : errno;
}
