#include "common/utf8.h"
#include "coordinator/timeline_parts.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void timeline_quote(const char *text, char *quoted, size_t capacity)
{
	char excerpt[512];
	json_t *string = json_string(utf8_excerpt(excerpt, sizeof excerpt, text, strlen(text)));
	char *dumped = string == NULL ? NULL : json_dumps(string, JSON_ENCODE_ANY);
	snprintf(quoted, capacity, "%s", dumped != NULL && strlen(dumped) < capacity ? dumped : "\"\"");
	free(dumped);
	json_decref(string);
}

void timeline_name_track(struct timeline *timeline, const struct timeline_track *track, const char *process,
        const char *thread, long place)
{
	struct timeline_lines *lines = &timeline->file.always;
	if (process != NULL) {
		timeline_add(lines, "{\"ph\":\"M\",\"pid\":%ld,\"name\":\"process_name\",\"args\":{\"name\":\"%s\"}}",
		        track->pid, process);
		timeline_add(lines,
		        "{\"ph\":\"M\",\"pid\":%ld,\"name\":\"process_sort_index\",\"args\":{\"sort_index\":%ld}}",
		        track->pid, place);
	}
	timeline_add(lines,
	        "{\"ph\":\"M\",\"pid\":%ld,\"tid\":%ld,\"name\":\"thread_name\",\"args\":{\"name\":\"%s\"}}",
	        track->pid, track->tid, thread);
}

void timeline_draw_arrow(struct timeline *timeline, struct timeline_lines *lines, const char *name,
        const struct timeline_track *from, uint64_t from_ns, const struct timeline_track *to, uint64_t to_ns)
{
	uint64_t number = ++timeline->arrows;
	timeline_add(lines,
	        "{\"ph\":\"s\",\"id\":%" PRIu64
	        ",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"cat\":\"frame\",\"ts\":" TIME "}",
	        number, from->pid, from->tid, name, TIME_OF(from_ns));
	timeline_add(lines,
	        "{\"ph\":\"f\",\"bp\":\"e\",\"id\":%" PRIu64
	        ",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"cat\":\"frame\",\"ts\":" TIME "}",
	        number, to->pid, to->tid, name, TIME_OF(to_ns));
}

void timeline_draw_instant(struct timeline *timeline, const struct timeline_track *track, const char *name,
        const struct event *event, const char *more)
{
	timeline_add(&timeline->file.always,
	        "{\"ph\":\"i\",\"s\":\"%s\",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"ts\":" TIME
	        ",\"args\":{\"epoch\":%" PRIu32 "%s}}",
	        event->has_worker ? "p" : "g", track->pid, track->tid, name, TIME_OF(event->time_ns), event->epoch,
	        more);
	timeline->file.current.unusual = true;
}

void timeline_draw_deed(
        struct timeline *timeline, struct timeline_lines *lines, const char *name, const struct event *event)
{
	char more[64];
	snprintf(more, sizeof more, ",\"args\":{\"worker\":%" PRIu32 ",\"epoch\":%" PRIu32 "}", event->worker,
	        event->epoch);
	timeline_slice(lines, &timeline->coordinator, name, (struct range){event->began_ns, event->time_ns},
	        event->has_worker ? more : "");
}
