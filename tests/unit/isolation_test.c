/* Every wall of a worker's isolation, by walking into it; what faults in memory say is in last_words_test.c. */
#define _GNU_SOURCE
#include "coordinator/confinement.h"
#include "coordinator/system_call.h"
#include "tests/unit/confined_child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

TestSuite(isolation, .timeout = 30, .init = skip_if_sanitized);

/* System calls. */

static void open_for_writing(void)
{
	open("/dev/null", O_WRONLY | O_CLOEXEC);
}

static void open_for_both(void)
{
	open("/dev/null", O_RDWR | O_CLOEXEC);
}

static void create(void)
{
	open("/tmp/forkfit-must-not-appear", O_RDONLY | O_CREAT | O_CLOEXEC, 0600);
}

static void truncate_open(void)
{
	open("/dev/null", O_RDONLY | O_TRUNC | O_CLOEXEC);
}

static void stat_by_path(void)
{
	struct stat status;
	stat("/etc/passwd", &status);
}

static void remove_file(void)
{
	unlink("/tmp/forkfit-must-not-appear");
}

static void make_socket(void)
{
	socket(AF_UNIX, SOCK_STREAM, 0);
}

static void execute(void)
{
	execl("/bin/true", "true", (char *)NULL);
}

static void fork_a_child(void)
{
	if (fork() == 0)
		_exit(0);
}

static void signal_parent(void)
{
	kill(confined_child_parent, 0);
}

static void signal_init(void)
{
	kill(1, 0);
}

static void signal_everybody(void)
{
	kill(-1, 0);
}

static void trace_parent(void)
{
	ptrace(PTRACE_ATTACH, 1, NULL, NULL);
}

