#include "common/fault.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(fault, .timeout = 30);

enum { WORKERS = 50, INCARNATIONS = 4, EPOCHS = 100 };

/* Every occasion of a small run, in order. */
static struct fault_occasion occasion_at(uint32_t i)
{
	struct fault_occasion occasion = {
	        .site = (enum fault_site)(i % SITE_WORKER_END),
	        .worker = i / SITE_WORKER_END % WORKERS,
	        .incarnation = i / SITE_WORKER_END / WORKERS % INCARNATIONS,
	        .epoch = i / SITE_WORKER_END / WORKERS / INCARNATIONS,
	};
	return occasion;
}
enum { OCCASIONS = SITE_WORKER_END * WORKERS * INCARNATIONS * EPOCHS };

static const struct chaos all_kinds = {.seed = 5, .rate = 0.1, .kinds = UINT32_MAX};

/* Catches the mutation chance_by_order. */
Test(fault, chance_does_not_depend_on_the_order_of_questions)
{
	enum { STRIDE = 7919 }; /* prime, and no factor of OCCASIONS: all are visited */
	static struct fault forward[OCCASIONS];
	static bool fired[OCCASIONS];
	for (uint32_t i = 0; i < OCCASIONS; i++) {
		struct fault_occasion occasion = occasion_at(i);
		fired[i] = chaos_fires(&all_kinds, &occasion, 100, &forward[i]);
	}
	for (uint32_t i = 0, at = 0; i < OCCASIONS; i++, at = (at + STRIDE) % OCCASIONS) {
		struct fault_occasion occasion = occasion_at(at);
		struct fault fault;
		cr_assert_eq(chaos_fires(&all_kinds, &occasion, 100, &fault), fired[at]);
		cr_assert(!fired[at] || memcmp(&fault.kind, &forward[at].kind, sizeof fault.kind) == 0);
		cr_assert(!fired[at] || fault.byte == forward[at].byte);
	}
}

static uint32_t count_struck(const struct chaos *chaos)
{
	uint32_t struck = 0;
	for (uint32_t i = 0; i < OCCASIONS; i++) {
		struct fault_occasion occasion = occasion_at(i);
		struct fault fault;
		struck += chaos_fires(chaos, &occasion, 100, &fault);
	}
	return struck;
}

/* Five standard deviations of a binomial variable: by chance, less than one test in a million would fail. */
static void expect_share(uint32_t struck, double p, uint32_t count)
{
	double mean = p * count, five_deviations = 25.0 * count * p * (1.0 - p);
	double difference = struck - mean;
	cr_expect(difference * difference <= five_deviations, "%u of %u, for a probability of %g", struck, count, p);
}

Test(fault, chance_strikes_as_often_as_the_rate_says)
{
	static const double rates[] = {0.0, 0.001, 0.1, 0.5, 0.9, 1.0};
	for (size_t i = 0; i < sizeof rates / sizeof *rates; i++)
		for (uint64_t seed = 0; seed < 5; seed++) {
			struct chaos chaos = {.seed = seed, .rate = rates[i], .kinds = UINT32_C(1) << FAULT_KILL};
			expect_share(count_struck(&chaos), rates[i], OCCASIONS);
		}
}

/* Whether each of a pair strikes tells nothing about the other, whichever coordinate they differ in. */
Test(fault, chance_is_independent_in_every_coordinate)
{
	static const struct fault_occasion steps[] = {
	        {.worker = 1}, {.incarnation = 1}, {.epoch = 1}, {.site = SITE_GRADIENT_WRITE - SITE_COMPUTE}};
	struct chaos chaos = {.seed = 3, .rate = 0.5, .kinds = UINT32_C(1) << FAULT_KILL};
	for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
		uint32_t same = 0, count = 10000;
		for (uint32_t i = 0; i < count; i++) {
			struct fault fault;
			struct fault_occasion one = {SITE_COMPUTE, i % 10 * 2, i / 10 % 10 * 2, i / 100 * 2};
			struct fault_occasion other = {(enum fault_site)(one.site + steps[s].site),
			        one.worker + steps[s].worker, one.incarnation + steps[s].incarnation,
			        one.epoch + steps[s].epoch};
			same += chaos_fires(&chaos, &one, 0, &fault) == chaos_fires(&chaos, &other, 0, &fault);
		}
		expect_share(same, 0.5, count);
	}
}

