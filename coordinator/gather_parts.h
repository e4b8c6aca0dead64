/*
 * What the parts of the gatherer know of each other: gather.c asks and waits, gather_answers.c takes what comes,
 * gather_doubts.c judges sums that are no numbers, gather_backup.c helps those that are late, gather_lost.c deals with
 * those that are gone.
 */
#ifndef FORKFIT_COORDINATOR_GATHER_PARTS_H
#define FORKFIT_COORDINATOR_GATHER_PARTS_H

#include "coordinator/gather.h"

/* An event of a slot's worker, filled but for what its type adds. */
struct event gather_slot_event(const struct gatherer *gatherer, const struct slot *slot, enum event_type type);

/* The rows of a share in the dataset; an empty range where they are not known yet. */
struct range gather_share_rows(const struct gatherer *gatherer, const struct share *share);

/* Starts a process in an empty slot; a fork() that fails is tried again, within the time an answer may take. */
bool gather_fork(struct gatherer *gatherer, struct slot *slot, struct error *error);

/* The question is answered for this share: by the slot's worker, or NULL: it has no answer. */
void gather_close_share(struct gatherer *gatherer, struct share *share, struct slot *answer);

/* Starts a process once, without trying again, and gives it its share to load. */
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

/* Cuts the leaves anew into shares for the workers that are left. */
bool gather_cut_anew(struct gatherer *gatherer, struct error *error);

/* What comes in while a question is open. False: the run ends, *error says why. */
bool gather_take_ready(struct gatherer *gatherer, struct slot *slot, struct error *error);
bool gather_take_sums(struct gatherer *gatherer, struct slot *slot, struct error *error);
bool gather_take_predictions(struct gatherer *gatherer, struct slot *slot, struct error *error);

/* The slot's worker has answered, and is believed unless replicas say otherwise. */
bool gather_believe_sums(struct gatherer *gatherer, struct slot *slot, struct error *error);

/* Sums have come: believes them, or lets them wait with a doubt. */
bool gather_judge_sums(struct gatherer *gatherer, struct slot *slot, struct error *error);

/* What became of doubts since this was called last. Does nothing where there are none. */
bool gather_settle_doubts(struct gatherer *gatherer, struct error *error);

/* Compares the answers of a share's workers, if all that are left have answered. False: the run ends, *error says why.
 */
bool gather_compare_replicas(struct gatherer *gatherer, struct share *share, struct error *error);

/* A worker gave up for a bad place in its rows: notes the first of the file. False: it was something else. */
bool gather_take_bad_data(struct gatherer *gatherer, struct slot *slot, struct loss *loss);

/* Are there backups in this run? Not for replicas: all of their answers are wanted. */
bool gather_may_back_up(const struct gatherer *gatherer);

/* Forks backups for the workers that are late, and has the collector wake when the next may be. */
void gather_start_backups(struct gatherer *gatherer);

/* The median of the open question's answers so far; 0: there are none. */
uint64_t gather_median_reply_ns(struct gatherer *gatherer);

#endif
