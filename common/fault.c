#include "common/fault.h"

#include "common/random.h"

#include <math.h>

#define BIT(n) (UINT32_C(1) << (n))

/* Sets of sites. */
enum {
	READS = BIT(SITE_ASSIGN_READ) | BIT(SITE_PARAMS_READ) | BIT(SITE_STOP_READ),
	WRITES = BIT(SITE_READY_WRITE) | BIT(SITE_GRADIENT_WRITE),
	FRAMES = READS | WRITES,
	WORK = BIT(SITE_LOAD) | BIT(SITE_COMPUTE),
	WORKERS = BIT(SITE_WORKER_END) - 1,
	COORDINATORS = BIT(FAULT_SITE_COUNT) - BIT(SITE_WORKER_END),
};

static const char *const site_names[] = {
        [SITE_START] = "start",
        [SITE_ASSIGN_READ] = "assign.read",
        [SITE_LOAD] = "load",
        [SITE_READY_WRITE] = "ready.write",
        [SITE_PARAMS_READ] = "params.read",
        [SITE_COMPUTE] = "compute",
        [SITE_GRADIENT_WRITE] = "gradient.write",
        [SITE_STOP_READ] = "stop.read",
        [SITE_COORDINATOR_START] = "coordinator.start",
        [SITE_COORDINATOR_FORK] = "coordinator.fork",
        [SITE_COORDINATOR_EPOCH] = "coordinator.epoch",
        [SITE_OUTPUT_DRAFT] = "coordinator.output.draft",
        [SITE_OUTPUT_WRITE] = "coordinator.output.write",
        [SITE_OUTPUT_RENAME] = "coordinator.output.rename",
        [SITE_OUTPUT_DONE] = "coordinator.output.done",
        [SITE_CHECKPOINT_DRAFT] = "coordinator.checkpoint.draft",
        [SITE_CHECKPOINT_WRITE] = "coordinator.checkpoint.write",
        [SITE_CHECKPOINT_RENAME] = "coordinator.checkpoint.rename",
        [SITE_CHECKPOINT_DONE] = "coordinator.checkpoint.done",
};
_Static_assert(sizeof site_names / sizeof *site_names == FAULT_SITE_COUNT, "a name for every site");

struct rule {
	const char *name;
	uint32_t sites;
	enum fault_site standard;
	unsigned parameters;
};

