#include "tests/end_to_end/harness.h"

#include "tests/end_to_end/harness_linux.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

struct run {
	pid_t pid;
	double started;
	double timeout_s;
	int descriptors[3]; /* input, output, errors: files without a name, or what the options said */
};

static double now(void)
{
	struct timespec reading;
	clock_gettime(CLOCK_MONOTONIC, &reading);
	return (double)reading.tv_sec + (double)reading.tv_nsec * 1e-9;
}

static void pause_briefly(void)
{
	/* Short beside anything the tests wait for, long beside a look into /proc. */
	nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

bool wait_until(bool (*holds)(void *context), void *context, double seconds)
{
	double deadline = now() + seconds;
	while (!holds(context)) {
		if (now() >= deadline)
			return false;
		pause_briefly();
	}
	return true;
}

const char *coordinator_path(void)
{
	static char *path;
	if (path == NULL) {
		const char *given = getenv("FORKFIT_COORDINATOR");
		if (given == NULL || *given == '\0')
			given = "build/coordinator";
		cr_assert(access(given, X_OK) == 0, "the program %s: %s", given, strerror(errno));
		path = path_absolute(given);
	}
	return path;
}

char *coordinator_test_path(const char *name)
{
	const char *program = coordinator_path(), *slash = strrchr(program, '/');
	size_t length = strlen(program) + strlen(name) + 16;
	char *path = malloc(length);
	cr_assert(path != NULL);
	snprintf(path, length, "%.*s/tests/%s", (int)(slash - program), program, name);
	cr_assert(file_exists(path), "there is no %s", path);
	return path;
}

char *coordinator_preload(const char *shim)
{
	char *path = coordinator_test_path(shim);
	size_t length = strlen(path) + 16;
	char *setting = malloc(length);
	cr_assert(setting != NULL);
	snprintf(setting, length, "LD_PRELOAD=%s", path);
	free(path);
	return setting;
}

static int temporary_file(void)
{
	char *directory = directory_new();
	char *path = path_join(directory, "stream");
	/* To append, so that several processes which write to it do not overwrite each other. */
	int descriptor = open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND, 0600);
	cr_assert(descriptor >= 0, "cannot create %s: %s", path, strerror(errno));
	directory_remove(directory);
	free(path);
	free(directory);
	return descriptor;
}

