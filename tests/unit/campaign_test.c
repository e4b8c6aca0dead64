/* Campaigns of a program that is not forkfit's training, but does one thing wrong. */
#include "coordinator/campaign.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <criterion/redirect.h>
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A hang is one after five seconds. */
TestSuite(campaign, .timeout = 60);

static bool is_without_faults(const struct config *config)
{
	return config->fault_count == 0 && config->chaos.rate <= 0.0;
}

static int succeed(void)
{
	return dprintf(STDOUT_FILENO, "result\n") > 0 ? 0 : 1;
}

enum defect {
	NO_DEFECT,
	OTHER_RESULT,
	RESULT_TWICE,
	HALF_A_RESULT,
	UNKNOWN_STATUS,
	SILENT_ERROR,
	CLEAN_ERROR,
	CRASH,
	KILLED_UNASKED,
	NO_END,
	LIVING_PROCESS,
	STOPPED_PROCESS,
	DEAD_PROCESS,
	DESCRIPTOR,
	DRAFT,
	NOT_RESUMED,
	RESUMED_TO_ANOTHER_RESULT,
	RESUMED_FOR_EVER,
};

/* Leaves a process behind that has not been waited for. */
static void leave_process(enum defect defect)
{
	siginfo_t info;
	pid_t child = fork();
	if (child == 0) {
		while (defect == LIVING_PROCESS)
			pause();
		if (defect == STOPPED_PROCESS)
			raise(SIGSTOP);
		_exit(0);
	}
	if (defect == DEAD_PROCESS)
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT);
}

static void leave_draft(const struct config *config)
{
	char path[4096];
	snprintf(path, sizeof path, "%s.forkfit-draft", config->output.model);
	fclose(fopen(path, "w"));
}

static int fail(void)
{
	dprintf(STDERR_FILENO, "coordinator: a worker was lost\n");
	return 4;
}

static int resume_with(enum defect defect)
{
	while (defect == RESUMED_FOR_EVER)
		pause();
	if (defect == RESUMED_TO_ANOTHER_RESULT)
		return dprintf(STDOUT_FILENO, "resulu\n") > 0 ? 0 : 1;
	return defect == NOT_RESUMED ? fail() : succeed();
}

static int run_defect(
        const struct config *config, bool resume, struct fault_log *log, struct event_sink sink, void *context)
{
	enum defect defect = *(const enum defect *)context;
	(void)log;
	(void)sink;
	if (resume)
		return resume_with(defect);
	if (is_without_faults(config))
		return succeed();
	switch (defect) {
	case OTHER_RESULT:
		return dprintf(STDOUT_FILENO, "resulu\n") > 0 ? 0 : 1;
	case RESULT_TWICE:
		return succeed() + succeed();
	case HALF_A_RESULT:
		return dprintf(STDOUT_FILENO, "res") > 0 ? 0 : 1;
	case UNKNOWN_STATUS:
		dprintf(STDERR_FILENO, "coordinator: what now?\n");
		return 99;
	case SILENT_ERROR:
		return 4;
	case CLEAN_ERROR:
	case NOT_RESUMED:
	case RESUMED_TO_ANOTHER_RESULT:
	case RESUMED_FOR_EVER:
		return fail();
	case CRASH:
		signal(SIGSEGV, SIG_DFL); /* a sanitizer would make an exit of it */
		raise(SIGSEGV);
		break;
	case KILLED_UNASKED:
		raise(SIGKILL);
		break;
	case NO_END:
		while (true)
			pause();
	case LIVING_PROCESS:
	case STOPPED_PROCESS:
	case DEAD_PROCESS:
		leave_process(defect);
		break;
	case DESCRIPTOR:
		if (dup(STDIN_FILENO) < 0)
			return 1;
		break;
	case DRAFT:
		leave_draft(config);
		break;
	case NO_DEFECT:
		break;
	}
	return succeed();
}

struct outcome {
	bool done;
	struct campaign_tally tally;
	struct error error;
	char *failures; /* the directory for them, which may not be there */
};

/* An empty place for failures; the caller frees it. */
static char *make_place(void)
{
	static const char template[] = "/tmp/forkfit-unit-XXXXXX";
	char *place = malloc(sizeof template + strlen("/failures"));
	memcpy(place, template, sizeof template);
	cr_assert_not_null(mkdtemp(place));
	return strcat(place, "/failures");
}

static struct outcome run_campaign(enum defect defect, uint64_t runs, uint32_t jobs)
{
	struct outcome outcome = {.failures = make_place()};
	struct campaign_options options = {runs, 1, jobs, outcome.failures, true};
	struct campaign_program program = {run_defect, &defect};
	struct config config;
	cr_redirect_stderr();
	cr_assert(config_read("configs/campaign.json", NULL, 0, &config, &outcome.error), "%s", outcome.error.message);
	outcome.done = campaign_run(&config, &options, &program, &outcome.tally, &outcome.error);
	config_release(&config);
	return outcome;
}

/* Removes a directory with the files in it. Returns how many there were, or -1: there was no directory. */
static int remove_directory(const char *path)
{
	int count = 0;
	DIR *directory = opendir(path);
	if (directory == NULL)
		return -1;
	for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
		count += unlinkat(dirfd(directory), entry->d_name, 0) == 0;
	closedir(directory);
	rmdir(path);
	return count;
}

/* Returns the number of failure files, as above. */
static int release(struct outcome *outcome)
{
	int files = remove_directory(outcome->failures);
	*strrchr(outcome->failures, '/') = '\0';
	rmdir(outcome->failures);
	free(outcome->failures);
	return files;
}

