/*
 * Every wall of a worker's isolation, by walking into it. Each walk is made by a forked child that is confined as a
 * worker is; the parent looks at how it ended and at its last words. A walk that meets no wall ends in _exit.
 */
#define _GNU_SOURCE
#include "common/frame_io.h"
#include "coordinator/confinement.h"
#include "coordinator/system_call.h"
#include "worker/chunk.h"
#include "worker/isolation.h"
#include "worker/last_words.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* A program built with a sanitizer has no walls to walk into. */
static void skip_if_sanitized(void)
{
	if (ISOLATION_SANITIZED)
		cr_skip_test("built with a sanitizer");
}

TestSuite(isolation, .timeout = 30, .init = skip_if_sanitized);

/* How children end that meet no wall. */
enum { WENT_THROUGH = 0, NOT_PREPARED = 100, NOT_CONFINED = 101, SURPRISED = 102 };

struct ending {
	int status; /* of waitpid */
	bool spoke;
	struct frame_header header; /* of its last words */
	struct worker_error words;
};

static const struct frame_header question = {
        .type = FRAME_PARAMS, .worker = 3, .incarnation = 1, .epoch = 7, .round = 9};

static pid_t coordinator; /* for the child, which may not ask who its parent is */

/* In the child. `prepare` comes before the walls are up, and may be NULL. */
static void walk(int out, const struct isolation *isolation, void (*prepare)(void), void (*step)(void))
{
	int null = open("/dev/null", O_RDONLY);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 || !isolation_enter(coordinator) ||
	        !last_words_prepare())
		_exit(NOT_PREPARED);
	last_words_set_question(&question);
	if (prepare != NULL)
		prepare();
	if (isolation_confine(isolation) != 0)
		_exit(NOT_CONFINED);
	step();
	_exit(WENT_THROUGH);
}

static void take_words(int in, struct ending *ending)
{
	struct frame_reader reader;
	const unsigned char *payload;
	enum wire_status status;
	cr_assert(frame_reader_init(&reader, wire_max_payload_up(1)));
	while ((status = frame_reader_next(&reader, &ending->header, &payload)) == WIRE_SHORT)
		if (frame_reader_fill(&reader, in) != IO_DONE)
			break;
	ending->spoke = status == WIRE_OK && ending->header.type == FRAME_ERROR;
	if (ending->spoke)
		cr_assert_eq(wire_decode_error(payload, ending->header.payload_length, &ending->words), WIRE_OK);
	frame_reader_release(&reader);
}

struct walker {
	pid_t pid;
	int in; /* its standard output */
};

static struct walker start(const struct isolation *isolation, void (*prepare)(void), void (*step)(void))
{
	int ends[2];
	coordinator = getpid();
	cr_assert_eq(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0)
		walk(ends[1], isolation, prepare, step);
	cr_assert(pid > 0);
	close(ends[1]);
	return (struct walker){pid, ends[0]};
}

static struct ending finish(struct walker walker)
{
	struct ending ending = {0};
	take_words(walker.in, &ending);
	close(walker.in);
	cr_assert_eq(waitpid(walker.pid, &ending.status, 0), walker.pid);
	return ending;
}

static struct ending send_out(const struct isolation *isolation, void (*prepare)(void), void (*step)(void))
{
	return finish(start(isolation, prepare, step));
}

/* Behind all walls. */
static struct ending send_out_confined(void (*prepare)(void), void (*step)(void))
{
	struct system_call_filter *filter;
	cr_assert_eq(system_call_filter_new(&filter), 0);
	struct isolation isolation = {.enabled = true, .filter = filter};
	struct ending ending = send_out(&isolation, prepare, step);
	system_call_filter_free(filter);
	return ending;
}

static void expect_exit(const char *name, const struct ending *ending, int status)
{
	cr_expect(WIFEXITED(ending->status), "%s: ended by signal %d (%s, %lld)", name, WTERMSIG(ending->status),
	        ending->spoke ? ending->words.text : "no last words", (long long)ending->words.offset);
	cr_expect_eq(WEXITSTATUS(ending->status), status, "%s: status %d", name, WEXITSTATUS(ending->status));
}

static void expect_signal(const char *name, const struct ending *ending, int number)
{
	cr_expect(WIFSIGNALED(ending->status), "%s: exited with %d", name, WEXITSTATUS(ending->status));
	cr_expect_eq(WTERMSIG(ending->status), number, "%s: signal %d", name, WTERMSIG(ending->status));
}

static void expect_words(const char *name, const struct ending *ending, const char *text)
{
	cr_assert(ending->spoke, "%s: no last words", name);
	cr_expect_eq(ending->words.stage, STAGE_SIGNAL, "%s", name);
	cr_expect(strstr(ending->words.text, text) != NULL, "%s: \"%s\"", name, ending->words.text);
}

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
	kill(coordinator, 0);
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