static void open_streams(struct run *run, const struct run_options *options)
{
	if (options->input == NULL) {
		run->descriptors[0] = open("/dev/null", O_RDONLY);
	} else {
		size_t length = strlen(options->input);
		run->descriptors[0] = temporary_file();
		cr_assert(write(run->descriptors[0], options->input, length) == (ssize_t)length);
		lseek(run->descriptors[0], 0, SEEK_SET);
	}
	if (options->output_path == NULL)
		run->descriptors[1] = temporary_file();
	else
		run->descriptors[1] = open(options->output_path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	run->descriptors[2] = temporary_file();
	for (size_t i = 0; i < 3; i++)
		cr_assert(run->descriptors[i] >= 0, "cannot open the program's stream %zu", i);
}

static bool same_name(const char *setting, const char *other)
{
	size_t length = strcspn(setting, "=");
	return strcspn(other, "=") == length && strncmp(setting, other, length) == 0;
}

/* The tests' environment with the changes; the array is to be freed, its strings are not. */
static const char **make_environment(const char *const *changes)
{
	size_t count = 0;
	size_t change_count = 0;
	while (environ[count] != NULL)
		count++;
	while (changes != NULL && changes[change_count] != NULL)
		change_count++;
	const char **result = calloc(count + change_count + 1, sizeof *result);
	cr_assert(result != NULL);
	size_t filled = 0;
	for (size_t i = 0; i < count; i++) {
		bool changed = false;
		for (size_t j = 0; j < change_count; j++)
			changed = changed || same_name(changes[j], environ[i]);
		if (!changed)
			result[filled++] = environ[i];
	}
	for (size_t j = 0; j < change_count; j++)
		if (strchr(changes[j], '=') != NULL)
			result[filled++] = changes[j];
	return result;
}

static bool restore_signals(void)
{
	sigset_t none;
	sigemptyset(&none);
	/* The numbers that may not be changed, and those that are none, fail without harm. */
	for (int number = 1; number < 65; number++)
		signal(number, SIG_DFL);
	return sigprocmask(SIG_SETMASK, &none, NULL) == 0;
}

static bool apply_limits(const struct run_options *options)
{
	for (size_t i = 0; i < options->limit_count; i++) {
		struct rlimit limit = {options->limits[i].value, options->limits[i].value};
		if (setrlimit(options->limits[i].resource, &limit) != 0)
			return false;
	}
	return true;
}

/* In the child: everything from fork to exec. Returns only if something failed, with errno. */
static void become_program(const struct run *run, const char *program, const char *const argv[],
        const char *const environment[], const struct run_options *options, pid_t parent)
{
	if (!child_dies_with(parent) || setsid() < 0 || !restore_signals())
		return;
	if (options->directory != NULL && chdir(options->directory) != 0)
		return;
	for (int stream = 0; stream < 3; stream++)
		if (dup2(run->descriptors[stream], stream) < 0)
			return;
	if (!child_keeps_only_streams() || !apply_limits(options))
		return;
	/* exec promises not to write to the strings, but its type does not say so. */
	environ = (char **)(uintptr_t)environment;
	execvp(program, (char *const *)(uintptr_t)argv);
}

static void start_child(struct run *run, const char *program, const char *const argv[], const char *const environment[],
        const struct run_options *options)
{
	int report[2];
	int failure = 0;
	pid_t parent = getpid();
	cr_assert(pipe(report) == 0, "pipe: %s", strerror(errno));
	run->started = now();
	run->pid = fork();
	if (run->pid == 0) {
		become_program(run, program, argv, environment, options, parent);
		failure = errno;
		_exit(write(report[1], &failure, sizeof failure) == (ssize_t)sizeof failure ? 127 : 126);
	}
	cr_assert(run->pid > 0, "fork: %s", strerror(errno));
	close(report[1]);
	/* The end of file comes from exec, which closes the child's end. */
	ssize_t got = read(report[0], &failure, sizeof failure);
	close(report[0]);
	if (got != 0) {
		waitpid(run->pid, NULL, 0);
		cr_assert(false, "cannot start %s: %s", argv[0], strerror(failure));
	}
}

struct run *run_start(const char *const argv[], const struct run_options *options)
{
	static const struct run_options defaults = {0};
	if (options == NULL)
		options = &defaults;
	struct run *run = calloc(1, sizeof *run);
	cr_assert(run != NULL);
	run->timeout_s = options->timeout_s > 0 ? options->timeout_s : RUN_TIMEOUT_S;
	/* A relative path would be looked up after the change of directory. */
	char *program = strchr(argv[0], '/') != NULL ? path_absolute(argv[0]) : strdup(argv[0]);
	cr_assert(program != NULL);
	open_streams(run, options);
	const char **environment = make_environment(options->environment);
	start_child(run, program, argv, environment, options);
	free(environment);
	free(program);
	return run;
}

pid_t run_pid(const struct run *run)
{
	return run->pid;
}

void run_signal(struct run *run, int number)
{
	/* Nobody has waited for it, so that its number is still its own even if it has ended. */
	cr_assert(kill(run->pid, number) == 0, "kill: %s", strerror(errno));
}

/* The text that a stream has taken so far, with a NUL behind. */
static char *captured(const struct run *run, enum run_stream stream, size_t *length)
{
	int descriptor = run->descriptors[stream == RUN_OUT ? 1 : 2];
	struct stat status;
	cr_assert(fstat(descriptor, &status) == 0);
	/* Not captured at all, if it is another kind of file. */
	size_t size = S_ISREG(status.st_mode) ? (size_t)status.st_size : 0;
	char *text = malloc(size + 1);
	cr_assert(text != NULL);
	size_t filled = 0;
	while (filled < size) {
		ssize_t got = pread(descriptor, text + filled, size - filled, (off_t)filled);
		if (got <= 0)
			break;
		filled += (size_t)got;
	}
	text[filled] = '\0';
	if (length != NULL)
		*length = filled;
	return text;
}

struct awaited_text {
	const struct run *run;
	enum run_stream stream;
	const char *text;
};

static bool text_was_written(void *context)
{
	const struct awaited_text *awaited = context;
	char *text = captured(awaited->run, awaited->stream, NULL);
	bool found = strstr(text, awaited->text) != NULL;
	free(text);
	return found;
}

bool run_wait_for_text(struct run *run, enum run_stream stream, const char *text, double seconds)
{
	struct awaited_text awaited = {run, stream, text};
	return wait_until(text_was_written, &awaited, seconds);
}

/* Waits for the end of the program; past its timeout it is killed with its process group. */
static void await_end(const struct run *run, struct run_result *result)
{
	double deadline = run->started + run->timeout_s;
	pid_t waited;
	while ((waited = waitpid(run->pid, &result->status, WNOHANG)) == 0) {
		if (now() >= deadline) {
			result->timed_out = true;
			kill(-run->pid, SIGKILL);
			waited = waitpid(run->pid, &result->status, 0);
			break;
		}
		pause_briefly();
	}
	result->seconds = now() - run->started;
	cr_assert(waited == run->pid, "waitpid: %s", strerror(errno));
}

static size_t count_living(pid_t session)
{
	struct process found[4096];
	size_t count = processes_of_session(session, found, sizeof found / sizeof found[0]);
	size_t living = 0;
	cr_assert(count <= sizeof found / sizeof found[0]);
	for (size_t i = 0; i < count; i++)
		living += found[i].state != 'Z';
	return living;
}

struct run_result run_finish(struct run *run)
{
	struct run_result result = {.pid = run->pid};
	await_end(run, &result);
	result.survivors = count_living(run->pid);
	result.exit_code = WIFEXITED(result.status) ? WEXITSTATUS(result.status) : -1;
	result.signal = WIFSIGNALED(result.status) ? WTERMSIG(result.status) : 0;
	result.out = captured(run, RUN_OUT, &result.out_length);
	result.err = captured(run, RUN_ERR, &result.err_length);
	for (size_t i = 0; i < 3; i++)
		close(run->descriptors[i]);
	free(run);
	return result;
}

struct run_result run_program(const char *const argv[], const struct run_options *options)
{
	return run_finish(run_start(argv, options));
}

void run_result_release(struct run_result *result)
{
	free(result->out);
	free(result->err);
	*result = (struct run_result){0};
}

static bool session_is_empty(void *context)
{
	return count_living(*(const pid_t *)context) == 0;
}

bool session_ends(pid_t session, double seconds)
{
	if (wait_until(session_is_empty, &session, seconds))
		return true;
	struct process found[4096];
	size_t count = processes_of_session(session, found, sizeof found / sizeof found[0]);
	for (size_t i = 0; i < count && i < sizeof found / sizeof found[0]; i++)
		kill(found[i].pid, SIGKILL);
	return false;
}