static void map_code(void)
{
	mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void turn_data_into_code(void)
{
	static unsigned char data[8192];
	unsigned char *page = data + 4096 - (uintptr_t)data % 4096;
	mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static void write_elsewhere(void)
{
	ssize_t written = write(3, "x", 1);
	(void)written;
}

static void read_elsewhere(void)
{
	char byte;
	ssize_t got = read(3, &byte, 1);
	(void)got;
}

static void duplicate(void)
{
	dup(STDERR_FILENO);
}

static void make_pipe(void)
{
	int ends[2];
	int made = pipe(ends);
	(void)made;
}

static void raise_limit(void)
{
	setrlimit(RLIMIT_NOFILE, &(struct rlimit){1024, 1024});
}

static void change_a_descriptor(void)
{
	ioctl(STDIN_FILENO, FIONBIO, &(int){1});
}

static void change_directory(void)
{
	int changed = chdir("/");
	(void)changed;
}

/* Catches the mutation no_filter. */
Test(isolation, forbids_a_system_call_and_names_it)
{
	static const struct {
		const char *name;
		void (*step)(void);
		const char *call;
	} walls[] = {
	        {"open for writing", open_for_writing, "openat ("},
	        {"open for reading and writing", open_for_both, "openat ("},
	        {"create", create, "openat ("},
	        {"truncate while opening", truncate_open, "openat ("},
	        {"stat by path", stat_by_path, "newfstatat ("},
	        {"unlink", remove_file, "unlink ("},
	        {"socket", make_socket, "socket ("},
	        {"execve", execute, "execve ("},
	        {"fork", fork_a_child, "clone ("},
	        {"kill the parent", signal_parent, "kill ("},
	        {"kill init", signal_init, "kill ("},
	        {"kill everybody", signal_everybody, "kill ("},
	        {"ptrace", trace_parent, "ptrace ("},
	        {"map code", map_code, "mmap ("},
	        {"make code of data", turn_data_into_code, "mprotect ("},
	        {"write to descriptor 3", write_elsewhere, "write ("},
	        {"read from descriptor 3", read_elsewhere, "read ("},
	        {"dup", duplicate, "dup ("},
	        {"pipe", make_pipe, "pipe"},
	        {"raise a limit", raise_limit, "prlimit64 ("},
	        {"ioctl", change_a_descriptor, "ioctl ("},
	        {"chdir", change_directory, "chdir ("},
	};
	for (size_t i = 0; i < sizeof walls / sizeof *walls; i++) {
		struct ending ending = send_out_confined(NULL, walls[i].step);
		char call[96];
		expect_signal(walls[i].name, &ending, SIGSYS);
		expect_words(walls[i].name, &ending, "a system call that it may not make");
		system_call_describe(ending.words.offset, call, sizeof call);
		cr_expect(strncmp(call, walls[i].call, strlen(walls[i].call)) == 0, "%s: %s", walls[i].name, call);
	}
	cr_expect_neq(access("/tmp/forkfit-must-not-appear", F_OK), 0);
}

/* A call by its number, with arguments that no condition allows. */
static long forbidden;

static void call_forbidden(void)
{
	syscall(forbidden, -1L, -1L, -1L, -1L, -1L, -1L);
}

static bool is_allowed_with_any_arguments(long call)
{
	static const long allowed[] = {SYS_fstat, SYS_close, SYS_brk, SYS_munmap, SYS_mremap, SYS_madvise,
	        SYS_getrandom, SYS_clock_gettime, SYS_sched_yield, SYS_nanosleep, SYS_clock_nanosleep,
	        SYS_restart_syscall, SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_getpid, SYS_gettid,
	        SYS_futex, SYS_exit_group};
	for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
		if (allowed[i] == call)
			return true;
	return false;
}

Test(isolation, forbids_every_call_that_is_not_on_its_list)
{
	enum { BEHIND_THE_LAST = 480, OTHER_NUMBERS = 0x40000000 }; /* the latter are x32's */
	for (long call = 0; call < BEHIND_THE_LAST; call++) {
		/* The kernel's own, for probes of tracers: no filter is asked about them. */
		bool is_of_probes = call == 335 || call == 336;
		if (is_of_probes || is_allowed_with_any_arguments(call))
			continue;
		for (int other = 0; other < 2; other++) {
			char name[32];
			forbidden = other ? call | OTHER_NUMBERS : call;
			struct ending ending = send_out_confined(NULL, call_forbidden);
			snprintf(name, sizeof name, "call %ld", forbidden);
			expect_signal(name, &ending, SIGSYS);
			cr_expect_eq(ending.words.offset, forbidden, "%s: %ld", name, (long)ending.words.offset);
			if (call % 16 != 0)
				break; /* of x32, which has the same numbers, a few will do */
		}
	}
}

#if defined(__x86_64__)
/* The 32-bit getpid, whose number is writev's in 64 bits. */
static void call_in_32_bits(void)
{
	long number = 20;
	__asm__ volatile("int $0x80" : "+a"(number) : : "memory");
}

Test(isolation, forbids_the_calls_of_another_architecture)
{
	struct ending without = send_out(&(struct isolation){0}, NULL, call_in_32_bits);
	if (!WIFEXITED(without.status))
		cr_skip_test("this kernel has no 32-bit calls");
	struct ending ending = send_out_confined(NULL, call_in_32_bits);
	expect_signal("int 0x80", &ending, SIGSYS);
	expect_words("int 0x80", &ending, "a system call of another architecture");
	cr_expect_eq(ending.words.offset, -1);
}
#endif

static void live(void)
{
	struct stat status;
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	void *pages = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
	bool mapped = file == 3 && fstat(file, &status) == 0 && pages != MAP_FAILED && munmap(pages, 4096) == 0 &&
	              close(file) == 0;
	/* Small and large blocks that grow and shrink: brk, mmap and mremap. */
	for (size_t size = 64; mapped && size < 1U << 24; size *= 4) {
		char *block = malloc(size);
		char *grown = realloc(block, 3 * size);
		mapped = block != NULL && grown != NULL;
		free(grown);
	}
	ioctl(STDIN_FILENO, FIONREAD, &(int){0});
	sched_yield();
	nanosleep(&(struct timespec){.tv_nsec = 1000}, NULL);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &(struct timespec){.tv_nsec = 1000}, NULL);
	bool said = write(STDERR_FILENO, "", 0) == 0;
	close(STDIN_FILENO);
	if (!mapped || !said)
		_exit(SURPRISED);
}

Test(isolation, leaves_what_a_worker_needs)
{
	struct ending ending = send_out_confined(NULL, live);
	expect_exit("live", &ending, WENT_THROUGH);
	cr_expect(!ending.spoke);
}

static void kill_itself(void)
{
	raise(SIGKILL);
}

static void abort_itself(void)
{
	abort();
}

static void fault_by_request(void)
{
	raise(SIGSEGV);
}

static void terminate_itself(void)
{
	kill(getpid(), SIGTERM);
}

Test(isolation, lets_a_worker_end_itself)
{
	static const struct {
		const char *name;
		void (*step)(void);
		int signal;
	} ends[] = {
	        {"raise(SIGKILL)", kill_itself, SIGKILL},
	        {"abort()", abort_itself, SIGABRT},
	        {"raise(SIGSEGV)", fault_by_request, SIGSEGV},
	        {"kill(getpid(), SIGTERM)", terminate_itself, SIGTERM},
	};
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
		struct ending ending = send_out_confined(NULL, ends[i].step);
		expect_signal(ends[i].name, &ending, ends[i].signal);
		if (ends[i].signal == SIGSEGV)
			expect_words(ends[i].name, &ending, "raised by itself");
	}
}

