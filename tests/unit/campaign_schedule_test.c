#include "coordinator/campaign_schedule.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(campaign_schedule, .timeout = 20);

static const struct campaign_scale scale = {.workers = 4, .epochs = 20};

static struct config with_timeout(double timeout_s)
{
	struct config config = {.workers = 4};
	config.recovery.worker_timeout_s = timeout_s;
	return config;
}

static struct config scheduled(const struct config *base, uint64_t seed, uint64_t run, struct fault *more)
{
	struct config config = *base;
	campaign_schedule(&config, &scale, seed, run, more);
	return config;
}

Test(campaign_schedule, is_the_same_for_the_same_seed_and_run)
{
	struct config base = with_timeout(0.2);
	for (uint64_t run = 0; run < 100; run++) {
		struct fault one_more, other_more;
		struct config one = scheduled(&base, 5, run, &one_more), other = scheduled(&base, 5, run, &other_more);
		cr_assert_eq(one.chaos.seed, other.chaos.seed);
		cr_assert_eq(one.fault_count, other.fault_count);
		if (one.fault_count > 0)
			cr_assert_eq(memcmp(&one_more, &other_more, sizeof one_more), 0);
	}
}

Test(campaign_schedule, differs_between_runs_and_between_campaigns)
{
	struct config base = with_timeout(0.2);
	struct fault more;
	uint64_t seed = scheduled(&base, 5, 7, &more).chaos.seed;
	cr_assert_neq(seed, scheduled(&base, 5, 8, &more).chaos.seed);
	cr_assert_neq(seed, scheduled(&base, 6, 7, &more).chaos.seed);
	cr_assert_neq(seed, scheduled(&base, 7, 5, &more).chaos.seed);
}

Test(campaign_schedule, seeds_are_numbers_that_a_configuration_takes)
{
	struct config base = with_timeout(0.2);
	struct fault more;
	for (uint64_t run = 0; run < 1000; run++)
		cr_assert_leq(scheduled(&base, 5, run, &more).chaos.seed, UINT32_MAX);
}

Test(campaign_schedule, a_configuration_with_faults_keeps_them)
{
	struct fault own = fault_default(FAULT_KILL), more;
	struct config base = with_timeout(0.2);
	base.faults = &own;
	base.fault_count = 1;
	for (uint64_t run = 0; run < 100; run++) {
		struct config config = scheduled(&base, 5, run, &more);
		cr_assert_eq(config.faults, &own);
		cr_assert_eq(config.fault_count, 1);
		cr_assert_eq(config.chaos.rate, 0.0);
	}
}

Test(campaign_schedule, a_configuration_with_a_rate_keeps_it_and_its_kinds)
{
	struct fault more;
	struct config base = with_timeout(0.2);
	base.chaos.rate = 0.01;
	base.chaos.kinds = 1U << FAULT_LIE;
	for (uint64_t run = 0; run < 100; run++) {
		struct config config = scheduled(&base, 5, run, &more);
		cr_assert_eq(config.chaos.rate, 0.01);
		cr_assert_eq(config.chaos.kinds, 1U << FAULT_LIE);
		cr_assert_eq(config.fault_count, 0);
	}
}

Test(campaign_schedule, nobody_lies_by_default)
{
	struct config base = with_timeout(0.2);
	struct fault more;
	cr_assert_eq(scheduled(&base, 5, 0, &more).chaos.kinds >> FAULT_LIE & 1, 0);
}

Test(campaign_schedule, the_rate_expects_two_faults_a_run)
{
	struct config base = with_timeout(0.2);
	struct fault more;
	/* Four workers come to 68 sites each. */
	cr_assert_float_eq(scheduled(&base, 5, 0, &more).chaos.rate, 2.0 / 272.0, 1e-12);
}

/* Every additional fault is one that a configuration could have, too. */
Test(campaign_schedule, additional_faults_make_sense)
{
	struct config base = with_timeout(0.2);
	char model[] = "model.json";
	base.output.model = base.checkpoint.path = model;
	base.checkpoint.every_epochs = 5;
	for (uint64_t run = 0; run < 5000; run++) {
		struct fault more;
		struct config config = scheduled(&base, 5, run, &more);
		if (config.fault_count == 0)
			continue;
		cr_assert_eq(config.faults, &more);
		cr_assert_eq(fault_kind_sites(more.kind) >> more.site & 1, 1);
		cr_assert_neq(more.site, SITE_STOP_READ);
		cr_assert(more.worker == FAULT_ANY || more.worker < scale.workers);
		cr_assert(more.epoch == FAULT_ANY || (more.epoch >= 1 && more.epoch <= scale.epochs));
	}
}

static uint32_t additional_kinds(const struct config *base)
{
	uint32_t kinds = 0;
	for (uint64_t run = 0; run < 5000; run++) {
		struct fault more;
		if (scheduled(base, 5, run, &more).fault_count > 0)
			kinds |= UINT32_C(1) << more.kind;
	}
	return kinds;
}

enum {
	COORDINATORS = 1 << FAULT_KILL | 1 << FAULT_FORK_FAILS | 1 << FAULT_NO_DESCRIPTORS,
	SILENCES = 1 << FAULT_STOP | 1 << FAULT_SPIN | 1 << FAULT_DEAF | 1 << FAULT_TRUNCATE,
};

Test(campaign_schedule, the_coordinator_and_silence_have_their_turn)
{
	struct config base = with_timeout(0.2);
	cr_assert_eq(additional_kinds(&base), COORDINATORS | SILENCES);
}

Test(campaign_schedule, nobody_is_silent_for_ever_when_the_timeout_is_long)
{
	struct config base = with_timeout(30);
	cr_assert_eq(additional_kinds(&base), COORDINATORS);
}

Test(campaign_schedule, the_disk_is_full_only_where_something_is_written)
{
	struct config base = with_timeout(30);
	char model[] = "model.json";
	base.output.model = model;
	cr_assert_eq(additional_kinds(&base), COORDINATORS | UINT32_C(1) << FAULT_NO_SPACE);
}

Test(campaign_schedule, checkpoints_have_their_turn_where_they_are_written)
{
	struct config base = with_timeout(30);
	char path[] = "state";
	uint32_t sites[FAULT_KIND_COUNT] = {0};
	base.checkpoint.path = path;
	base.checkpoint.every_epochs = 7;
	for (uint64_t run = 0; run < 5000; run++) {
		struct fault more;
		if (scheduled(&base, 5, run, &more).fault_count == 0)
			continue;
		sites[more.kind] |= UINT32_C(1) << more.site;
		if (more.site >= SITE_CHECKPOINT_DRAFT)
			cr_assert_leq(more.skip, 3); /* behind epochs 7, 14 and 20 there is none */
	}
	for (unsigned site = SITE_CHECKPOINT_DRAFT; site <= SITE_CHECKPOINT_DONE; site++)
		cr_assert_eq(sites[FAULT_KILL] >> site & 1, 1, "%s", fault_site_name((enum fault_site)site));
	cr_assert_eq(sites[FAULT_NO_SPACE], UINT32_C(1) << SITE_CHECKPOINT_WRITE);
}
