/* What the report's files know of each other. */
#ifndef FORKFIT_COORDINATOR_REPORT_PARTS_H
#define FORKFIT_COORDINATOR_REPORT_PARTS_H

#include "coordinator/activity.h"
#include "coordinator/report.h"

#include <stdint.h>
#include <sys/types.h>

enum {
	REPORT_LOSSES = 2048,    /* points of the curve: when all are taken, every second one is given up */
	REPORT_INCIDENTS = 2000, /* of more it is known how many there were */
	REPORT_NOTES = 100,
};

struct report_loss {
	uint32_t epoch;
	double loss;
};

/* Something out of the ordinary that happened to a worker, or that was done about it. */
struct report_incident {
	enum event_type type;
	uint64_t time_ns;
	uint32_t epoch;
	bool has_worker;
	uint32_t worker;
	uint32_t incarnation;
	pid_t pid;
	char *text;            /* owned */
	const char *cause;     /* WORKER_LOST: a constant; else NULL */
	uint64_t recovered_ns; /* WORKER_LOST: how long until it was replaced; 0: it was not */
};

struct report_worker {
	uint64_t rows;
	uint32_t losses;
	uint64_t asked_ns; /* when its open question was sent; 0: there is none */
	uint64_t lost_ns;  /* since when it did nothing that counts; 0: it is there */
	size_t incident;   /* of its last loss, and one more; 0: there is none in the list */
};

struct report {
	pid_t pid; /* the coordinator's */
	uint32_t workers;
	uint64_t end_ns; /* of the last event */
	uint32_t resumed_epoch;
	uint64_t epochs_began_ns;
	uint64_t epochs_ended_ns;
	uint32_t epochs; /* of this run */
	uint64_t checkpoints;
	uint64_t faults;
	uint64_t losses;
	uint64_t replaced;
	bool incomplete; /* for want of memory */

	struct report_loss curve[REPORT_LOSSES];
	size_t curve_count;
	uint64_t curve_stride;
	uint32_t first_epoch; /* of the curve: 1, or where a resumed run begins */
	struct report_loss last;

	struct activity activity;
	struct report_worker *each; /* worker_count, by index */
	uint32_t worker_count;

	struct report_incident *incidents;
	size_t incident_count;
	uint64_t incidents_left_out;

	char **notes;
	size_t note_count;
	uint64_t notes_left_out;
};

/* The page's data as JSON text without "<", for the caller to free. NULL: out of memory. */
char *report_json(const struct report *report, const struct config *config, const struct loader *loader,
        const struct training_result *result, const struct error *failure);

/* The whole page with the data in it, for the caller to free. NULL: out of memory. */
char *report_page(const char *json);

#endif
