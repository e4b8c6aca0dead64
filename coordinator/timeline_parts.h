/*
 * What the parts of the timeline know of each other: timeline.c takes the events, timeline_workers.c those that tell of
 * a worker, timeline_draw.c draws.
 */
#ifndef FORKFIT_COORDINATOR_TIMELINE_PARTS_H
#define FORKFIT_COORDINATOR_TIMELINE_PARTS_H

#include "common/wire.h"
#include "coordinator/events.h"
#include "coordinator/timeline.h"
#include "coordinator/timeline_file.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A worker's process, as far as it is drawn. */
struct drawn_worker {
	struct timeline_track track; /* pid 0: there is none */
	uint64_t forked_ns;
	uint64_t asked_ns; /* when its open question was begun to be written; 0: there is none */
	struct range
	        write; /* its last answer: when it went to write it, and when that had been read; empty: it is drawn */
	uint32_t write_epoch;
	uint32_t write_bytes;
};

struct timeline {
	char *path;
	struct timeline_file file;
	struct timeline_track coordinator;
	struct range reading; /* a read(2) that no slice tells yet; empty: there is none */
	uint64_t arrows;      /* each has a number */
	struct drawn_worker *workers;
	uint32_t worker_count;
	struct {
		bool open;
		bool loads;
		uint32_t number;
		enum kernel kernel;
		struct range time;
		uint32_t epoch;
	} round;
};

/* "12.345" µs, as the arguments of a format with TIME. */
#define TIME "%" PRIu64 ".%03" PRIu64
#define TIME_OF(ns) (ns) / 1000, (ns) % 1000

/* timeline_draw.c: */

enum { TIMELINE_QUOTED_BYTES = 3200 };

/* A text as a JSON string, cut; never longer than a line has room for. */
void timeline_quote(const char *text, char *quoted, size_t capacity);

/* A track's name and, unless `process` is NULL, its process's and the place of that among the others. */
void timeline_name_track(struct timeline *timeline, const struct timeline_track *track, const char *process,
        const char *thread, long place);

/* An arrow between two slices, from the beginning of one to that of the other. */
void timeline_draw_arrow(struct timeline *timeline, struct timeline_lines *lines, const char *name,
        const struct timeline_track *from, uint64_t from_ns, const struct timeline_track *to, uint64_t to_ns);

/* more: members of its arguments; "" or begun with a comma. */
void timeline_draw_instant(struct timeline *timeline, const struct timeline_track *track, const char *name,
        const struct event *event, const char *more);

/* What the coordinator has done, up to now. */
void timeline_draw_deed(
        struct timeline *timeline, struct timeline_lines *lines, const char *name, const struct event *event);

/* timeline_workers.c: */

void timeline_take_fork(struct timeline *timeline, const struct event *event);

/* The coordinator has written a frame to a worker; name: of its slice. */
void timeline_take_question(struct timeline *timeline, const struct event *event, const char *name);

/* An answer is there: what the worker has done for it, by its own times, and how the answer came here. */
void timeline_take_answer(struct timeline *timeline, const struct event *event, const struct worker_times *times,
        const char *frame, const char *work);

void timeline_take_loss(struct timeline *timeline, const struct event *event);

/* A worker is told to leave, or has left. */
void timeline_take_leaving(struct timeline *timeline, const struct event *event);

/* Things that happen to a worker at a moment. */
void timeline_take_mark(struct timeline *timeline, const struct event *event);

#endif
