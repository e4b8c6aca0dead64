/*
 * The live panel: what each worker is doing, one row a worker, as the events of a run tell it. It only draws text;
 * progress.c puts it on the terminal.
 *
 *     #  pid      state                   rows  ms/epoch  restarts  last loss, back
 *     0  13507    training              26,850     0.121         0
 *     1  13512    stopped 3.2 s         27,090     0.119         1  SIGSEGV, 4.1 ms
 */
#ifndef FORKFIT_COORDINATOR_PANEL_H
#define FORKFIT_COORDINATOR_PANEL_H

#include "coordinator/events.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* Up to so many workers a panel is a help; beyond, it is drawn on demand only. */
enum { PANEL_WORKERS = 16 };

struct panel_worker;

struct panel { /* all zero: no worker yet */
	struct panel_worker *workers;
	uint32_t count;
	uint32_t capacity;
};

/* Takes what an event tells of a worker. */
void panel_take(struct panel *panel, const struct event *event);

/*
 * Draws the head and at most rows - 1 lines more, without a '\n' behind the last; where not all workers fit, the last
 * line says how many more there are. now_ns: on the events' clock.
 */
void panel_draw(const struct panel *panel, FILE *out, bool colour, unsigned rows, uint64_t now_ns);

void panel_release(struct panel *panel);

#endif
