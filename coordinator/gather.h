/*
 * One question to all workers and one answer from the data: the mechanism by which everything is gathered.
 *
 * The leaves are cut into shares, and each share is worked on by one worker, or by `replicas` of them whose answers
 * must agree bit for bit, and for a while also by a backup for one that is slow. A question is answered when every
 * share is. A worker that is lost on the way is replaced, or what else the policy says (gather_lost.c), while the
 * others' answers come in: since an answer is a function of the rows and the question, nobody can tell afterwards.
 */
#ifndef FORKFIT_COORDINATOR_GATHER_H
#define FORKFIT_COORDINATOR_GATHER_H

#include "common/error.h"
#include "common/sums.h"
#include "coordinator/aggregator.h"
#include "coordinator/collect.h"
#include "coordinator/config.h"
#include "coordinator/confinement.h"
#include "coordinator/doubt.h"
#include "coordinator/events.h"
#include "coordinator/loader.h"
#include "coordinator/pool.h"
#include "coordinator/recovery.h"

#include <stdbool.h>
#include <stdint.h>

/* What the workers are asked. */
enum question { QUESTION_LOAD, QUESTION_SUMS, QUESTION_PREDICTIONS };

struct share {
	struct range leaves;
	struct range bytes;          /* CSV: see struct assignment */
	bool loaded;                 /* `ready` holds */
	struct ready ready;          /* what its workers said; first_row is not kept here */
	bool dropped;                /* given up under the policy "drop" */
	uint32_t deaths;             /* of its workers, since one of them has answered */
	int statuses[POISON_DEATHS]; /* of waitpid, of those deaths */
	struct doubt doubt;

	/* The open question: */
	bool done;
	struct slot *answer; /* whose answer counts; NULL: dropped */
};

struct gatherer {
	const struct config *config;
	struct loader *loader;
	struct event_stream *events;
	struct pool pool;
	struct collector collector;
	struct aggregator aggregator;
	struct recovery recovery;
	struct confinement confinement;
	struct assignment assignment; /* what all workers' assignments have in common; borrows from the loader */
	uint32_t share_count;
	struct share *shares;
	bool only_predicts; /* nothing is trained, so that losses are told without an epoch, and sums that are no
	                     * numbers end the command, whoever says so; for the caller to set */

	/* The open question: */
	enum question question;
	uint32_t open_shares;         /* not done */
	struct params params;         /* QUESTION_SUMS */
	struct predict predict;       /* QUESTION_PREDICTIONS, … */
	uint32_t asked_share;         /* … to whom */
	struct worker_error bad_data; /* the first bad place in the file so far; offset -1: none */
	uint64_t *reply_ns;           /* of the answers so far, one for each share at most */
	uint32_t replies;
	uint32_t doubted;                 /* slots that are */
	const struct share *in_doubt;     /* of which another worker was asked; NULL: none yet */
	bool overflows;                   /* a share was closed without numbers: the sum of all is none */
	uint64_t median_ns[KERNEL_COUNT]; /* of the last round with each kernel; 0: none yet */
	bool must_redistribute;           /* once the survivors' answers are in */

	uint64_t rows; /* that count, as far as loading told */
	uint64_t skipped;
	double *first_row; /* of the dataset, features + 1 */
	bool has_first_row;
	bool degraded;       /* shares were dropped, … */
	uint64_t rows_lost;  /* … with so many rows, as far as they were counted */
	unsigned interrupts; /* SIGINT, SIGTERM and SIGHUP so far */
	bool finish_round;   /* after an interrupt, a round is finished if it can be soon */
};

/* No process is started yet. workers: how many shares there are to begin with. injection: NULL without faults. */
bool gatherer_init(struct gatherer *gatherer, const struct config *config, struct loader *loader, uint32_t workers,
        struct event_stream *events, struct injection *injection, struct error *error);

/* Ends the workers that are left, with a grace if `orderly`, and releases everything. */
void gatherer_release(struct gatherer *gatherer, bool orderly);

/* Starts the workers, hands out the chunks and waits until all are loaded. */
bool gatherer_load(struct gatherer *gatherer, struct error *error);

/* Makes `centre` (features + 1, copied) what starred kernels subtract from now on. */
bool gatherer_set_centre(struct gatherer *gatherer, const double *centre, struct error *error);

/*
 * Runs a kernel over the dataset with its parameters (features + 1 doubles, and what else it takes), as round of
 * `epoch`. result: sums_width doubles, combined as the aggregator's header says.
 */
bool gatherer_sums(struct gatherer *gatherer, uint32_t epoch, enum kernel kernel, enum aggregation how,
        const double *parameters, double *result, struct error *error);

/*
 * Predictions are as many as the rows, so that one share is asked at a time, for at most
 * WIRE_PREDICTIONS_MAX of its rows (shares[i].ready.rows). ask puts the question and does not wait; take waits for the
 * answer, which stays in place until the next take: between the two there is time to write down the answer before.
 * parameters: features + 1, w and b, which must stay until the answer is taken.
 */
bool gatherer_ask_for_predictions(struct gatherer *gatherer, uint32_t share, uint64_t first, uint32_t rows,
        const double *parameters, struct error *error);
bool gatherer_take_predictions(struct gatherer *gatherer, const struct predictions **predictions, struct error *error);

#endif
