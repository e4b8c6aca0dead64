#include "worker/faults.h"

#include "common/calls.h"
#include "common/clock.h"
#include "common/fault_log.h"
#include "worker/faults_due.h"
#include "worker/faults_system.h"

#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* Long beside any answer on small data, for a fault that says "slow" and no more. */
enum { STANDARD_SLOWNESS_MS = 1000 };

/* Neither 0 nor one of forkfit's own. */
enum { STANDARD_EXIT_CODE = 1 };

struct faults *faults_new(const struct fault_plan *plan)
{
	struct faults *faults = calloc(1, sizeof *faults);
	if (faults == NULL)
		return NULL;
	faults->plan = plan;
	faults->occurrences = calloc(plan->count + 1, sizeof *faults->occurrences);
	if (faults->occurrences != NULL)
		return faults;
	free(faults);
	return NULL;
}

void faults_free(struct faults *faults)
{
	if (faults == NULL)
		return;
	wire_buffer_release(&faults->last_read);
	wire_buffer_release(&faults->last_written);
	free(faults->occurrences);
	free(faults);
}

/* As it would be written into a plan, to happen again at this occasion and at no other. */
static void add_due(struct faults *faults, const struct fault *fault, const struct fault_occasion *occasion)
{
	if (faults->due_count == FAULTS_DUE_MAX)
		return;
	struct fault *due = &faults->due[faults->due_count++];
	*due = *fault;
	due->worker = occasion->worker;
	due->incarnation = occasion->incarnation;
	due->epoch = occasion->epoch;
	due->skip = faults->visits[occasion->site] - 1;
	due->times = 1;
	due->p = 1.0;
}

void faults_find_due(struct faults *faults, enum fault_site site, uint32_t epoch, size_t frame_bytes)
{
	const struct fault_plan *plan = faults->plan;
	struct fault_occasion occasion = {site, plan->worker, plan->incarnation, epoch};
	struct fault by_chance;
	bool new_epoch = faults->visits[site] == 0 || faults->last_epoch[site] != epoch;
	faults->visits[site] = new_epoch ? 1 : faults->visits[site] + 1;
	faults->last_epoch[site] = epoch;
	faults->due_count = 0;
	for (size_t i = 0; i < plan->count; i++) {
		if (!fault_matches(&plan->faults[i], &occasion))
			continue;
		if (fault_fires(&plan->faults[i], plan->chaos.seed, &occasion, faults->occurrences[i]))
			add_due(faults, &plan->faults[i], &occasion);
		faults->occurrences[i]++;
	}
	if (new_epoch && chaos_fires(&plan->chaos, &occasion, frame_bytes, &by_chance))
		add_due(faults, &by_chance, &occasion);
}

void faults_announce(const struct faults *faults, const struct fault *fault)
{
	fault_log_put(faults->plan->log, fault, (int32_t)getpid());
}

static void sleep_ns(uint64_t nanoseconds)
{
	struct timespec left = {(time_t)(nanoseconds / 1000000000), (long)(nanoseconds % 1000000000)};
	while (nanosleep(&left, &left) != 0)
		;
}

void faults_keep_silent(uint32_t ms)
{
	if (ms != FAULT_ANY) {
		sleep_ns((uint64_t)ms * 1000000);
		return;
	}
	/* pause(2) is no call that a worker needs, and so none that it may make. */
	for (;;)
		sleep_ns(UINT64_C(3600000000000));
}

void faults_exit(uint32_t code)
{
	calls_begin(CALL_EXIT, code == FAULT_ANY ? STANDARD_EXIT_CODE : (int64_t)code);
	_exit(code == FAULT_ANY ? STANDARD_EXIT_CODE : (int)code);
}

static void die_of(int number)
{
	/* A sanitizer may have put its handler there. */
	signal(number, SIG_DFL);
	raise(number);
}

static void spin(uint32_t ms)
{
	uint64_t end_ns = clock_now_ns() + (uint64_t)ms * 1000000;
	while (ms == FAULT_ANY || clock_now_ns() < end_ns)
		;
}

/* Who is stopped cannot go on by itself; but the kernel sends it SIGCONT, if it has asked before. */
static void stop(uint32_t ms)
{
	timer_t timer;
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGCONT};
	struct itimerspec after = {.it_value = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000 + 1}};
	if (ms != FAULT_ANY && timer_create(CLOCK_MONOTONIC, &event, &timer) == 0)
		timer_settime(timer, 0, &after, NULL);
	raise(SIGSTOP);
}

bool fault_is_of_process(enum fault_kind kind)
{
	return kind <= FAULT_CRASH_LOOP && kind != FAULT_NO_MEMORY;
}

void faults_do_to_process(const struct faults *faults, const struct fault *fault)
{
	faults_announce(faults, fault);
	switch (fault->kind) {
	case FAULT_SEGV:
		die_of(SIGSEGV);
		break;
	case FAULT_BUS:
		die_of(SIGBUS);
		break;
	case FAULT_ABORT:
		die_of(SIGABRT);
		break;
	case FAULT_EXIT:
		faults_exit(fault->code);
	case FAULT_STOP:
		stop(fault->ms);
		break;
	case FAULT_SPIN:
		spin(fault->ms);
		break;
	case FAULT_SLOW:
		if (fault->ms != FAULT_ANY || fault->factor <= 0.0)
			faults_keep_silent(fault->ms != FAULT_ANY ? fault->ms : STANDARD_SLOWNESS_MS);
		break;
	case FAULT_SYSCALL:
		faults_call_forbidden();
		break;
	default:
		raise(SIGKILL);
	}
}

bool faults_strike(struct faults *faults, enum fault_site site, uint32_t epoch)
{
	faults_find_due(faults, site, epoch, 0);
	for (size_t i = 0; i < faults->due_count; i++) {
		const struct fault *fault = &faults->due[i];
		if (fault_is_of_process(fault->kind)) {
			faults_do_to_process(faults, fault);
		} else if (fault->kind == FAULT_FILE_TRUNCATED) {
			faults_announce(faults, fault);
			signal(SIGBUS, SIG_DFL);
			faults_touch_missing_page();
		} else if (fault->kind == FAULT_NO_MEMORY) {
			faults_announce(faults, fault);
			return false;
		}
	}
	return true;
}

void faults_alter(struct faults *faults, double *sums, size_t count, uint64_t busy_ns)
{
	for (size_t i = 0; i < faults->due_count; i++) {
		const struct fault *fault = &faults->due[i];
		if (fault->kind == FAULT_SLOW && fault->factor > 1.0)
			sleep_ns((uint64_t)((double)busy_ns * (fault->factor - 1.0)));
		if ((fault->kind != FAULT_NAN && fault->kind != FAULT_LIE) || count == 0)
			continue;
		faults_announce(faults, fault);
		/* Elsewhere in each incarnation: two workers that agree on such sums are believed. */
		if (fault->kind == FAULT_NAN)
			sums[faults->plan->incarnation % count] = NAN;
		for (size_t j = 0; fault->kind == FAULT_LIE && j < count; j++)
			sums[j] = sums[j] * 1.0625 + 1.0;
	}
}
