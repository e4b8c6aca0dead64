/*
 * A place in which a campaign runs one schedule after the other, each in a process of its own.
 *
 *   campaign_job_init     streams and, where the run writes files, a directory for them
 *   campaign_job_start    a run with this configuration
 *   campaign_job_watch    what fires; whether it has ended, or has to be ended
 *   campaign_job_resume   the same run again, without its faults, from the checkpoint that it has left
 *   campaign_job_clear    the directory is empty again
 *
 * Before the last, campaign_evidence.h looks at what the run left.
 */
#ifndef FORKFIT_COORDINATOR_CAMPAIGN_JOB_H
#define FORKFIT_COORDINATOR_CAMPAIGN_JOB_H

#include "common/error.h"
#include "common/fault_log.h"
#include "coordinator/campaign_verdict.h"
#include "coordinator/config.h"
#include "coordinator/events.h"
#include "coordinator/process.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/*
 * What is run: a function that does what `coordinator --config FILE --json --quiet` does, with or without --resume, and
 * returns the exit status. It puts the faults that fire into the log, and tells the sink what happens.
 */
struct campaign_program {
	int (*run)(
	        const struct config *config, bool resume, struct fault_log *log, struct event_sink sink, void *context);
	void *context;
};

/* The names of what a run writes, in its directory. */
#define CAMPAIGN_MODEL "model.json"
#define CAMPAIGN_EVENTS "events.jsonl"
#define CAMPAIGN_CHECKPOINT "checkpoint"
#define CAMPAIGN_CHECKPOINT_BEFORE CAMPAIGN_CHECKPOINT ".previous"

/* What a run tells through memory that it shares with the campaign. */
struct campaign_window {
	int descriptors; /* open at its end; -1: it did not come to it */
	uint32_t epochs;
};

struct campaign_job {
	struct campaign_program program;
	struct process process;
	FILE *output;    /* of the run; files without a name … */
	FILE *messages;  /* … and its standard error */
	char *directory; /* for its files; NULL: it has none */
	DIR *files;      /* the same, open from the start: where memory has run out, it can still be emptied */
	char *model;     /* in the directory */
	char *events;
	char *checkpoint;
	struct fault_log *log;
	struct campaign_window *window;
	struct config config;   /* shallow: the pointers are others' */
	struct fault more;      /* see campaign_schedule.h */
	uint64_t number;        /* of the run */
	struct evidence before; /* of the run that is resumed */
	uint64_t began_ns;
	uint64_t ended_ns;
	bool running;
	bool resumed; /* it is the same run again */
	bool timed_out;
	int status;                     /* of waitpid */
	struct process_group_rest rest; /* processes that it left */
	uint32_t taken;                 /* records of the log */
	struct fault *fired;
	size_t fired_count;
	size_t fired_capacity;
};

/* config: of the campaign; it says which files the runs write. On failure nothing is to be released. */
bool campaign_job_init(struct campaign_job *job, const struct campaign_program *program, const struct config *config,
        struct error *error);
/* Removes the directory, too, and what is in it. */
void campaign_job_release(struct campaign_job *job);

/* The configuration is that of the run, but for its files: they come into the job's directory. */
bool campaign_job_start(struct campaign_job *job, const struct config *config, struct error *error);

/* Once the run has ended and is to be taken up again; its directory is as it was left. */
bool campaign_job_resume(struct campaign_job *job, struct error *error);

/*
 * When the run counts as hanging. reference_ns: how long the run without faults took; 0: this is that run, and may take
 * as long as it likes. Every fault that has fired may have cost a worker's timeout and its work once more.
 */
uint64_t campaign_job_deadline_ns(const struct campaign_job *job, uint64_t reference_ns);

/* Takes what has fired, and kills the run if its time is over. *ended: it is over, and no process of it is left. False:
 * out of memory. */
bool campaign_job_watch(struct campaign_job *job, uint64_t reference_ns, bool *ended, struct error *error);

/* Removes the files that the run has left. */
void campaign_job_clear(const struct campaign_job *job);

/* Ends a run that is not wanted any more, with all its processes. */
void campaign_job_abandon(struct campaign_job *job);

#endif
