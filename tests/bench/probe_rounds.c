/*
 * What pipes and poll() cost by themselves: as many children as forkfit has workers, frames of the same length down to
 * each and back from each, and nothing in them. And what processes cost that do nothing at all.
 */
#include "tests/bench/probe.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct child {
	int down, up; /* the parent's ends */
	size_t missing;
};

static void read_all(int descriptor, char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t got = read(descriptor, bytes, length);
		if (got == 0)
			_exit(0); /* the parent has left */
		probe_check(got > 0, "read");
		length -= (size_t)got;
	}
}

static void write_all(int descriptor, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t put = write(descriptor, bytes, length);
		probe_check(put > 0, "write");
		length -= (size_t)put;
	}
}

/* The child keeps none of its elder siblings' pipes, or nobody would ever read an end of file. */
static struct child start_child(const struct child *elder, uint64_t count, size_t down, size_t up)
{
	int to[2], from[2];
	probe_check(pipe(to) == 0 && pipe(from) == 0, "pipe");
	pid_t pid = fork();
	probe_check(pid >= 0, "fork");
	if (pid == 0) {
		for (uint64_t i = 0; i < count; i++) {
			close(elder[i].down);
			close(elder[i].up);
		}
		close(to[1]);
		close(from[0]);
		if (down == 0)
			_exit(0);
		char *bytes = calloc(1, down + up);
		probe_check(bytes != NULL, "calloc");
		for (;;) {
			read_all(to[0], bytes, down);
			write_all(from[1], bytes, up);
		}
	}
	close(to[0]);
	close(from[1]);
	return (struct child){to[1], from[0], 0};
}

static void run_round(
        struct child *children, struct pollfd *entries, uint64_t count, char *bytes, size_t down, size_t up)
{
	uint64_t open = count;
	for (uint64_t i = 0; i < count; i++) {
		write_all(children[i].down, bytes, down);
		children[i].missing = up;
		entries[i].fd = children[i].up;
	}
	while (open > 0) {
		probe_check(poll(entries, (nfds_t)count, -1) > 0, "poll");
		for (uint64_t i = 0; i < count; i++) {
			if (entries[i].fd < 0 || entries[i].revents == 0)
				continue;
			ssize_t got = read(entries[i].fd, bytes, children[i].missing);
			probe_check(got > 0, "read");
			children[i].missing -= (size_t)got;
			if (children[i].missing == 0) {
				entries[i].fd = -1;
				open--;
			}
		}
	}
}

static struct child *start_children(uint64_t count, size_t down, size_t up)
{
	struct child *children = calloc(count, sizeof *children);
	probe_check(children != NULL, "calloc");
	for (uint64_t i = 0; i < count; i++)
		children[i] = start_child(children, i, down, up);
	return children;
}

/* Prints the seconds of one round, on the average over so many. */
int probe_rounds(char **arguments)
{
	uint64_t count = probe_number(arguments[0]), rounds = probe_number(arguments[3]);
	size_t down = probe_number(arguments[1]), up = probe_number(arguments[2]);
	struct child *children = start_children(count, down, up);
	struct pollfd *entries = calloc(count, sizeof *entries);
	char *bytes = calloc(1, down + up);
	probe_check(entries != NULL && bytes != NULL, "calloc");
	for (uint64_t i = 0; i < count; i++)
		entries[i].events = POLLIN;
	run_round(children, entries, count, bytes, down, up); /* until all have started */
	double began = probe_now();
	for (uint64_t round = 0; round < rounds; round++)
		run_round(children, entries, count, bytes, down, up);
	printf("%.9f\n", (probe_now() - began) / (double)rounds);
	for (uint64_t i = 0; i < count; i++)
		close(children[i].down);
	probe_wait(count);
	return 0;
}

/* Whoever wants to know how long it took times the whole process. */
int probe_idle(char **arguments)
{
	uint64_t count = probe_number(arguments[0]);
	struct child *children = start_children(count, 0, 0);
	char byte;
	for (uint64_t i = 0; i < count; i++)
		probe_check(read(children[i].up, &byte, 1) == 0, "end of file");
	probe_wait(count);
	return 0;
}
