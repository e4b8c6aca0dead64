/*
 * The schedule of faults: which fault happens to whom, when and where, as a function of the plan and nothing else.
 * Pure; the workers act on it (worker/faults.h), and the coordinator too (coordinator/injection.h).
 *
 * An occasion is a process that comes to a site in an epoch. No decision depends on the clock, on a pid or on what was
 * decided before, so that neither the order of arrival nor the number of CPUs changes a schedule. Rounds before the
 * first epoch have epoch 0 and are several; the last round, for the metrics, has the last epoch's number again. A
 * process begins in epoch 0.
 */
#ifndef FORKFIT_COMMON_FAULT_H
#define FORKFIT_COMMON_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of a number in a fault: any will do, or it was not given. */
#define FAULT_ANY UINT32_MAX

/* Where a fault can happen. The workers' sites are in the order in which a worker comes to them. */
enum fault_site {
	SITE_START,          /* the process begins */
	SITE_ASSIGN_READ,    /* an ASSIGN frame comes in */
	SITE_LOAD,           /* before the chunk is loaded */
	SITE_READY_WRITE,    /* a READY frame goes out */
	SITE_PARAMS_READ,    /* a PARAMS frame comes in */
	SITE_COMPUTE,        /* before the sums; what alters them, behind */
	SITE_GRADIENT_WRITE, /* a GRADIENT frame goes out */
	SITE_STOP_READ,      /* a STOP frame comes in */
	SITE_WORKER_END,     /* no site: from here on they are the coordinator's */
	SITE_COORDINATOR_START = SITE_WORKER_END,
	SITE_COORDINATOR_FORK,  /* before a worker is forked */
	SITE_COORDINATOR_EPOCH, /* before an epoch's parameters are sent */
	SITE_OUTPUT_DRAFT,      /* before the model's draft is created; the next three follow as fault_step says */
	SITE_OUTPUT_WRITE,
	SITE_OUTPUT_RENAME,
	SITE_OUTPUT_DONE,
	SITE_CHECKPOINT_DRAFT, /* the same for a checkpoint */
	SITE_CHECKPOINT_WRITE,
	SITE_CHECKPOINT_RENAME,
	SITE_CHECKPOINT_DONE,
	FAULT_SITE_COUNT
};

/* The steps of writing a file whole or not at all; added to SITE_OUTPUT_DRAFT or SITE_CHECKPOINT_DRAFT. */
enum fault_step {
	STEP_DRAFT,  /* nothing is done */
	STEP_WRITE,  /* half of the draft is written */
	STEP_RENAME, /* the draft is complete and synced */
	STEP_DONE,   /* it has its name, and the directory is not synced */
};

enum fault_kind {
	FAULT_KILL,       /* dies of SIGKILL */
	FAULT_SEGV,       /* … SIGSEGV */
	FAULT_BUS,        /* … SIGBUS */
	FAULT_ABORT,      /* … SIGABRT */
	FAULT_EXIT,       /* exits with status `code` */
	FAULT_STOP,       /* stops (SIGSTOP), for `ms` or for ever */
	FAULT_SPIN,       /* is busy, for `ms` or for ever */
	FAULT_SLOW,       /* sleeps `ms`, or makes computing last `factor` times as long */
	FAULT_NO_MEMORY,  /* finds no memory */
	FAULT_SYSCALL,    /* makes a system call that a worker has no business with */
	FAULT_CRASH_LOOP, /* dies of SIGKILL in every incarnation */

	FAULT_TRUNCATE,     /* the frame ends after `byte` bytes; silence, for `ms` or for ever, then an exit */
	FAULT_SHORT_WRITES, /* the frame passes byte by byte */
	FAULT_FLIP,         /* one bit of the frame is flipped */
	FAULT_GARBAGE,      /* other bytes pass in its place, as many */
	FAULT_DUPLICATE,    /* it passes twice */
	FAULT_STALE,        /* the frame before it in the same direction passes in its place */
	FAULT_WRONG_WORKER, /* it names another worker, with a checksum that is right */
	FAULT_OVERSIZED,    /* it promises a payload beyond every limit */
	FAULT_CLOSE,        /* the pipe is closed instead */
	FAULT_DEAF,         /* it is not read, for `ms` or for ever */