Test(fault, chance_chooses_among_the_kinds_that_make_sense_there)
{
	bool seen[FAULT_KIND_COUNT] = {false};
	struct chaos chaos = {.seed = 1, .rate = 1.0, .kinds = UINT32_MAX};
	for (uint32_t i = 0; i < OCCASIONS; i++) {
		struct fault_occasion occasion = occasion_at(i);
		struct fault fault;
		cr_assert(chaos_fires(&chaos, &occasion, 40, &fault));
		cr_assert(fault_kind_sites(fault.kind) >> occasion.site & 1);
		cr_assert(fault_fires(&fault, 1, &occasion, 0), "it is to happen again where it happened");
		cr_assert(fault.byte == FAULT_ANY || fault.byte < 40);
		seen[fault.kind] = true;
	}
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++)
		cr_expect_eq(seen[kind], fault_site_is_workers(fault_kind_default_site((enum fault_kind)kind)), "%s",
		        fault_kind_name((enum fault_kind)kind));
}

Test(fault, another_seed_strikes_elsewhere)
{
	uint32_t same = 0;
	struct chaos one = {.seed = 1, .rate = 0.5, .kinds = 1}, other = {.seed = 2, .rate = 0.5, .kinds = 1};
	for (uint32_t i = 0; i < OCCASIONS; i++) {
		struct fault_occasion occasion = occasion_at(i);
		struct fault fault;
		same += chaos_fires(&one, &occasion, 0, &fault) == chaos_fires(&other, &occasion, 0, &fault);
	}
	expect_share(same, 0.5, OCCASIONS);
}

struct firing {
	uint32_t worker, incarnation, epoch, skip, times; /* of the fault */
	struct fault_occasion occasion;
	uint32_t occurrence;
	bool fires;
};

Test(fault, happens_to_whom_and_when_it_says)
{
	static const struct firing rows[] = {
	        {FAULT_ANY, 0, FAULT_ANY, 0, 1, {SITE_COMPUTE, 3, 0, 7}, 0, true},
	        {FAULT_ANY, 0, FAULT_ANY, 0, 1, {SITE_COMPUTE, 3, 0, 7}, 1, false},
	        {FAULT_ANY, 0, FAULT_ANY, 0, 1, {SITE_LOAD, 3, 0, 7}, 0, false},
	        {FAULT_ANY, 0, FAULT_ANY, 0, 1, {SITE_COMPUTE, 3, 1, 7}, 0, false},
	        {FAULT_ANY, FAULT_ANY, FAULT_ANY, 0, 1, {SITE_COMPUTE, 3, 1, 7}, 0, true},
	        {3, 0, 7, 0, 1, {SITE_COMPUTE, 3, 0, 7}, 0, true},
	        {2, 0, 7, 0, 1, {SITE_COMPUTE, 3, 0, 7}, 0, false},
	        {3, 0, 6, 0, 1, {SITE_COMPUTE, 3, 0, 7}, 0, false},
	        {3, 0, 7, 0, 2, {SITE_COMPUTE, 3, 0, 7}, 1, true},
	        {3, 0, 7, 0, 2, {SITE_COMPUTE, 3, 0, 7}, 2, false},
	        {3, 0, 7, 2, 1, {SITE_COMPUTE, 3, 0, 7}, 1, false},
	        {3, 0, 7, 2, 1, {SITE_COMPUTE, 3, 0, 7}, 2, true},
	        {3, 0, 7, 2, 1, {SITE_COMPUTE, 3, 0, 7}, 3, false},
	        {3, 0, 7, 2, FAULT_ANY, {SITE_COMPUTE, 3, 0, 7}, 4000000000, true},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct fault fault = fault_default(FAULT_KILL);
		fault.worker = rows[i].worker;
		fault.incarnation = rows[i].incarnation;
		fault.epoch = rows[i].epoch;
		fault.skip = rows[i].skip;
		fault.times = rows[i].times;
		cr_expect_eq(
		        fault_fires(&fault, 1, &rows[i].occasion, rows[i].occurrence), rows[i].fires, "row %zu", i);
	}
}

Test(fault, happens_with_its_probability)
{
	static const double probabilities[] = {0.0, 0.01, 0.5, 1.0};
	for (size_t i = 0; i < sizeof probabilities / sizeof *probabilities; i++) {
		struct fault fault = fault_default(FAULT_KILL);
		uint32_t fired = 0, count = 0;
		fault.incarnation = fault.times = FAULT_ANY;
		fault.p = probabilities[i];
		for (uint32_t n = 0; n < OCCASIONS; n++) {
			struct fault_occasion occasion = occasion_at(n);
			if (occasion.site != fault.site)
				continue;
			count++;
			fired += fault_fires(&fault, 9, &occasion, n);
		}
		expect_share(fired, fault.p, count);
	}
}

