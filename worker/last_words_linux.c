#define _GNU_SOURCE
#include "worker/last_words.h"

#include "common/calls.h"
#include "worker/isolation.h"

#include <linux/audit.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

/* Faults, and the one limit that is told by a signal. */
static const int watched[] = {SIGSYS, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGXCPU};
enum { WATCHED_COUNT = sizeof watched / sizeof *watched };

/* The handlers' own, since a stack that ran over is one of the faults. AVX-512 registers alone take 3 KiB of it. */
enum { HANDLER_STACK_BYTES = 65536 };

/* Below this address Linux maps nothing (vm.mmap_min_addr): what points there is NULL, or a member of it. */
enum { LOWEST_ADDRESS = 65536 };

/* So near its end, an address belongs to the stack: a function's variables may be some way beyond. */
enum { STACK_REACH = 1 << 20 };

static struct {
	struct frame_header question;
	volatile sig_atomic_t has_question;
	volatile sig_atomic_t writing;
	struct wire_buffer frame; /* has room for the longest ERROR frame */
	struct worker_error error;
	uintptr_t mapping_begin, mapping_end, page;
	const char *units;
	struct range what;
} words;

static unsigned char handler_stack[HANDLER_STACK_BYTES];

/* A handler may not use snprintf(3). These add to words.error.text, and cut it where it is full. */

static void add(const char *text)
{
	size_t length = strlen(words.error.text);
	while (*text != '\0' && length + 1 < sizeof words.error.text)
		words.error.text[length++] = *text++;
	words.error.text[length] = '\0';
}

static void add_number(uint64_t number, unsigned base)
{
	char digits[24];
	size_t at = sizeof digits - 1;
	digits[at] = '\0';
	do {
		digits[--at] = "0123456789abcdef"[number % base];
		number /= base;
	} while (number != 0);
	add(base == 16 ? "0x" : "");
	add(digits + at);
}

static void add_mapping(const char *where)
{
	add(where);
	add("its mapping of ");
	add(words.units);
	add(" ");
	add_number(words.what.begin, 10);
	add(" to ");
	add_number(words.what.end - 1, 10);
}

#if defined(__x86_64__)
static bool is_native(const siginfo_t *info)
{
	return info->si_arch == AUDIT_ARCH_X86_64;
}

static bool is_write(const ucontext_t *context)
{
	return (context->uc_mcontext.gregs[REG_ERR] & 2) != 0; /* a page fault's second bit */
}

static uintptr_t stack_pointer(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RSP];
}
#else
static bool is_native(const siginfo_t *info)
{
	(void)info;
	return true;
}

static bool is_write(const ucontext_t *context)
{
	(void)context;
	return false;
}

static uintptr_t stack_pointer(const ucontext_t *context)
{
	(void)context;
	return 0;
}
#endif

/* The address that was touched, and what it belongs to. */
static void describe_place(const siginfo_t *info, const ucontext_t *context)
{
	uintptr_t address = (uintptr_t)info->si_addr;
	uintptr_t stack = stack_pointer(context);
	/* The signal of a jump to nowhere, or of an address that is none, comes without the address. */
	if (info->si_signo == SIGSEGV && info->si_code == SI_KERNEL) {
		add("it touched an address that no process has");
		return;
	}
	add(is_write(context) ? "it wrote to address " : "it read from address ");
	add_number(address, 16);
	if (address < LOWEST_ADDRESS)
		add(", a null pointer");
	else if (address >= words.mapping_begin && address < words.mapping_end && info->si_signo == SIGBUS)
		add_mapping(", in a part of the file that is gone or cannot be read, in ");
	else if (address >= words.mapping_begin && address < words.mapping_end)
		add_mapping(", which it may only read, in ");
	else if (address >= words.mapping_end && address - words.mapping_end < words.page)
		add_mapping(", behind ");
	else if (address < words.mapping_begin && words.mapping_begin - address <= words.page)
		add_mapping(", in front of ");
	else if (address < stack + STACK_REACH && address + STACK_REACH > stack)
		add(", beyond the end of its stack");
	else if (info->si_signo == SIGSEGV && info->si_code == SEGV_MAPERR)
		add(", where nothing is mapped");
	else
		add(", which it may not touch");
}

static void describe_sender(const siginfo_t *info)
{
	if (info->si_pid == getpid()) {
		add("raised by itself");
		return;
	}
	add("sent by process ");
	add_number((uint64_t)info->si_pid, 10);
}

/* A number means something else in another architecture's table. */
static void describe_call(const siginfo_t *info)
{
	if (is_native(info)) {
		add("a system call that it may not make");
		words.error.offset = info->si_syscall;
	} else {
		add("a system call of another architecture");
	}
}

static void describe(const siginfo_t *info, const ucontext_t *context)
{
	words.error.text[0] = '\0';
	words.error.stage = STAGE_SIGNAL;
	words.error.system_error = 0;
	words.error.offset = words.error.column = -1;
	if (info->si_code <= 0) {
		describe_sender(info);
	} else if (info->si_signo == SIGSYS) {
		describe_call(info);
	} else if (info->si_signo == SIGXCPU) {
		add("it used up the processor time that it may have");
	} else if (info->si_signo == SIGSEGV || info->si_signo == SIGBUS) {
		describe_place(info, context);
	} else {
		add("the instruction at address ");
		add_number((uint64_t)(uintptr_t)info->si_addr, 16);
	}
}

static void on_signal(int number, siginfo_t *info, void *context)
{
	if (words.has_question && !words.writing) {
		describe(info, context);
		words.frame.length = 0; /* what is reserved is enough, so that nothing is allocated */
		if (wire_encode_error(&words.frame, &words.question, &words.error)) {
			calls_begin(CALL_WRITE, STDOUT_FILENO, (int64_t)words.frame.length, FRAME_ERROR);
			calls_end(write(STDOUT_FILENO, words.frame.bytes, words.frame.length));
			/* If it could not be written, the status tells the rest. */
		}
	}
	/* It waits until the handler returns, and then finds the default action. */
	raise(number);
}

/* An ERROR frame of the longest text is made once, for the room that it takes. */
static bool reserve_frame(void)
{
	memset(words.error.text, ' ', sizeof words.error.text - 1);
	return wire_encode_error(&words.frame, &words.question, &words.error);
}

bool last_words_prepare(void)
{
	if (ISOLATION_SANITIZED)
		return true;
	words.page = (uintptr_t)sysconf(_SC_PAGESIZE);
	stack_t stack = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
	if (!reserve_frame() || sigaltstack(&stack, NULL) != 0)
		return false;
	struct sigaction action = {
	        .sa_sigaction = on_signal, .sa_flags = (int)(SA_SIGINFO | SA_ONSTACK | SA_RESETHAND)};
	sigfillset(&action.sa_mask);
	for (size_t i = 0; i < WATCHED_COUNT; i++)
		sigaction(watched[i], &action, NULL);
	return true;
}

void last_words_set_question(const struct frame_header *question)
{
	words.question = *question;
	words.has_question = true;
}

void last_words_hold(bool writing)
{
	words.writing = writing;
}

void last_words_set_mapping(const struct mapping *mapping, const char *units, struct range what)
{
	words.mapping_begin = (uintptr_t)mapping->base;
	words.mapping_end = words.mapping_begin + mapping->mapped;
	words.units = units;
	words.what = what;
}