static const struct rule rules[] = {
        [FAULT_KILL] = {"kill", WORKERS | COORDINATORS, SITE_COMPUTE, TAKES_BYTE},
        [FAULT_SEGV] = {"segv", WORKERS, SITE_COMPUTE, TAKES_BYTE},
        [FAULT_BUS] = {"bus", WORKERS, SITE_COMPUTE, TAKES_BYTE},
        [FAULT_ABORT] = {"abort", WORKERS, SITE_COMPUTE, TAKES_BYTE},
        [FAULT_EXIT] = {"exit", WORKERS, SITE_COMPUTE, TAKES_BYTE | TAKES_CODE},
        [FAULT_STOP] = {"stop", WORKERS, SITE_COMPUTE, TAKES_BYTE | TAKES_MS},
        [FAULT_SPIN] = {"spin", WORKERS, SITE_COMPUTE, TAKES_BYTE | TAKES_MS},
        [FAULT_SLOW] = {"slow", WORKERS, SITE_COMPUTE, TAKES_BYTE | TAKES_MS | TAKES_FACTOR},
        [FAULT_NO_MEMORY] = {"out_of_memory", BIT(SITE_START) | WORK, SITE_COMPUTE, 0},
        [FAULT_SYSCALL] = {"syscall", BIT(SITE_START) | WORK, SITE_COMPUTE, 0},
        [FAULT_CRASH_LOOP] = {"crash_loop", WORKERS, SITE_COMPUTE, TAKES_BYTE},
        [FAULT_TRUNCATE] = {"truncate", FRAMES, SITE_GRADIENT_WRITE, TAKES_BYTE | TAKES_MS | TAKES_CODE},
        [FAULT_SHORT_WRITES] = {"short_writes", FRAMES, SITE_GRADIENT_WRITE, 0},
        [FAULT_FLIP] = {"flip", FRAMES, SITE_GRADIENT_WRITE, TAKES_BYTE | TAKES_BIT},
        [FAULT_GARBAGE] = {"garbage", FRAMES, SITE_GRADIENT_WRITE, 0},
        [FAULT_DUPLICATE] = {"duplicate", FRAMES, SITE_GRADIENT_WRITE, 0},
        [FAULT_STALE] = {"stale", FRAMES, SITE_GRADIENT_WRITE, 0},
        [FAULT_WRONG_WORKER] = {"wrong_worker", FRAMES, SITE_GRADIENT_WRITE, 0},
        [FAULT_OVERSIZED] = {"oversized", FRAMES, SITE_GRADIENT_WRITE, 0},
        [FAULT_CLOSE] = {"close", FRAMES, SITE_GRADIENT_WRITE, 0},
        [FAULT_DEAF] = {"deaf", READS, SITE_PARAMS_READ, TAKES_MS},
        [FAULT_NAN] = {"nan", BIT(SITE_COMPUTE), SITE_COMPUTE, 0},
        [FAULT_LIE] = {"lie", BIT(SITE_COMPUTE), SITE_COMPUTE, 0},
        [FAULT_FILE_TRUNCATED] = {"file_truncated", WORK, SITE_COMPUTE, 0},
        [FAULT_FORK_FAILS] = {"fork_fails", BIT(SITE_COORDINATOR_FORK), SITE_COORDINATOR_FORK, 0},
        [FAULT_NO_DESCRIPTORS] = {"no_descriptors", BIT(SITE_COORDINATOR_FORK), SITE_COORDINATOR_FORK, 0},
        [FAULT_NO_SPACE] = {"no_space", BIT(SITE_OUTPUT_WRITE) | BIT(SITE_CHECKPOINT_WRITE), SITE_OUTPUT_WRITE, 0},
};
_Static_assert(sizeof rules / sizeof *rules == FAULT_KIND_COUNT, "a rule for every kind");
_Static_assert(FAULT_KIND_COUNT <= 32 && FAULT_SITE_COUNT < 32, "sets of them are bits of 32");

const char *fault_kind_name(enum fault_kind kind)
{
	return rules[kind].name;
}

const char *fault_site_name(enum fault_site site)
{
	return site_names[site];
}

uint32_t fault_kind_sites(enum fault_kind kind)
{
	return rules[kind].sites;
}

enum fault_site fault_kind_default_site(enum fault_kind kind)
{
	return rules[kind].standard;
}

unsigned fault_kind_parameters(enum fault_kind kind)
{
	return rules[kind].parameters;
}

bool fault_site_has_frame(enum fault_site site)
{
	return (FRAMES & BIT(site)) != 0;
}

bool fault_site_is_workers(enum fault_site site)
{
	return site < SITE_WORKER_END;
}

bool fault_site_has_worker(enum fault_site site)
{
	return fault_site_is_workers(site) || site == SITE_COORDINATOR_FORK;
}

struct fault fault_default(enum fault_kind kind)
{
	return (struct fault){
	        .kind = kind,
	        .site = rules[kind].standard,
	        .worker = FAULT_ANY,
	        .incarnation = kind == FAULT_CRASH_LOOP ? FAULT_ANY : 0,
	        .epoch = FAULT_ANY,
	        .times = 1,
	        .p = 1.0,
	        .byte = FAULT_ANY,
	        .ms = FAULT_ANY,
	        .code = FAULT_ANY,
	};
}

static uint64_t mix(uint64_t state, uint64_t value)
{
	uint64_t mixed = state ^ value;
	return random_next(&mixed);
}

