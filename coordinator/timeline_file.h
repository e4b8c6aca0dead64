/*
 * The timeline's file: slices, arrows and instants as lines of text, and which epochs' lines are kept (timeline.h says
 * how). Times are in ns since the run began.
 */
#ifndef FORKFIT_COORDINATOR_TIMELINE_FILE_H
#define FORKFIT_COORDINATOR_TIMELINE_FILE_H

#include "common/leaves.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lines, each an event with ",\n" before it. */
struct timeline_lines {
	char *text;
	size_t length;
	size_t capacity;
	bool incomplete; /* for want of memory */
};

/* Where something is drawn: a thread of a process. */
struct timeline_track {
	long pid;
	long tid;
	uint64_t end_ns; /* of its last slice: the next one does not begin before */
};

/* An epoch whose lines are kept back until it is known whether something happened in it. */
struct timeline_epoch {
	uint32_t epoch;
	bool unusual;
	struct timeline_lines lines;
	struct range time;
};

struct timeline_file {
	int descriptor;
	int failure;      /* errno of the first write that failed */
	uint64_t written; /* bytes */
	uint32_t stride;  /* multiples of it are kept, and unusual epochs */
	uint64_t lines_left_out;
	struct timeline_lines always; /* what does not depend on an epoch */
	struct timeline_epoch current, before;
	struct timeline_track epochs; /* where it says which are left out */
	uint32_t left_out_first;      /* 0: none is waiting to be told */
	uint32_t left_out_last;
	struct range left_out_time;
};

/* False: errno says why. */
bool timeline_file_open(struct timeline_file *file, const char *path);

/* What follows is of this epoch. The one before the last is settled: written, or left out. */
void timeline_file_enter(struct timeline_file *file, uint32_t epoch);

/* The lines for what belongs to an epoch; NULL: they are settled. */
struct timeline_lines *timeline_file_lines(struct timeline_file *file, uint32_t epoch);

/* Everything that waits, and the closing bracket. False: errno says why something is not in the file. */
bool timeline_file_close(struct timeline_file *file);

/* A line in the words of printf, without what separates it. Nothing is done where lines is NULL. */
__attribute__((format(printf, 2, 3))) void timeline_add(struct timeline_lines *lines, const char *format, ...);

/*
 * A slice on a track. It begins where the last one ended, if that is later, and never ends before it begins. more: ""
 * or further members of the event, with a comma before them.
 */
void timeline_slice(struct timeline_lines *lines, struct timeline_track *track, const char *name, struct range time,
        const char *more);

#endif