/* Limits. */

static void allocate_too_much(void)
{
	void *volatile little = malloc(4U << 20); /* a compiler may leave out what is not looked at */
	void *volatile much = malloc(64U << 20);
	if (little == NULL || much != NULL)
		_exit(SURPRISED);
}

/* Catches the mutation no_memory_limit. */
Test(isolation, limits_memory_so_that_allocation_fails)
{
	struct ending limited = send_out(&(struct isolation){.max_memory_mb = 32}, NULL, allocate_too_much);
	struct ending free = send_out(&(struct isolation){0}, NULL, allocate_too_much);
	expect_exit("limited", &limited, WENT_THROUGH);
	expect_exit("without a limit", &free, SURPRISED);
}

/* Five times what it may: without a limit it comes to its end all the same. */
static void spin(void)
{
	while (clock() < 5 * CLOCKS_PER_SEC)
		;
}

/* Catches the mutation no_processor_limit. */
Test(isolation, limits_processor_time)
{
	struct ending ending = send_out(&(struct isolation){.max_cpu_s = 1}, NULL, spin);
	expect_signal("spin", &ending, SIGXCPU);
	expect_words("spin", &ending, "it used up the processor time that it may have");
}

static void allow_core_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_max == 0)
		_exit(NOT_PREPARED);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_CORE, &limit) != 0)
		_exit(NOT_PREPARED);
}

static void look_at_core_files(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0 || limit.rlim_max != 0)
		_exit(SURPRISED);
}

/* Catches the mutation no_core_limit. */
Test(isolation, leaves_no_core_file)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_CORE, &limit) == 0 && limit.rlim_max == 0)
		cr_skip_test("nobody leaves one here");
	struct ending ending = send_out(&(struct isolation){.enabled = true}, allow_core_files, look_at_core_files);
	expect_exit("core files", &ending, WENT_THROUGH);
}

static void look_at_privileges(void)
{
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		_exit(SURPRISED);
}

/* Catches the mutation new_privileges. */
Test(isolation, lets_nothing_give_new_privileges)
{
	struct ending ending = send_out(&(struct isolation){.enabled = true}, NULL, look_at_privileges);
	expect_exit("privileges", &ending, WENT_THROUGH);
}

static void open_many(void)
{
	for (int i = 0; i < 20; i++)
		if (open("/dev/null", O_RDONLY) < 0)
			_exit(NOT_PREPARED);
}

static void count_descriptors(void)
{
	for (int i = 0; i < 1024; i++)
		if ((fcntl(i, F_GETFD) >= 0) != (i <= STDERR_FILENO))
			_exit(SURPRISED);
}

Test(isolation, leaves_three_descriptors_of_all_that_were_inherited)
{
	open_many();
	struct ending ending = send_out(&(struct isolation){.enabled = true}, NULL, count_descriptors);
	expect_exit("inherited", &ending, WENT_THROUGH);
}

static void open_two(void)
{
	if (open("/dev/null", O_RDONLY) != 3 || open("/dev/null", O_RDONLY) != -1 || errno != EMFILE)
		_exit(SURPRISED);
}

/* Catches the mutation no_descriptor_limit. */
Test(isolation, lets_one_file_be_open_at_a_time)
{
	struct ending ending = send_out_confined(NULL, open_two);
	expect_exit("open two", &ending, WENT_THROUGH);
}

/* Kernels without filters. */

/* From now on the kernel of this process knows no seccomp(2). */
static void forget_filters(void)
{
	scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
	if (context == NULL || seccomp_rule_add(context, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(seccomp), 0) != 0 ||
	        seccomp_load(context) != 0)
		_exit(NOT_PREPARED);
}

static int notes;

static void count_note(void *context, const struct event *event)
{
	(void)context;
	if (event->type == EVENT_NOTE && strstr(event->note.text, "no system call filters") != NULL)
		notes++;
}

static void prepare_without_filters(void)
{
	struct config config = {.isolation = {.enabled = true}};
	struct confinement confinement;
	struct event_stream events;
	struct error error;
	events_init(&events);
	events_add_sink(&events, (struct event_sink){.handle = count_note});
	if (!confinement_init(&confinement, &config, &events, &error) || confinement.filter != NULL || notes != 1 ||
	        !confinement.isolation.enabled)
		_exit(SURPRISED);
	confinement_release(&confinement);
}

Test(isolation, goes_without_a_filter_where_the_kernel_has_none_and_says_so_once)
{
	struct ending ending = send_out(&(struct isolation){0}, forget_filters, prepare_without_filters);
	expect_exit("no seccomp(2)", &ending, WENT_THROUGH);
}
