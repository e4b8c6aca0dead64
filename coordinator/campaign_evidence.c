#include "coordinator/campaign_evidence.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static bool cannot_read(struct error *error)
{
	return error_set_errno(error, EXIT_OS_ERROR, "cannot read what a run has written");
}

/* Reads all of a file from its begin, with a NUL behind. NULL: errno says why. */
static char *read_whole(int descriptor, size_t *length)
{
	struct stat status;
	if (fstat(descriptor, &status) != 0)
		return NULL;
	size_t size = (size_t)status.st_size;
	char *bytes = malloc(size + 1);
	for (*length = 0; bytes != NULL && *length < size;) {
		ssize_t got = pread(descriptor, bytes + *length, size - *length, (off_t)*length);
		if (got <= 0) {
			free(bytes);
			return NULL;
		}
		*length += (size_t)got;
	}
	if (bytes != NULL)
		bytes[size] = '\0';
	return bytes;
}

static char *read_output(const struct campaign_job *job, size_t *length)
{
	return read_whole(fileno(job->output), length);
}

char *campaign_evidence_messages(const struct campaign_job *job, size_t *length)
{
	return read_whole(fileno(job->messages), length);
}

/* *bytes becomes NULL where there is no such file. False: it is there and cannot be read. */
static bool read_model(const struct campaign_job *job, char **bytes, size_t *length)
{
	*bytes = NULL;
	*length = 0;
	if (job->config.output.model == NULL)
		return true;
	int descriptor = open(job->model, O_RDONLY | O_CLOEXEC);
	if (descriptor < 0)
		return errno == ENOENT;
	*bytes = read_whole(descriptor, length);
	close(descriptor);
	return *bytes != NULL;
}

/* The reference. */

static bool report_failure(const struct campaign_job *job, struct error *error)
{
	size_t length;
	char *messages = campaign_evidence_messages(job, &length);
	if (messages == NULL)
		return cannot_read(error);
	messages[strcspn(messages, "\n")] = '\0';
	char status[96];
	process_status_text(job->status, status, sizeof status);
	bool exited = WIFEXITED(job->status) && WEXITSTATUS(job->status) != EXIT_OK;
	/* The codes mean the same here. */
	error_set(error, exited ? (enum exit_code)WEXITSTATUS(job->status) : EXIT_OS_ERROR,
	        "the run without faults %s: %s", exited ? "failed" : status, messages);
	free(messages);
	return false;
}

bool campaign_reference_take(const struct campaign_job *job, struct campaign_reference *reference, struct error *error)
{
	*reference = (struct campaign_reference){
	        .descriptors = job->window->descriptors,
	        .epochs = job->window->epochs,
	        .took_ns = job->ended_ns - job->began_ns,
	};
	if (!WIFEXITED(job->status) || WEXITSTATUS(job->status) != EXIT_OK)
		return report_failure(job, error);
	reference->output = read_output(job, &reference->output_length);
	if (reference->output == NULL || !read_model(job, &reference->model, &reference->model_length)) {
		cannot_read(error);
		campaign_reference_release(reference);
		return false;
	}
	campaign_job_clear(job);
	return true;
}

void campaign_reference_release(struct campaign_reference *reference)
{
	free(reference->output);
	free(reference->model);
	*reference = (struct campaign_reference){.output = NULL};
}

/* The evidence. */

static bool killed_by_fault(const struct campaign_job *job)
{
	if (job->resumed)
		return false;
	for (size_t i = 0; i < job->fired_count; i++)
		if (job->fired[i].kind == FAULT_KILL && !fault_site_is_workers(job->fired[i].site))
			return WIFSIGNALED(job->status) && WTERMSIG(job->status) == SIGKILL;
	return false;
}

static bool same(const char *a, size_t a_length, const char *b, size_t b_length)
{
	return a_length == b_length && memcmp(a, b, a_length) == 0;
}

/* Of a success both outputs must be there; of a run that was killed, those that are there must be whole. */
static bool look_at_result(
        const struct campaign_job *job, const struct campaign_reference *reference, struct evidence *evidence)
{
	size_t output_length, model_length;
	char *output = read_output(job, &output_length), *model = NULL;
	bool readable = output != NULL && read_model(job, &model, &model_length);
	if (readable) {
		bool partial = evidence->was_signalled;
		bool same_output = (partial && output_length == 0) ||
		                   same(output, output_length, reference->output, reference->output_length);
		bool same_model =
		        model == NULL ? partial || reference->model == NULL
		                      : reference->model != NULL &&
		                                same(model, model_length, reference->model, reference->model_length);
		evidence->has_result = output_length > 0 || model != NULL;
		evidence->result_is_same = same_output && same_model;
	}
	free(output);
	free(model);
	return readable;
}

static bool look_at_messages(const struct campaign_job *job, struct evidence *evidence)
{
	static const char ours[] = "coordinator: ";
	size_t length;
	char *messages = campaign_evidence_messages(job, &length);
	if (messages == NULL)
		return false;
	for (size_t i = 0; i < length; i++)
		evidence->message_lines += messages[i] == '\n' || i + 1 == length;
	evidence->message_is_ours = strncmp(messages, ours, sizeof ours - 1) == 0;
	free(messages);
	return true;
}

static bool is_expected(const char *name, const struct evidence *evidence)
{
	/* Where a file system has none without a name, a killed coordinator leaves a draft, and the next takes it over.
	 */
	return strcmp(name, CAMPAIGN_MODEL) == 0 || strcmp(name, CAMPAIGN_EVENTS) == 0 ||
	       strcmp(name, CAMPAIGN_CHECKPOINT) == 0 || strcmp(name, CAMPAIGN_CHECKPOINT_BEFORE) == 0 ||
	       (evidence->kill_was_asked && strstr(name, ".forkfit-draft") != NULL);
}

static void look_at_files(const struct campaign_job *job, struct evidence *evidence)
{
	if (job->files == NULL)
		return;
	rewinddir(job->files);
	for (const struct dirent *entry; (entry = readdir(job->files)) != NULL;) {
		bool is_dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
		if (is_dots || is_expected(entry->d_name, evidence))
			continue;
		evidence->files++;
		snprintf(evidence->file_name, sizeof evidence->file_name, "%.*s", (int)sizeof evidence->file_name - 1,
		        entry->d_name);
	}
}

bool campaign_evidence_take(const struct campaign_job *job, const struct campaign_reference *reference,
        struct evidence *evidence, struct error *error)
{
	bool exited = WIFEXITED(job->status);
	*evidence = (struct evidence){
	        .timed_out = job->timed_out,
	        .was_signalled = !exited,
	        .status = exited ? WEXITSTATUS(job->status) : WTERMSIG(job->status),
	        .kill_was_asked = killed_by_fault(job),
	        .is_resumed = job->resumed,
	        .may_degrade = job->config.recovery.policy == RECOVERY_DROP,
	        /* Who was killed could not wait for anybody. */
	        .processes = job->rest.alive + (exited ? job->rest.dead : 0),
	};
	if (exited && job->window->descriptors >= 0)
		evidence->descriptors = job->window->descriptors - reference->descriptors;
	look_at_files(job, evidence);
	if (look_at_result(job, reference, evidence) && look_at_messages(job, evidence))
		return true;
	return cannot_read(error);
}