/* What the decisions are for, so that one occasion's are independent of each other. */
enum purpose { WHETHER, WHICH_KIND, WHICH_BYTE, WHICH_BIT, HOW_LONG, FAULT_BY_CHANCE };

static uint64_t hash(uint64_t seed, const struct fault_occasion *occasion, uint64_t purpose)
{
	uint64_t state = mix(0, seed);
	state = mix(state, occasion->worker);
	state = mix(state, occasion->incarnation);
	state = mix(state, occasion->epoch);
	state = mix(state, (uint64_t)occasion->site);
	return mix(state, purpose);
}

bool fault_matches(const struct fault *fault, const struct fault_occasion *occasion)
{
	return fault->site == occasion->site && (fault->worker == FAULT_ANY || fault->worker == occasion->worker) &&
	       (fault->incarnation == FAULT_ANY || fault->incarnation == occasion->incarnation ||
	               !fault_site_has_worker(fault->site)) &&
	       (fault->epoch == FAULT_ANY || fault->epoch == occasion->epoch);
}

bool fault_fires(const struct fault *fault, uint64_t seed, const struct fault_occasion *occasion, uint32_t occurrence)
{
	if (!fault_matches(fault, occasion) || occurrence < fault->skip)
		return false;
	if (fault->times != FAULT_ANY && occurrence - fault->skip >= fault->times)
		return false;
	uint64_t purpose = FAULT_BY_CHANCE + (uint64_t)fault->kind;
	return fault->p >= 1.0 || random_fraction(hash(seed, occasion, purpose)) < fault->p;
}

uint32_t chaos_derive(uint64_t seed, uint64_t number)
{
	return (uint32_t)(mix(mix(0, seed), number) >> 32);
}

/* The kinds of the set that make sense at the site. */
static uint32_t kinds_at(uint32_t kinds, enum fault_site site)
{
	uint32_t possible = 0;
	for (unsigned kind = 0; kind < FAULT_KIND_COUNT; kind++)
		if ((kinds & BIT(kind)) != 0 && (rules[kind].sites & BIT(site)) != 0)
			possible |= BIT(kind);
	return possible;
}

static enum fault_kind pick_kind(uint32_t kinds, uint64_t bits)
{
	unsigned count = 0, kind = 0;
	for (unsigned i = 0; i < FAULT_KIND_COUNT; i++)
		count += (kinds & BIT(i)) != 0;
	for (unsigned left = (unsigned)(bits % count);; kind++)
		if ((kinds & BIT(kind)) != 0 && left-- == 0)
			return (enum fault_kind)kind;
}

/* Long beside an answer's time on small data, and short beside any deadline. */
enum { LONGEST_CHANCE_MS = 50 };

bool chaos_fires(
        const struct chaos *chaos, const struct fault_occasion *occasion, size_t frame_bytes, struct fault *fault)
{
	uint32_t kinds = kinds_at(chaos->kinds, occasion->site);
	if (kinds == 0 || random_fraction(hash(chaos->seed, occasion, WHETHER)) >= chaos->rate)
		return false;
	enum fault_kind kind = pick_kind(kinds, hash(chaos->seed, occasion, WHICH_KIND));
	*fault = fault_default(kind);
	fault->site = occasion->site;
	fault->worker = occasion->worker;
	fault->incarnation = occasion->incarnation;
	fault->epoch = occasion->epoch;
	unsigned parameters = rules[kind].parameters;
	if ((parameters & TAKES_BYTE) != 0 && frame_bytes > 0)
		fault->byte = (uint32_t)(hash(chaos->seed, occasion, WHICH_BYTE) % frame_bytes);
	if ((parameters & TAKES_BIT) != 0)
		fault->bit = (uint32_t)(hash(chaos->seed, occasion, WHICH_BIT) % 8);
	if ((parameters & TAKES_MS) != 0)
		fault->ms = 1 + (uint32_t)(hash(chaos->seed, occasion, HOW_LONG) % LONGEST_CHANCE_MS);
	return true;
}
