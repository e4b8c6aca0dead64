#include "coordinator/campaign_job.h"

#include "common/clock.h"
#include "common/mapping.h"
#include "coordinator/campaign_schedule.h"
#include "coordinator/containment.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SECOND_NS UINT64_C(1000000000)

/* A machine with other work to do takes longer; a run that takes so many times as long as its like does not end. */
enum { REFERENCES_PER_HANG = 20 };

/* Above the few seconds which a coordinator gives workers that do not leave at STOP. */
#define SLACK_NS (5 * SECOND_NS)

/* Faults beyond these buy no more time: a run that is struck for ever hangs too. */
enum { FAULTS_COUNTED = 1000 };

/* Workers of a coordinator that was killed are killed by the kernel, as soon as it comes to that. */
#define ORPHANS_GRACE_NS (2 * SECOND_NS)

static bool out_of_memory(struct error *error)
{
	return error_set(error, EXIT_OS_ERROR, "out of memory");
}

/* "directory/name", to be freed. NULL: no memory. */
static char *join(const char *directory, const char *name)
{
	size_t size = strlen(directory) + 1 + strlen(name) + 1;
	char *path = malloc(size);
	if (path != NULL)
		snprintf(path, size, "%s/%s", directory, name);
	return path;
}

static bool make_directory(struct campaign_job *job, struct error *error)
{
	const char *parent = getenv("TMPDIR");
	job->directory = join(parent != NULL && parent[0] != '\0' ? parent : "/tmp", "forkfit-campaign-XXXXXX");
	if (job->directory == NULL)
		return out_of_memory(error);
	if (mkdtemp(job->directory) == NULL) {
		error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot make the directory %s", job->directory);
		free(job->directory);
		job->directory = NULL;
		return false;
	}
	job->files = opendir(job->directory);
	if (job->files == NULL)
		return error_set_errno(error, EXIT_OS_ERROR, "cannot open the directory %s", job->directory);
	job->model = join(job->directory, CAMPAIGN_MODEL);
	job->events = join(job->directory, CAMPAIGN_EVENTS);
	job->checkpoint = join(job->directory, CAMPAIGN_CHECKPOINT);
	return (job->model != NULL && job->events != NULL && job->checkpoint != NULL) || out_of_memory(error);
}

bool campaign_job_init(struct campaign_job *job, const struct campaign_program *program, const struct config *config,
        struct error *error)
{
	*job = (struct campaign_job){.program = *program, .output = tmpfile(), .messages = tmpfile()};
	bool ready = job->output != NULL && job->messages != NULL;
	if (!ready)
		error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot make a temporary file");
	if (ready) {
		job->window = mapping_share(sizeof *job->window);
		ready = job->window != NULL || out_of_memory(error);
	}
	if (ready && (config->output.model != NULL || config->output.events != NULL || config->checkpoint.path != NULL))
		ready = make_directory(job, error);
	if (!ready)
		campaign_job_release(job);
	return ready;
}

void campaign_job_release(struct campaign_job *job)
{
	if (job->output != NULL)
		fclose(job->output);
	if (job->messages != NULL)
		fclose(job->messages);
	if (job->window != NULL)
		mapping_unshare(job->window, sizeof *job->window);
	campaign_job_clear(job);
	if (job->files != NULL)
		closedir(job->files);
	if (job->directory != NULL)
		rmdir(job->directory);
	fault_log_free(job->log);
	free(job->directory);
	free(job->model);
	free(job->events);
	free(job->checkpoint);
	free(job->fired);
	*job = (struct campaign_job){.running = false};
}

/* In the run's process. */

static void note_epochs(void *context, const struct event *event)
{
	struct campaign_window *window = context;
	if (event->type == EVENT_RUN_ENDED)
		window->epochs = event->epoch;
}

static int run(void *context)
{
	struct campaign_job *job = context;
	struct event_sink sink = {.handle = note_epochs, .context = job->window};
	struct config config = job->resumed ? campaign_without_faults(&job->config) : job->config;
	int status = job->program.run(&config, job->resumed, job->log, sink, job->program.context);
	job->window->descriptors = containment_descriptors();
	return status;
}

static bool empty(FILE *file)
{
	return ftruncate(fileno(file), 0) == 0 && lseek(fileno(file), 0, SEEK_SET) == 0;
}