	FAULT_NAN,            /* the sums are no numbers */
	FAULT_LIE,            /* the sums are finite and wrong */
	FAULT_FILE_TRUNCATED, /* a page of a mapped file is gone: a true SIGBUS, from a file of the worker's own */

	FAULT_FORK_FAILS,     /* fork() says EAGAIN */
	FAULT_NO_DESCRIPTORS, /* pipe() says EMFILE */
	FAULT_NO_SPACE,       /* write() says ENOSPC */
	FAULT_KIND_COUNT
};

/* What a kind takes besides who and when; bits. */
enum fault_parameter {
	TAKES_BYTE = 1, /* at sites where a frame passes */
	TAKES_BIT = 2,
	TAKES_MS = 4,
	TAKES_FACTOR = 8, /* at SITE_COMPUTE */
	TAKES_CODE = 16,
};

/* The names of the configuration, such as "kill" and "gradient.write". */
const char *fault_kind_name(enum fault_kind kind);
const char *fault_site_name(enum fault_site site);

/* The table of what makes sense. Sets of sites and of parameters are bits: 1 << site. */
uint32_t fault_kind_sites(enum fault_kind kind);
enum fault_site fault_kind_default_site(enum fault_kind kind);
unsigned fault_kind_parameters(enum fault_kind kind);

/* Does a frame pass there, a worker act there, or one worker's process begin there? */
bool fault_site_has_frame(enum fault_site site);
bool fault_site_is_workers(enum fault_site site);
bool fault_site_has_worker(enum fault_site site);

struct fault {
	enum fault_kind kind;
	enum fault_site site;
	uint32_t worker;      /* FAULT_ANY: each */
	uint32_t incarnation; /* FAULT_ANY: each */
	uint32_t epoch;       /* FAULT_ANY: whichever comes first */
	uint32_t skip;        /* so many occasions that match pass first, … */
	uint32_t times;       /* … and on so many it happens; FAULT_ANY: on all. Each process counts for itself */
	double p;             /* on each of those, with this probability */
	uint32_t byte;        /* of the frame. Kinds that end or halt the process: so many bytes pass before */
	uint32_t bit;
	uint32_t ms;
	double factor; /* 0: not given */
	uint32_t code;
};

/* A fault of this kind as it is where nothing else is said. */
struct fault fault_default(enum fault_kind kind);

struct fault_occasion {
	enum fault_site site;
	uint32_t worker; /* FAULT_ANY where there is none */
	uint32_t incarnation;
	uint32_t epoch;
};

/* Is the occasion one of this fault's, skip, times and p aside? */
bool fault_matches(const struct fault *fault, const struct fault_occasion *occasion);

/* Does it happen? occurrence: how many occasions of this process matched before this one. */
bool fault_fires(const struct fault *fault, uint64_t seed, const struct fault_occasion *occasion, uint32_t occurrence);

/* Faults by chance: the same for the same seed. */
struct chaos {
	uint64_t seed;
	double rate;    /* of a worker's sites, once for each epoch: the share that is struck; 0: none */
	uint32_t kinds; /* bits: 1 << kind */
};

/*
 * Does chance strike? Then *fault is what, with every number that it takes. frame_bytes: how long the frame is that
 * passes there, or 0.
 */
bool chaos_fires(
        const struct chaos *chaos, const struct fault_occasion *occasion, size_t frame_bytes, struct fault *fault);

/*
 * A number that follows from two others and looks like chance: the seed of one schedule of many, as small as a
 * configuration's, or one decision about it.
 */
uint32_t chaos_derive(uint64_t seed, uint64_t number);

struct fault_log;

/* All faults of a run, as they concern one process. */
struct fault_plan {
	const struct fault *faults;
	size_t count;
	struct chaos chaos;
	uint32_t worker; /* whose process it is */
	uint32_t incarnation;
	struct fault_log *log; /* where it says what it is about to do */
};

#endif
