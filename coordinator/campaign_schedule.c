#include "coordinator/campaign_schedule.h"

#define BIT(n) (UINT32_C(1) << (n))

/* Enough that faults meet each other, and few enough that a run ends while its schedule is still going on. */
static const double faults_per_run = 2.0;

/* Beyond it workers hardly live to see a second epoch. */
static const double highest_rate = 0.2;

/* One run in so many gets a fault more. */
enum { RUNS_PER_MORE = 4 };

/* A worker's silence for ever costs its timeout; with a longer one a campaign would do little but wait. */
static const double longest_timeout_s = 1.0;

/* What the decisions about a run's additional fault are for. */
enum purpose {
	WHETHER_MORE,
	WHICH_KIND,
	WHICH_SITE,
	WHICH_WORKER,
	WHICH_EPOCH,
	HOW_MANY_BEFORE,
	WHICH_BYTE,
	HOW_OFTEN
};

struct config campaign_without_faults(const struct config *config)
{
	struct config plain = *config;
	plain.faults = NULL;
	plain.fault_count = 0;
	plain.chaos.rate = 0.0;
	plain.recovery.allow_degraded = false;
	return plain;
}

/* Of a worker whose sums are wrong and finite nobody can tell, short of replicas; and two of three may lie alike. */
static uint32_t survivable_kinds(void)
{
	uint32_t kinds = 0;
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++)
		if (kind != FAULT_LIE && fault_site_is_workers(fault_kind_default_site((enum fault_kind)kind)))
			kinds |= BIT(kind);
	return kinds;
}

/* A worker comes once to its start, its ASSIGN, its load, its READY and its STOP, and three times to each epoch. */
static double standard_rate(const struct campaign_scale *scale)
{
	double occasions = (double)scale->workers * (5.0 + 3.0 * ((double)scale->epochs + 1.0));
	double rate = faults_per_run / occasions;
	return rate < highest_rate ? rate : highest_rate;
}

struct sort {
	enum fault_kind kind;
	uint32_t sites;
};

/* The sorts of additional faults that make sense for this configuration. Returns how many there are. */
static unsigned list_sorts(const struct config *config, struct sort sorts[FAULT_KIND_COUNT])
{
	enum { COORDINATORS = BIT(SITE_COORDINATOR_START) | BIT(SITE_COORDINATOR_FORK) | BIT(SITE_COORDINATOR_EPOCH) };
	enum {
		OUTPUTS = BIT(SITE_OUTPUT_DRAFT) | BIT(SITE_OUTPUT_WRITE) | BIT(SITE_OUTPUT_RENAME) |
		          BIT(SITE_OUTPUT_DONE)
	};
	enum {
		CHECKPOINTS = BIT(SITE_CHECKPOINT_DRAFT) | BIT(SITE_CHECKPOINT_WRITE) | BIT(SITE_CHECKPOINT_RENAME) |
		              BIT(SITE_CHECKPOINT_DONE)
	};
	/* Not at STOP: there a worker that stays is given seconds, whatever its timeout is. */
	enum { SILENCES = (BIT(SITE_WORKER_END) - 1) & ~BIT(SITE_STOP_READ) };
	static const enum fault_kind silent[] = {FAULT_STOP, FAULT_SPIN, FAULT_DEAF, FAULT_TRUNCATE};
	unsigned count = 0;
	bool has_output = config->output.model != NULL;
	sorts[count++] = (struct sort){FAULT_KILL, COORDINATORS | (has_output ? (uint32_t)OUTPUTS : 0)};
	sorts[count++] = (struct sort){FAULT_FORK_FAILS, BIT(SITE_COORDINATOR_FORK)};
	sorts[count++] = (struct sort){FAULT_NO_DESCRIPTORS, BIT(SITE_COORDINATOR_FORK)};
	if (has_output)
		sorts[count++] = (struct sort){FAULT_NO_SPACE, BIT(SITE_OUTPUT_WRITE)};
	if (config->checkpoint.path != NULL) {
		sorts[count++] = (struct sort){FAULT_KILL, CHECKPOINTS};
		sorts[count++] = (struct sort){FAULT_NO_SPACE, BIT(SITE_CHECKPOINT_WRITE)};
	}
	for (unsigned i = 0; i < sizeof silent / sizeof *silent; i++)
		if (config->recovery.worker_timeout_s <= longest_timeout_s)
			sorts[count++] = (struct sort){silent[i], fault_kind_sites(silent[i]) & SILENCES};
	return count;
}

