/* What gather.c and gather_lost.c know of each other. */
#ifndef FORKFIT_COORDINATOR_GATHER_LOST_H
#define FORKFIT_COORDINATOR_GATHER_LOST_H

#include "coordinator/gather.h"

/* An event of a slot's worker, filled but for what its type adds. */
struct event gather_slot_event(const struct gatherer *gatherer, const struct slot *slot, enum event_type type);

/* The rows of a share in the dataset; an empty range where they are not known yet. */
struct range gather_share_rows(const struct gatherer *gatherer, const struct share *share);

/* Starts a process in an empty slot and gives it its share to load. */
bool gather_start(struct gatherer *gatherer, struct slot *slot, struct error *error);

/* Puts the open question, whatever it is, to an idle worker. */
bool gather_ask(struct gatherer *gatherer, struct slot *slot, struct error *error);

/* Gives a loaded worker, or one that is loading nothing, its share to load. */
bool gather_assign(struct gatherer *gatherer, struct slot *slot, struct error *error);

enum { GATHER_LOSS_TEXT = 1024 };

/* Ends, reaps and tells a lost worker; text (GATHER_LOSS_TEXT bytes) says what happened. */
void gather_bury(struct gatherer *gatherer, struct slot *slot, struct loss *loss, char *text);

/* A worker is lost: buries it, tells it, and does what the policy says. False: the run ends, *error says why. */
bool gather_lose(struct gatherer *gatherer, struct slot *slot, struct loss *loss, struct error *error);

/* Is there a running worker for the share, besides this slot's? */
bool gather_has_other(const struct gatherer *gatherer, const struct slot *slot);

/* Cuts the leaves anew among the workers that are left, and lets them load. */
bool gather_redistribute(struct gatherer *gatherer, struct error *error);

#endif
