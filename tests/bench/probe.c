#define _GNU_SOURCE
#include "tests/bench/probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const struct probe {
	const char *name;
	int arguments;
	int (*run)(char **arguments);
	const char *usage;
} probes[] = {
        {"stream", 3, probe_stream,
                "FILE PROCESSES PASSES: a line a pass over the file's pages, a number for each way to read"},
        {"rounds", 4, probe_rounds, "PROCESSES DOWN UP ROUNDS: one round of frames of so many bytes to all and back"},
        {"idle", 1, probe_idle, "PROCESSES: fork children that leave at once, hear their pipes close, wait for them"},
        {"disk", 2, probe_disk, "FILE PROCESSES: read the file from one end to the other, each process its part"},
        {"generate", 4, probe_generate, "KIND ROWS FEATURES DIGITS: write a dataset to standard output"},
};

double probe_now(void)
{
	struct timespec now;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

void probe_check(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(EXIT_FAILURE);
}

uint64_t probe_number(const char *argument)
{
	char *end;
	unsigned long long number = strtoull(argument, &end, 10);
	if (*argument >= '1' && *argument <= '9' && *end == '\0')
		return number;
	fprintf(stderr, "probe: expected a number from 1 on, found %s\n", argument);
	exit(EXIT_FAILURE);
}

void *probe_share(size_t length)
{
	void *memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	probe_check(memory != MAP_FAILED, "mmap");
	return memory;
}

void probe_wait(uint64_t children)
{
	int status;
	for (uint64_t i = 0; i < children; i++) {
		probe_check(wait(&status) > 0, "wait");
		if (status != 0) {
			fprintf(stderr, "probe: a child failed\n");
			exit(EXIT_FAILURE);
		}
	}
}

uint64_t probe_cut(uint64_t length, uint64_t unit, uint64_t part, uint64_t parts)
{
	return part == parts ? length : length / unit * part / parts * unit;
}

int main(int count, char **arguments)
{
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
		if (count == probes[i].arguments + 2 && strcmp(arguments[1], probes[i].name) == 0)
			return probes[i].run(arguments + 2);
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
		fprintf(stderr, "probe %s %s\n", probes[i].name, probes[i].usage);
	return EXIT_FAILURE;
}