static enum fault_site pick_site(uint32_t sites, uint32_t number)
{
	unsigned count = 0, site = 0;
	for (unsigned i = 0; i < FAULT_SITE_COUNT; i++)
		count += (sites & BIT(i)) != 0;
	for (unsigned left = number % count;; site++)
		if ((sites & BIT(site)) != 0 && left-- == 0)
			return (enum fault_site)site;
}

static bool comes_in_every_epoch(enum fault_site site)
{
	return site == SITE_PARAMS_READ || site == SITE_COMPUTE || site == SITE_GRADIENT_WRITE ||
	       site == SITE_COORDINATOR_EPOCH;
}

/* How many checkpoints a run writes: one every so many epochs, and one at its end unless that is one of them. */
static uint32_t checkpoints_written(const struct config *config, uint32_t epochs)
{
	uint32_t every = config->checkpoint.every_epochs;
	return epochs / every + (epochs % every != 0);
}

static bool writes_checkpoint(enum fault_site site)
{
	return site >= SITE_CHECKPOINT_DRAFT && site <= SITE_CHECKPOINT_DONE;
}

static struct fault pick_more(const struct config *config, const struct campaign_scale *scale, uint64_t seed)
{
	struct sort sorts[FAULT_KIND_COUNT];
	unsigned count = list_sorts(config, sorts);
	const struct sort *sort = &sorts[chaos_derive(seed, WHICH_KIND) % count];
	struct fault fault = fault_default(sort->kind);
	fault.site = pick_site(sort->sites, chaos_derive(seed, WHICH_SITE));
	if (fault_site_is_workers(fault.site))
		fault.worker = chaos_derive(seed, WHICH_WORKER) % scale->workers;
	if (comes_in_every_epoch(fault.site) && scale->epochs > 0)
		fault.epoch = 1 + chaos_derive(seed, WHICH_EPOCH) % scale->epochs;
	if (fault.site == SITE_COORDINATOR_FORK) {
		/* One of the first forks, or one of those that replace who is lost. */
		fault.incarnation = FAULT_ANY;
		fault.skip = chaos_derive(seed, HOW_MANY_BEFORE) % (2 * scale->workers);
	}
	if (writes_checkpoint(fault.site)) {
		fault.skip = chaos_derive(seed, HOW_MANY_BEFORE) % (checkpoints_written(config, scale->epochs) + 1);
		/* A disk that stays full shows in the exit status. */
		if (sort->kind == FAULT_NO_SPACE && chaos_derive(seed, HOW_OFTEN) % 2 == 0)
			fault.times = FAULT_ANY;
	}
	if (sort->kind == FAULT_TRUNCATE)
		fault.byte = chaos_derive(seed, WHICH_BYTE) % 64; /* in the header, or not far behind */
	return fault;
}

void campaign_schedule(
        struct config *config, const struct campaign_scale *scale, uint64_t seed, uint64_t run, struct fault *more)
{
	uint32_t seed_of_run = chaos_derive(seed, run);
	config->chaos.seed = seed_of_run;
	if (config->fault_count > 0 || config->chaos.rate > 0.0)
		return;
	config->chaos.rate = standard_rate(scale);
	config->chaos.kinds = survivable_kinds();
	if (chaos_derive(seed_of_run, WHETHER_MORE) % RUNS_PER_MORE != 0)
		return;
	*more = pick_more(config, scale, seed_of_run);
	config->faults = more;
	config->fault_count = 1;
}