struct defect_row {
	char name[20];
	enum defect defect;
	enum verdict verdict;
};

ParameterizedTestParameters(campaign, finds_the_defect)
{
	static struct defect_row rows[] = {
	        {"none", NO_DEFECT, VERDICT_IDENTICAL},
	        {"other result", OTHER_RESULT, VERDICT_WRONG},
	        {"result twice", RESULT_TWICE, VERDICT_WRONG},
	        {"half a result", HALF_A_RESULT, VERDICT_WRONG},
	        {"unknown status", UNKNOWN_STATUS, VERDICT_WRONG},
	        {"silent error", SILENT_ERROR, VERDICT_WRONG},
	        {"clean error", CLEAN_ERROR, VERDICT_CLEAN_ERROR},
	        {"crash", CRASH, VERDICT_WRONG},
	        {"killed unasked", KILLED_UNASKED, VERDICT_WRONG},
	        {"no end", NO_END, VERDICT_HANG},
	        {"living process", LIVING_PROCESS, VERDICT_LEAK},
	        {"stopped process", STOPPED_PROCESS, VERDICT_LEAK},
	        {"dead process", DEAD_PROCESS, VERDICT_LEAK},
	        {"descriptor", DESCRIPTOR, VERDICT_LEAK},
	        {"draft", DRAFT, VERDICT_LEAK},
	        {"not resumed", NOT_RESUMED, VERDICT_WRONG},
	        {"another result", RESUMED_TO_ANOTHER_RESULT, VERDICT_WRONG},
	        {"resumed for ever", RESUMED_FOR_EVER, VERDICT_HANG},
	};
	return cr_make_param_array(struct defect_row, rows, sizeof rows / sizeof *rows);
}

ParameterizedTest(struct defect_row *row, campaign, finds_the_defect)
{
	struct outcome outcome = run_campaign(row->defect, 3, 3);
	bool fails = verdict_is_failure(row->verdict);
	cr_assert_eq(outcome.tally.verdicts[row->verdict], 3, "%s", row->name);
	cr_assert_eq(outcome.tally.runs, 3);
	cr_assert_eq(outcome.tally.resumed, outcome.tally.verdicts[VERDICT_CLEAN_ERROR], "%s", row->name);
	cr_assert_eq(outcome.done, !fails);
	if (fails)
		cr_assert_eq(outcome.error.code, EXIT_CAMPAIGN_FAILED);
	/* A configuration and an explanation each. */
	cr_assert_eq(release(&outcome), fails ? 6 : -1, "%s", row->name);
}

static int count_processes_left(void)
{
	int count = 0;
	while (waitpid(-1, NULL, WNOHANG) >= 0)
		count++;
	return errno == ECHILD ? count : -1;
}

Test(campaign, ends_what_a_run_has_left)
{
	struct outcome outcome = run_campaign(LIVING_PROCESS, 5, 2);
	cr_assert_eq(count_processes_left(), 0);
	release(&outcome);
}

/* More runs than jobs, and fewer. */
Test(campaign, runs_as_many_as_it_is_told)
{
	for (uint64_t runs = 1; runs <= 20; runs += 19) {
		struct outcome outcome = run_campaign(NO_DEFECT, runs, 4);
		cr_assert_eq(outcome.tally.runs, runs);
		release(&outcome);
	}
}

static int fail_without_faults(
        const struct config *config, bool resume, struct fault_log *log, struct event_sink sink, void *context)
{
	(void)config;
	(void)resume;
	(void)log;
	(void)sink;
	(void)context;
	dprintf(STDERR_FILENO, "coordinator: no such column\n");
	return EXIT_BAD_CONFIGURATION;
}

Test(campaign, needs_a_run_without_faults_that_succeeds)
{
	struct campaign_options options = {10, 1, 2, "/nowhere", true};
	struct campaign_program program = {fail_without_faults, NULL};
	struct campaign_tally tally;
	struct config config;
	struct error error;
	cr_assert(config_read("configs/campaign.json", NULL, 0, &config, &error));
	cr_assert_not(campaign_run(&config, &options, &program, &tally, &error));
	cr_assert_eq(error.code, EXIT_BAD_CONFIGURATION);
	cr_assert_str_eq(error.message, "the run without faults failed: coordinator: no such column");
	cr_assert_eq(tally.runs, 0);
	config_release(&config);
}

/* Says it has done so, as an injection does, and dies. */
static int die_as_asked(
        const struct config *config, bool resume, struct fault_log *log, struct event_sink sink, void *context)
{
	struct fault fault = fault_default(FAULT_KILL);
	(void)resume;
	(void)sink;
	(void)context;
	if (is_without_faults(config))
		return succeed();
	fault.site = SITE_COORDINATOR_EPOCH;
	fault_log_put(log, &fault, getpid());
	raise(SIGKILL);
	return 1;
}

Test(campaign, knows_the_faults_of_a_coordinator_that_is_dead)
{
	struct campaign_options options = {4, 1, 2, "/nowhere", true};
	struct campaign_program program = {die_as_asked, NULL};
	struct campaign_tally tally;
	struct config config;
	struct error error;
	cr_assert(config_read("configs/campaign.json", NULL, 0, &config, &error));
	cr_assert(campaign_run(&config, &options, &program, &tally, &error));
	cr_assert_eq(tally.killed, 4);
	cr_assert_eq(tally.resumed, 4);
	cr_assert_eq(tally.cells[FAULT_KILL][SITE_COORDINATOR_EPOCH].fired, 4);
	config_release(&config);
}