static void change_directory(void)
{
	int changed = chdir("/");
	(void)changed;
}

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

#if defined(__x86_64__)
/* The 32-bit getpid, whose number is writev's in 64 bits. */
static void call_in_32_bits(void)
{
	long number = 20;
	__asm__ volatile("int $0x80" : "+a"(number) : : "memory");
}

static void do_without_walls(const struct isolation *none, struct ending *ending)
{
	*ending = send_out(none, NULL, call_in_32_bits);
}

Test(isolation, forbids_the_calls_of_another_architecture)
{
	struct ending without;
	do_without_walls(&(struct isolation){0}, &without);
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

/* Memory. */

enum { COLUMNS = 4, ROWS = 512, FIRST_ROW = 10, BEHIND_ROWS = 21 };

static char data_path[] = "/tmp/forkfit-isolation-XXXXXX";
static struct chunk *chunk;
static unsigned char *volatile place; /* of a byte of the chunk, or nowhere */

static void make_data(void)
{
	static double numbers[ROWS * COLUMNS];
	int file = mkstemp(data_path);
	cr_assert(file >= 0 && write(file, numbers, sizeof numbers) == (ssize_t)sizeof numbers);
	close(file);
}

/* Loads rows 10 to 20, with one row in each leaf, and finds where the mapped page begins. */
static void load_chunk(void)
{
	static uint32_t columns[COLUMNS] = {0, 1, 2, 3};
	static struct assignment assignment;
	struct chunk_facts facts;
	struct worker_error error;
	struct leaf_rows rows;
	struct stat status;
	if (stat(data_path, &status) != 0)
		_exit(NOT_PREPARED);
	assignment = (struct assignment){
	        .dataset =
	                {
	                        .path = data_path,
	                        .format = DATASET_NPY,
	                        .rows = ROWS,
	                        .file_columns = COLUMNS,
	                        .features = COLUMNS - 1,
	                        .columns = columns,
	                        .element = ELEMENT_F8,
	                },
	        .leaf_count = ROWS,
	        .leaves = {FIRST_ROW, BEHIND_ROWS},
	};
	assignment.dataset.identity.bytes = (uint64_t)status.st_size;
	assignment.dataset.identity.inode = status.st_ino;
	assignment.dataset.identity.modified_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
	chunk = chunk_new(&assignment, &facts, &error);
	if (chunk == NULL || !chunk_leaf(chunk, FIRST_ROW, &rows, &error))
		_exit(NOT_PREPARED);
	place = (unsigned char *)((uintptr_t)rows.base & ~(uintptr_t)4095);
}

static void load_and_cut_short(void)
{
	load_chunk();
	if (truncate(data_path, 0) != 0)
		_exit(NOT_PREPARED);
}

static void write_to_row(void)
{
	place[FIRST_ROW * COLUMNS * sizeof(double)] = 1;
}

static void make_row_writable(void)
{
	if (mprotect(place, 4096, PROT_READ | PROT_WRITE) == 0)
		_exit(SURPRISED);
	write_to_row();
}

static void read_row(void)
{
	(void)*(volatile unsigned char *)place;
}

static void read_behind(void)
{
	place += 4096;
	read_row();
}

static void read_in_front(void)
{
	place -= 1;
	read_row();
}

static void read_null(void)
{
	place = NULL;
	place += 24;
	read_row();
}

static void write_null(void)
{
	place = NULL;
	place[0] = 1;
}

static void read_nowhere(void)
{
	place = (unsigned char *)0x123456789000;
	read_row();
}

static void read_no_address(void)
{
	place = (unsigned char *)0x8000000000000000;
	read_row();
}

static volatile int depth_wanted = 1 << 30;

static int descend(int depth)
{
	volatile char frame[4096];
	frame[0] = (char)depth;
	return depth >= depth_wanted ? frame[0] : descend(depth + 1) + frame[0];
}

static void overrun_stack(void)
{
	descend(0);
}

static void run_illegal_instruction(void)
{
	__builtin_trap();
}

static volatile int zero, one = 1;

static void divide_by_zero(void)
{
	zero = one / zero;
}

Test(isolation, names_the_address_of_a_fault_and_what_it_belongs_to)
{
	static const struct {
		const char *name;
		void (*prepare)(void);
		void (*step)(void);
		int signal;
		const char *words[2];
	} faults[] = {
	        {"write to a row", load_chunk, write_to_row, SIGSEGV,
	                {"it wrote to address 0x", ", which it may only read, in its mapping of rows 10 to 20"}},
	        {"make a row writable", load_chunk, make_row_writable, SIGSEGV,
	                {"it wrote to address 0x", ", which it may only read, in its mapping of rows 10 to 20"}},
	        {"read behind", load_chunk, read_behind, SIGSEGV,
	                {"it read from address 0x", ", behind its mapping of rows 10 to 20"}},
	        {"read in front", load_chunk, read_in_front, SIGSEGV,
	                {"it read from address 0x", ", in front of its mapping of rows 10 to 20"}},
	        {"file cut short", load_and_cut_short, read_row, SIGBUS,
	                {"in a part of the file that is gone", "in its mapping of rows 10 to 20"}},
	        {"read null", NULL, read_null, SIGSEGV, {"it read from address 0x18, a null pointer", ""}},
	        {"write null", NULL, write_null, SIGSEGV, {"it wrote to address 0x0, a null pointer", ""}},
	        {"read nowhere", NULL, read_nowhere, SIGSEGV,
	                {"it read from address 0x123456789000, where nothing is mapped", ""}},
	        {"no address", NULL, read_no_address, SIGSEGV, {"it touched an address that no process has", ""}},
	        {"stack", NULL, overrun_stack, SIGSEGV, {"it wrote to address 0x7f", "beyond the end of its stack"}},
	        {"illegal instruction", NULL, run_illegal_instruction, SIGILL, {"the instruction at address 0x", ""}},
	        {"division by zero", NULL, divide_by_zero, SIGFPE, {"the instruction at address 0x", ""}},
	};
	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
		strcpy(data_path + strlen(data_path) - 6, "XXXXXX");
		make_data();
		struct ending ending = send_out_confined(faults[i].prepare, faults[i].step);
		unlink(data_path);
		expect_signal(faults[i].name, &ending, faults[i].signal);
		expect_words(faults[i].name, &ending, faults[i].words[0]);
		expect_words(faults[i].name, &ending, faults[i].words[1]);
	}
}