static bool start(struct campaign_job *job, struct error *error)
{
	*job->window = (struct campaign_window){.descriptors = -1};
	job->timed_out = false;
	if (!empty(job->output) || !empty(job->messages))
		return error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot empty a temporary file");
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (input < 0)
		return error_set_errno(error, EXIT_OS_ERROR, "cannot open /dev/null");
	struct process_run process_run = {input, fileno(job->output), fileno(job->messages), run, job};
	job->began_ns = clock_now_ns();
	job->running = process_start_run(&job->process, &process_run, error);
	close(input);
	return job->running;
}

bool campaign_job_start(struct campaign_job *job, const struct config *config, struct error *error)
{
	job->config = *config;
	job->config.output.model = config->output.model != NULL ? job->model : NULL;
	job->config.output.events = config->output.events != NULL ? job->events : NULL;
	job->config.output.trace = NULL;
	job->config.output.report = NULL;
	job->config.output.faults = NULL;
	job->config.checkpoint.path = config->checkpoint.path != NULL ? job->checkpoint : NULL;
	job->resumed = false;
	job->taken = 0;
	job->fired_count = 0;
	fault_log_free(job->log);
	job->log = fault_log_new();
	return job->log != NULL ? start(job, error) : out_of_memory(error);
}

bool campaign_job_resume(struct campaign_job *job, struct error *error)
{
	job->resumed = true;
	return start(job, error);
}

uint64_t campaign_job_deadline_ns(const struct campaign_job *job, uint64_t reference_ns)
{
	if (reference_ns == 0)
		return UINT64_MAX;
	uint64_t faults = job->fired_count < FAULTS_COUNTED ? job->fired_count : FAULTS_COUNTED;
	uint64_t timeout_ns = (uint64_t)(job->config.recovery.worker_timeout_s * 1e9);
	return job->began_ns + SLACK_NS + (REFERENCES_PER_HANG + faults) * reference_ns + faults * timeout_ns;
}

/* `last`: the run has ended. False: no memory. */
static bool take_fired(struct campaign_job *job, bool last)
{
	struct fault_record record;
	for (;;) {
		if (job->fired_count == job->fired_capacity) {
			size_t capacity = job->fired_capacity * 2 + 16;
			struct fault *more = realloc(job->fired, capacity * sizeof *more);
			if (more == NULL)
				return false;
			job->fired = more;
			job->fired_capacity = capacity;
		}
		if (!fault_log_take(job->log, &job->taken, last, &record))
			return true;
		job->fired[job->fired_count++] = record.fault;
	}
}

static void kill_run(struct campaign_job *job)
{
	process_kill_group(job->process.pid);
	while (!process_reap_until(&job->process, clock_now_ns() + SECOND_NS, &job->status))
		;
}

/* Its coordinator has been reaped. */
static void conclude(struct campaign_job *job, pid_t leader)
{
	job->ended_ns = clock_now_ns();
	job->running = false;
	/* Whose coordinator ended by itself have been waited for by it. */
	uint64_t grace_ns = WIFSIGNALED(job->status) ? ORPHANS_GRACE_NS : 0;
	job->rest = process_end_group(leader, clock_now_ns() + grace_ns);
}

bool campaign_job_watch(struct campaign_job *job, uint64_t reference_ns, bool *ended, struct error *error)
{
	/* Asked for first: reaping forgets it. */
	pid_t leader = job->process.pid;
	*ended = process_try_reap(&job->process, &job->status);
	bool taken = take_fired(job, *ended);
	if (!*ended && clock_now_ns() > campaign_job_deadline_ns(job, reference_ns)) {
		job->timed_out = *ended = true;
		kill_run(job);
	}
	if (*ended)
		conclude(job, leader);
	return taken || out_of_memory(error);
}

void campaign_job_clear(const struct campaign_job *job)
{
	if (job->files == NULL)
		return;
	rewinddir(job->files);
	for (const struct dirent *entry; (entry = readdir(job->files)) != NULL;)
		unlinkat(dirfd(job->files), entry->d_name, 0);
}

void campaign_job_abandon(struct campaign_job *job)
{
	pid_t leader = job->process.pid;
	if (!job->running)
		return;
	kill_run(job);
	process_end_group(leader, 0);
	job->running = false;
}