/* S start, A assign.read, L load, R ready.write, P params.read, C compute, G gradient.write, E stop.read. */
struct sense {
	char kind[20];
	char sites[9];
	enum fault_site standard;
	bool of_coordinator;
};

Test(fault, makes_sense_at_these_sites_and_no_others)
{
	static const char letters[] = "SALRPCGE";
	static const struct sense rows[] = {
	        {"kill", "SALRPCGE", SITE_COMPUTE, true},
	        {"segv", "SALRPCGE", SITE_COMPUTE, false},
	        {"bus", "SALRPCGE", SITE_COMPUTE, false},
	        {"abort", "SALRPCGE", SITE_COMPUTE, false},
	        {"exit", "SALRPCGE", SITE_COMPUTE, false},
	        {"stop", "SALRPCGE", SITE_COMPUTE, false},
	        {"spin", "SALRPCGE", SITE_COMPUTE, false},
	        {"slow", "SALRPCGE", SITE_COMPUTE, false},
	        {"out_of_memory", "SLC", SITE_COMPUTE, false},
	        {"syscall", "SLC", SITE_COMPUTE, false},
	        {"crash_loop", "SALRPCGE", SITE_COMPUTE, false},
	        {"truncate", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"short_writes", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"flip", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"garbage", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"duplicate", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"stale", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"wrong_worker", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"oversized", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"close", "ARPGE", SITE_GRADIENT_WRITE, false},
	        {"deaf", "APE", SITE_PARAMS_READ, false},
	        {"nan", "C", SITE_COMPUTE, false},
	        {"lie", "C", SITE_COMPUTE, false},
	        {"file_truncated", "LC", SITE_COMPUTE, false},
	        {"fork_fails", "", SITE_COORDINATOR_FORK, true},
	        {"no_descriptors", "", SITE_COORDINATOR_FORK, true},
	        {"no_space", "", SITE_OUTPUT_WRITE, true},
	};
	cr_assert_eq(sizeof rows / sizeof *rows, FAULT_KIND_COUNT);
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++) {
		const struct sense *row = &rows[kind];
		uint32_t sites = fault_kind_sites((enum fault_kind)kind);
		cr_expect_str_eq(fault_kind_name((enum fault_kind)kind), row->kind);
		cr_expect_eq(fault_kind_default_site((enum fault_kind)kind), row->standard, "%s", row->kind);
		cr_expect(sites >> row->standard & 1, "%s", row->kind);
		cr_expect_eq(sites >> SITE_WORKER_END != 0, row->of_coordinator, "%s", row->kind);
		for (unsigned site = 0; site < SITE_WORKER_END; site++)
			cr_expect_eq(sites >> site & 1, strchr(row->sites, letters[site]) != NULL, "%s at %s",
			        row->kind, fault_site_name((enum fault_site)site));
	}
}

Test(fault, sites_have_the_names_of_the_documentation)
{
	static const char *const names[] = {"start", "assign.read", "load", "ready.write", "params.read", "compute",
	        "gradient.write", "stop.read", "coordinator.start", "coordinator.fork", "coordinator.epoch",
	        "coordinator.output.draft", "coordinator.output.write", "coordinator.output.rename",
	        "coordinator.output.done", "coordinator.checkpoint.draft", "coordinator.checkpoint.write",
	        "coordinator.checkpoint.rename", "coordinator.checkpoint.done"};
	cr_assert_eq(sizeof names / sizeof *names, FAULT_SITE_COUNT);
	for (unsigned site = 0; site < FAULT_SITE_COUNT; site++)
		cr_expect_str_eq(fault_site_name((enum fault_site)site), names[site]);
}

Test(fault, the_steps_of_writing_are_sites_in_a_row)
{
	cr_expect_eq(SITE_OUTPUT_DRAFT + STEP_WRITE, SITE_OUTPUT_WRITE);
	cr_expect_eq(SITE_OUTPUT_DRAFT + STEP_DONE, SITE_OUTPUT_DONE);
	cr_expect_eq(SITE_CHECKPOINT_DRAFT + STEP_WRITE, SITE_CHECKPOINT_WRITE);
	cr_expect_eq(SITE_CHECKPOINT_DRAFT + STEP_DONE, SITE_CHECKPOINT_DONE);
}
