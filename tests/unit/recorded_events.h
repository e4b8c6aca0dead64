/* A sink that keeps every event of a run, for a test to look at. */
#ifndef FORKFIT_TESTS_RECORDED_EVENTS_H
#define FORKFIT_TESTS_RECORDED_EVENTS_H

#include "coordinator/events.h"

#include <stdio.h>
#include <stdlib.h>

struct recorded_event {
	struct event event; /* its strings are not valid any more, but for */
	char text[2048];    /* that of a note or a loss */
};

struct recorded_events {
	struct event_stream stream;
	struct recorded_event *items;
	size_t count;
};

static inline void recorded_events_take(void *context, const struct event *event)
{
	struct recorded_events *recorded = context;
	recorded->items = realloc(recorded->items, (recorded->count + 1) * sizeof *recorded->items);
	if (recorded->items == NULL)
		abort();
	struct recorded_event *item = &recorded->items[recorded->count++];
	*item = (struct recorded_event){.event = *event};
	const char *text = event->type == EVENT_NOTE          ? event->note.text
	                   : event->type == EVENT_WORKER_LOST ? event->worker_lost.text
	                                                      : "";
	snprintf(item->text, sizeof item->text, "%s", text);
}

/* Begins a stream that ends here. */
static inline void recorded_events_init(struct recorded_events *recorded)
{
	*recorded = (struct recorded_events){.count = 0};
	events_init(&recorded->stream);
	events_add_sink(&recorded->stream, (struct event_sink){.handle = recorded_events_take, .context = recorded});
}

static inline void recorded_events_release(struct recorded_events *recorded)
{
	free(recorded->items);
	recorded->items = NULL;
	recorded->count = 0;
}

#endif
