/*
 * How fast can so many processes read the same pages, each its part? One process on each CPU in turn, started together,
 * nothing calculated but what keeps the loads from being left out.
 */
#define _GNU_SOURCE
#include "tests/bench/probe.h"

#include <fcntl.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef long long lanes4 __attribute__((vector_size(32), may_alias));

enum { LINE = 64, PAGE = 4096 };

/* Written by all processes; the times are processes × passes. */
struct stage {
	atomic_ulong arrived;
	atomic_llong seen; /* of what was read, so that it must be */
	struct {
		double began, ended;
	} times[];
};

/*
 * Loads every byte, from `streams` places at once, two lines at each in turn, and asks for what is `ahead` bytes
 * farther on. Both are known to the compiler, which must unroll the loops: sums that are in memory instead of registers
 * took longer than the loads, so that this came to no more than 60 GB/s on a machine that has 80.
 */
#define UNROLLED _Pragma("GCC unroll 8") for
#define READ_ALL(streams, ahead)                                                   \
	do {                                                                       \
		size_t part = length / (streams) / (2 * LINE) * (2 * LINE);        \
		lanes4 sums[4] = {{0}};                                            \
		for (size_t at = 0; at < part; at += 2 * LINE)                     \
			UNROLLED(size_t s = 0; s < (streams); s++)                 \
			{                                                          \
				const char *from = bytes + s * part + at;          \
				if ((ahead) > 0) {                                 \
					__builtin_prefetch(from + (ahead));        \
					__builtin_prefetch(from + (ahead) + LINE); \
				}                                                  \
				UNROLLED(size_t i = 0; i < 4; i++)                 \
				sums[i] ^= *(const lanes4 *)(from + 32 * i);       \
			}                                                          \
		sums[0] ^= sums[1] ^ sums[2] ^ sums[3];                            \
		return sums[0][0] ^ sums[0][1] ^ sums[0][2] ^ sums[0][3];          \
	} while (0)

__attribute__((target("avx2"))) static long long read_straight(const char *bytes, size_t length)
{
	READ_ALL(1, 0);
}

__attribute__((target("avx2"))) static long long read_four(const char *bytes, size_t length)
{
	READ_ALL(4, 0);
}

__attribute__((target("avx2"))) static long long read_four_ahead(const char *bytes, size_t length)
{
	READ_ALL(4, 512);
}

/*
 * Straight on, and asks for lines of the block that comes next, four at a time, each of another quarter of it, and
 * again for what is nearer by: about forkfit's way on Intel's processors.
 */
__attribute__((target("avx2"))) static long long read_in_blocks(const char *bytes, size_t length)
{
	enum { AT_ONCE = 4, BLOCK = 65536, QUARTER = BLOCK / 4, NEAR = 4096 };
	lanes4 sums[4] = {{0}};
	for (size_t at = 0; at + AT_ONCE * LINE <= length; at += AT_ONCE * LINE) {
		const char *from = bytes + at, *block = from - at % BLOCK + BLOCK;
		UNROLLED(size_t i = 0; i < AT_ONCE; i++)
		{
			__builtin_prefetch(block + i * QUARTER + at % BLOCK / AT_ONCE, 0, 2);
			__builtin_prefetch(from + NEAR + i * LINE, 0, 3);
		}
		UNROLLED(size_t i = 0; i < 2 * AT_ONCE; i++)
		sums[i % 4] ^= *(const lanes4 *)(from + 32 * i);
	}
	sums[0] ^= sums[1] ^ sums[2] ^ sums[3];
	return sums[0][0] ^ sums[0][1] ^ sums[0][2] ^ sums[0][3];
}

/* Which is the fastest depends on the machine and on who else uses its memory, so each pass takes the next one. */
static long long (*const ways[])(const char *bytes, size_t length) = {
        read_straight, read_four, read_four_ahead, read_in_blocks};

enum { WAYS = sizeof ways / sizeof *ways };

static void run_on_cpu(uint64_t process)
{
	cpu_set_t allowed, one;
	probe_check(sched_getaffinity(0, sizeof allowed, &allowed) == 0, "sched_getaffinity");
	uint64_t wanted = process % (uint64_t)CPU_COUNT(&allowed);
	CPU_ZERO(&one);
	for (size_t cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &allowed) && wanted-- == 0)
			CPU_SET(cpu, &one);
	probe_check(sched_setaffinity(0, sizeof one, &one) == 0, "sched_setaffinity");
}

static void wait_for_all(struct stage *stage, uint64_t total)
{
	atomic_fetch_add(&stage->arrived, 1);
	while (atomic_load(&stage->arrived) < total)
		sched_yield();
}

static void read_part(
        struct stage *stage, const char *bytes, size_t length, uint64_t process, uint64_t processes, uint64_t passes)
{
	run_on_cpu(process);
	for (uint64_t pass = 0; pass < passes; pass++) {
		wait_for_all(stage, processes * (pass + 1));
		stage->times[pass * processes + process].began = probe_now();
		atomic_fetch_xor(&stage->seen, ways[pass % WAYS](bytes, length));
		stage->times[pass * processes + process].ended = probe_now();
	}
}

/* From the first that began to the last that ended. */
static double pass_seconds(const struct stage *stage, uint64_t pass, uint64_t processes)
{
	double began = stage->times[pass * processes].began, ended = 0;
	for (uint64_t process = 0; process < processes; process++) {
		double b = stage->times[pass * processes + process].began;
		double e = stage->times[pass * processes + process].ended;
		began = b < began ? b : began;
		ended = e > ended ? e : ended;
	}
	return ended - began;
}

int probe_stream(char **arguments)
{
	uint64_t processes = probe_number(arguments[1]);
	uint64_t passes =
	        (probe_number(arguments[2]) + 1) * WAYS; /* the first of each maps pages, and does not count */
	struct stat status;
	int file = open(arguments[0], O_RDONLY);
	probe_check(file >= 0 && fstat(file, &status) == 0, arguments[0]);
	uint64_t length = (uint64_t)status.st_size;
	char *bytes = mmap(NULL, length, PROT_READ, MAP_SHARED, file, 0);
	probe_check(bytes != MAP_FAILED, "mmap");
	struct stage *stage = probe_share(sizeof *stage + processes * passes * sizeof stage->times[0]);
	for (uint64_t process = 0; process < processes; process++) {
		uint64_t begin = probe_cut(length, PAGE, process, processes);
		uint64_t end = probe_cut(length, PAGE, process + 1, processes);
		pid_t pid = fork();
		probe_check(pid >= 0, "fork");
		if (pid == 0) {
			read_part(stage, bytes + begin, end - begin, process, processes, passes);
			_exit(0);
		}
	}
	probe_wait(processes);
	for (uint64_t pass = WAYS; pass < passes; pass++)
		printf("%.9f%c", pass_seconds(stage, pass, processes), pass % WAYS == WAYS - 1 ? '\n' : ' ');
	return 0;
}
