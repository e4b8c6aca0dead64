/* How fast does the disk give a file, read from one end to the other in pieces that it likes? */
#define _GNU_SOURCE
#include "tests/bench/probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 4 << 20, PAGE = 4096 };

static void read_part(const char *path, uint64_t at, uint64_t end)
{
	int file = open(path, O_RDONLY);
	char *bytes = aligned_alloc(PAGE, BLOCK);
	probe_check(file >= 0 && bytes != NULL, path);
	posix_fadvise(file, (off_t)at, (off_t)(end - at), POSIX_FADV_SEQUENTIAL);
	while (at < end) {
		ssize_t got = pread(file, bytes, end - at < BLOCK ? end - at : BLOCK, (off_t)at);
		probe_check(got > 0, path);
		at += (uint64_t)got;
	}
}

/* Drops what is in memory of the file, and prints the seconds of reading it. */
int probe_disk(char **arguments)
{
	uint64_t processes = probe_number(arguments[1]);
	struct stat status;
	int file = open(arguments[0], O_RDONLY);
	probe_check(file >= 0 && fstat(file, &status) == 0 && fsync(file) == 0, arguments[0]);
	probe_check(posix_fadvise(file, 0, 0, POSIX_FADV_DONTNEED) == 0, "posix_fadvise");
	uint64_t length = (uint64_t)status.st_size;
	double began = probe_now();
	for (uint64_t process = 0; process < processes; process++) {
		pid_t pid = fork();
		probe_check(pid >= 0, "fork");
		if (pid == 0) {
			read_part(arguments[0], probe_cut(length, PAGE, process, processes),
			        probe_cut(length, PAGE, process + 1, processes));
			_exit(0);
		}
	}
	probe_wait(processes);
	printf("%.9f\n", probe_now() - began);
	return 0;
}
