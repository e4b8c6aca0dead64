#include "coordinator/campaign.h"

#include "common/clock.h"
#include "coordinator/campaign_evidence.h"
#include "coordinator/campaign_failure.h"
#include "coordinator/campaign_progress.h"
#include "coordinator/campaign_schedule.h"
#include "coordinator/campaign_verdict.h"
#include "coordinator/containment.h"
#include "coordinator/signals.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* How often deadlines and the progress line are looked after; a run's end is told by a signal, at once. */
#define LONGEST_WAIT_NS UINT64_C(50000000)

struct campaign {
	const struct config *config;
	const struct campaign_options *options;
	struct campaign_tally *tally;
	struct campaign_reference reference;
	struct campaign_job *jobs;
	uint32_t job_count;
	uint64_t next; /* run to start */
	bool interrupted;
	struct campaign_progress progress;
};

static bool open_jobs(struct campaign *campaign, const struct campaign_program *program, struct error *error)
{
	campaign->jobs = calloc(campaign->options->jobs, sizeof *campaign->jobs);
	if (campaign->jobs == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	while (campaign->job_count < campaign->options->jobs) {
		if (!campaign_job_init(&campaign->jobs[campaign->job_count], program, campaign->config, error))
			return false;
		campaign->job_count++;
	}
	return true;
}

static void close_jobs(struct campaign *campaign)
{
	for (uint32_t i = 0; i < campaign->job_count; i++) {
		campaign_job_abandon(&campaign->jobs[i]);
		campaign_job_release(&campaign->jobs[i]);
	}
	free(campaign->jobs);
}

/* Waits until something may have happened. False: it was an interrupt. */
static bool wait_for_news(struct campaign *campaign)
{
	if (signals_wait(clock_now_ns() + LONGEST_WAIT_NS).interrupts > 0)
		campaign->interrupted = true;
	return !campaign->interrupted;
}

static bool run_without_faults(struct campaign *campaign, struct error *error)
{
	struct campaign_job *job = &campaign->jobs[0];
	struct config config = campaign_without_faults(campaign->config);
	bool ended = false;
	if (!campaign_job_start(job, &config, error))
		return false;
	while (!ended) {
		if (!wait_for_news(campaign))
			return error_set(
			        error, EXIT_INTERRUPTED, "interrupted before the run without faults had ended");
		if (!campaign_job_watch(job, 0, &ended, error))
			return false;
	}
	return campaign_reference_take(job, &campaign->reference, error);
}

static bool start_next(struct campaign *campaign, struct campaign_job *job, struct error *error)
{
	struct campaign_scale scale = {campaign->config->workers, campaign->reference.epochs};
	struct config config = *campaign->config;
	config.recovery.allow_degraded = false;
	job->number = campaign->next++;
	campaign_schedule(&config, &scale, campaign->options->seed, job->number, &job->more);
	return campaign_job_start(job, &config, error);
}

static bool settle(struct campaign *campaign, struct campaign_job *job, enum verdict verdict,
        const struct evidence *evidence, const char *reason, struct error *error)
{
	campaign_tally_add(campaign->tally, verdict, evidence, job->fired, job->fired_count);
	if (verdict_is_failure(verdict)) {
		campaign_progress_failure(&campaign->progress, job->number, verdict_name(verdict), reason);
		if (!campaign_failure_write(
		            campaign->options->failures, job, verdict, reason, campaign->options->seed, error))
			return false;
	}
	campaign_job_clear(job);
	return true;
}

/* A run that has ended. One that gave no result, and keeps checkpoints, is to give it when it is resumed. */
static bool judge(struct campaign *campaign, struct campaign_job *job, struct error *error)
{
	struct evidence evidence;
	char reason[160];
	if (!campaign_evidence_take(job, &campaign->reference, &evidence, error))
		return false;
	enum verdict verdict = verdict_of(&evidence, reason, sizeof reason);
	if (job->resumed && verdict == VERDICT_IDENTICAL) {
		verdict = VERDICT_CLEAN_ERROR; /* that of the run itself */
		evidence = job->before;
		evidence.was_resumed = true;
	} else if (verdict == VERDICT_CLEAN_ERROR && job->config.checkpoint.path != NULL) {
		job->before = evidence;
		return campaign_job_resume(job, error);
	}
	return settle(campaign, job, verdict, &evidence, reason, error);
}

/* Looks after every job; *busy: how many have a run. */
static bool tend_jobs(struct campaign *campaign, uint32_t *busy, struct error *error)
{
	*busy = 0;
	for (uint32_t i = 0; i < campaign->job_count; i++) {
		struct campaign_job *job = &campaign->jobs[i];
		bool ended = false;
		if (job->running && !campaign_job_watch(job, campaign->reference.took_ns, &ended, error))
			return false;
		if (ended && !judge(campaign, job, error))
			return false;
		if (!job->running && campaign->next < campaign->options->runs && !start_next(campaign, job, error))
			return false;
		*busy += job->running;
	}
	return true;
}

static bool run_with_faults(struct campaign *campaign, struct error *error)
{
	uint32_t busy;
	do {
		if (!tend_jobs(campaign, &busy, error))
			return false;
		campaign_progress_show(&campaign->progress, campaign->tally);
	} while (busy > 0 && wait_for_news(campaign));
	if (campaign->interrupted)
		return error_set(error, EXIT_INTERRUPTED, "interrupted after %" PRIu64 " of %" PRIu64 " runs",
		        campaign->tally->runs, campaign->options->runs);
	uint64_t failures = campaign_tally_failures(campaign->tally);
	if (failures == 0)
		return true;
	return error_set(error, EXIT_CAMPAIGN_FAILED, "%" PRIu64 " of %" PRIu64 " runs failed; to see them again: %s",
	        failures, campaign->tally->runs, campaign->options->failures);
}

bool campaign_run(const struct config *config, const struct campaign_options *options,
        const struct campaign_program *program, struct campaign_tally *tally, struct error *error)
{
	struct campaign campaign = {.config = config, .options = options, .tally = tally};
	*tally = (struct campaign_tally){.seed = options->seed};
	if (!containment_inherit_orphans(error))
		return false;
	signals_hold();
	bool done = open_jobs(&campaign, program, error) && run_without_faults(&campaign, error);
	if (done) {
		campaign_progress_init(&campaign.progress, options->quiet, options->runs);
		done = run_with_faults(&campaign, error);
		campaign_progress_end(&campaign.progress, tally);
	}
	close_jobs(&campaign);
	campaign_reference_release(&campaign.reference);
	return done;
}