Test(isolation, gives_last_words_the_header_of_the_open_question)
{
	struct ending ending = send_out_confined(NULL, read_null);
	cr_assert(ending.spoke);
	cr_expect_eq(ending.header.worker, question.worker);
	cr_expect_eq(ending.header.incarnation, question.incarnation);
	cr_expect_eq(ending.header.epoch, question.epoch);
	cr_expect_eq(ending.header.round, question.round);
}

static void sleep_long(void)
{
	nanosleep(&(struct timespec){.tv_sec = 20}, NULL);
}

/* Waits until all walls are up: the filter is the last. */
static void await_confinement(pid_t pid)
{
	char path[64], text[4096] = "";
	snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
	while (strstr(text, "\nSeccomp:\t2\n") == NULL) {
		FILE *file = fopen(path, "r");
		cr_assert_not_null(file);
		text[fread(text, 1, sizeof text - 1, file)] = '\0';
		fclose(file);
	}
	cr_expect(strstr(text, "\nNoNewPrivs:\t1\n") != NULL, "%s", text);
}

Test(isolation, names_who_has_sent_a_signal)
{
	struct system_call_filter *filter;
	char sender[64];
	cr_assert_eq(system_call_filter_new(&filter), 0);
	struct walker walker = start(&(struct isolation){.enabled = true, .filter = filter}, NULL, sleep_long);
	await_confinement(walker.pid);
	cr_assert_eq(kill(walker.pid, SIGBUS), 0);
	struct ending ending = finish(walker);
	snprintf(sender, sizeof sender, "sent by process %ld", (long)getpid());
	expect_signal("kill(SIGBUS)", &ending, SIGBUS);
	expect_words("kill(SIGBUS)", &ending, sender);
	system_call_filter_free(filter);
}

static void hold_words(void)
{
	last_words_hold(true);
}

Test(isolation, keeps_last_words_out_of_the_middle_of_a_frame)
{
	struct ending ending = send_out_confined(hold_words, read_null);
	expect_signal("null", &ending, SIGSEGV);
	cr_expect(!ending.spoke);
}

/* Limits. */

static void allocate_too_much(void)
{
	char *little = malloc(4U << 20), *much = malloc(64U << 20);
	if (little == NULL || much != NULL)
		_exit(SURPRISED);
}

Test(isolation, limits_memory_so_that_allocation_fails)
{
	struct ending limited = send_out(&(struct isolation){.max_memory_mb = 32}, NULL, allocate_too_much);
	struct ending free = send_out(&(struct isolation){0}, NULL, allocate_too_much);
	expect_exit("limited", &limited, WENT_THROUGH);
	expect_exit("without a limit", &free, SURPRISED);
}

static void spin(void)
{
	for (;;)
		zero = 0;
}

Test(isolation, limits_processor_time)
{
	struct ending ending = send_out(&(struct isolation){.max_cpu_s = 1}, NULL, spin);
	expect_signal("spin", &ending, SIGXCPU);
	expect_words("spin", &ending, "it used up the processor time that it may have");
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
	events_add_sink(&events, (struct event_sink){count_note, NULL});
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
