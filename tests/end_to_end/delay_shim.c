/*
 * A library for LD_PRELOAD that makes workers slow at random: in every process but the first, read(2) from standard
 * input and write(2) to standard output wait between DELAY_MIN_US and DELAY_MAX_US before they begin. The environment's
 * FORKFIT_DELAY_SEED and the pid choose the delays.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* From a hundredth to a tenth of a scheduler's time slice: orders of arrival mix, and a run with epochs still ends. */
enum { DELAY_MIN_US = 50, DELAY_MAX_US = 500 };

static pid_t first_process;

__attribute__((constructor)) static void note_first_process(void)
{
	first_process = getpid();
}

/* The next of a sequence that differs from process to process (xorshift64*). */
static uint64_t random_bits(void)
{
	static uint64_t state;
	if (state == 0) {
		const char *seed = getenv("FORKFIT_DELAY_SEED");
		state = ((uint64_t)getpid() << 32) + (seed != NULL ? strtoull(seed, NULL, 10) : 0) + 1;
	}
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * UINT64_C(2685821657736338717);
}

static void delay(int descriptor, int stream)
{
	int reason = errno;
	if (descriptor == stream && getpid() != first_process) {
		uint64_t microseconds = DELAY_MIN_US + (random_bits() >> 32) % (DELAY_MAX_US - DELAY_MIN_US);
		nanosleep(&(struct timespec){.tv_nsec = (long)microseconds * 1000}, NULL);
	}
	errno = reason;
}

ssize_t read(int descriptor, void *bytes, size_t length)
{
	delay(descriptor, STDIN_FILENO);
	return syscall(SYS_read, descriptor, bytes, length);
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
	delay(descriptor, STDOUT_FILENO);
	return syscall(SYS_write, descriptor, bytes, length);
}
