/* What a worker says of the signal that ends it. */
#include "worker/last_words.h"

#include "coordinator/loss.h"
#include "tests/unit/confined_child.h"
#include "worker/chunk.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

TestSuite(last_words, .timeout = 30, .init = skip_if_sanitized);

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

/* Puts a readable page to the address, unless something is there: the kernel then takes another. */
static void map_neighbour(unsigned char *address)
{
	int zeros = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (mmap(address, 4096, PROT_READ, MAP_PRIVATE, zeros, 0) == MAP_FAILED)
		_exit(NOT_PREPARED);
	close(zeros);
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
	/* Where nothing keeps the places free, reading too far would find these. */
	map_neighbour(place - 4096);
	map_neighbour(place + 4096);
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

/* Catches the mutations no_guard_pages and writable_pages. */
Test(last_words, names_the_address_of_a_fault_and_what_it_belongs_to)
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

Test(last_words, gives_last_words_the_header_of_the_open_question)
{
	struct ending ending = send_out_confined(NULL, read_null);
	cr_assert(ending.spoke);
	cr_expect_eq(ending.header.worker, confined_child_question.worker);
	cr_expect_eq(ending.header.incarnation, confined_child_question.incarnation);
	cr_expect_eq(ending.header.epoch, confined_child_question.epoch);
	cr_expect_eq(ending.header.round, confined_child_question.round);
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

Test(last_words, names_who_has_sent_a_signal)
{
	struct system_call_filter *filter;
	char sender[64];
	cr_assert_eq(system_call_filter_new(&filter, false), 0);
	struct confined_child child =
	        confined_child_start(&(struct isolation){.enabled = true, .filter = filter}, NULL, sleep_long);
	await_confinement(child.pid);
	cr_assert_eq(kill(child.pid, SIGBUS), 0);
	struct ending ending = confined_child_finish(child);
	snprintf(sender, sizeof sender, "sent by process %ld", (long)getpid());
	expect_signal("kill(SIGBUS)", &ending, SIGBUS);
	expect_words("kill(SIGBUS)", &ending, sender);
	system_call_filter_free(filter);
}

static void hold_words(void)
{
	last_words_hold(true);
}

Test(last_words, keeps_last_words_out_of_the_middle_of_a_frame)
{
	struct ending ending = send_out_confined(hold_words, read_null);
	expect_signal("null", &ending, SIGSEGV);
	cr_expect(!ending.spoke);
}

Test(last_words, are_told_with_the_name_of_a_system_call)
{
	static const struct {
		struct worker_error words;
		const char *text;
	} rows[] = {
	        {{.offset = 59, .text = "a call"}, "(a call: execve (system call 59))"},
	        {{.offset = 100000, .text = "a call"}, "(a call: system call 100000)"},
	        {{.offset = INT64_MAX, .text = "a call"}, "(a call: system call 9223372036854775807)"},
	        {{.offset = -1, .text = "it read from address 0x0"}, "(it read from address 0x0)"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char text[256];
		loss_describe_signal(&rows[i].words, text, sizeof text);
		cr_expect_str_eq(text, rows[i].text);
	}
}
