/*
 * For tests that run the program from outside: start it, act while it runs, and look at everything it leaves: output,
 * status, processes, files.
 *
 * A program started here is the leader of its own session, so that whatever it forks can be found by that session; it
 * has descriptors 0, 1 and 2 and no others, every signal at its default, and dies with the test. Whatever the harness
 * itself cannot do (fork, read a file, parse JSON) fails the test. Nothing asserts in a forked child.
 *
 * The life of a run: run_start, run_wait_for_text / run_signal / …, run_finish, run_result_release; or run_program for
 * start and finish in one.
 */
#ifndef FORKFIT_TESTS_END_TO_END_HARNESS_H
#define FORKFIT_TESTS_END_TO_END_HARNESS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/*
 * True in a build with AddressSanitizer. Its shadow takes terabytes of address space, so that a test with RLIMIT_AS
 * has to be skipped. Under strace its search for leaks cannot work: such a test gives the program
 * "LSAN_OPTIONS=detect_leaks=0".
 */
#if defined(__SANITIZE_ADDRESS__)
#define HARNESS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HARNESS_SANITIZED 1
#endif
#endif
#ifndef HARNESS_SANITIZED
#define HARNESS_SANITIZED 0
#endif

/* The program under test, as an absolute path: $FORKFIT_COORDINATOR, or build/coordinator. */
const char *coordinator_path(void);

/* What the tests have beside it, "…/tests/name", and "LD_PRELOAD=" with that behind it; to be freed. */
char *coordinator_test_path(const char *name);
char *coordinator_preload(const char *shim);

/* An argument vector: RUN_ARGV(coordinator_path(), "--config", "run.json") */
#define RUN_ARGV(...) ((const char *const[]){__VA_ARGS__, NULL})

struct run_limit {
	int resource; /* RLIMIT_…; soft and hard limit are set */
	rlim_t value;
};

/* Zero is the default for each field. */
struct run_options {
	const char *directory;          /* working directory; NULL: where the tests run */
	const char *const *environment; /* up to a NULL: "NAME=value" sets, "NAME" alone unsets */
	const char *input;              /* text on standard input; NULL: /dev/null */
	const char *output_path;        /* standard output goes to this file; NULL: it is captured */
	const struct run_limit *limits;
	size_t limit_count;
	double timeout_s; /* since the start; then the whole process group is killed. 0: RUN_TIMEOUT_S */
};

/* Longer than any run in the tests takes even under sanitizers, and below the limit of run_tests.sh for a test. */
#define RUN_TIMEOUT_S 60.0

struct run_result {
	pid_t pid;        /* of the program, and the number of its session */
	int status;       /* as waitpid gave it */
	int exit_code;    /* -1: ended by a signal */
	int signal;       /* 0: exited */
	bool timed_out;   /* killed by the harness */
	double seconds;   /* from start to end */
	size_t survivors; /* processes of its session, zombies aside, that were there when it had ended */
	char *out;        /* standard output, with a NUL behind */
	size_t out_length;
	char *err; /* standard error, with a NUL behind */
	size_t err_length;
};

struct run;
enum run_stream { RUN_OUT, RUN_ERR };

/* argv[0] is searched in PATH if it has no slash, and else taken from the tests' directory. options may be NULL. */
struct run *run_start(const char *const argv[], const struct run_options *options);
pid_t run_pid(const struct run *run);
/* Waits until the text has appeared in the stream. False: not within that time. */
bool run_wait_for_text(struct run *run, enum run_stream stream, const char *text, double seconds);
/* Sends a signal to the program alone. */
void run_signal(struct run *run, int number);
/* Waits for the end or the timeout, and frees the run. */
struct run_result run_finish(struct run *run);
struct run_result run_program(const char *const argv[], const struct run_options *options);
void run_result_release(struct run_result *result);

/* Asks again every few milliseconds until the condition holds. False: not within that time. */
bool wait_until(bool (*holds)(void *context), void *context, double seconds);

struct process {
	pid_t pid;
	pid_t parent;
	pid_t session;
	char state;    /* as in /proc/pid/stat: R, S, D, T, Z, … */
	char name[16]; /* of the executable, cut as the kernel does */
};

/* False: there is no such process. */
bool process_read(pid_t pid, struct process *process);
/* How many there are, zombies included; the first `capacity` of them in *found, by pid. */
size_t processes_of_parent(pid_t parent, struct process *found, size_t capacity);
size_t processes_of_session(pid_t session, struct process *found, size_t capacity);
/* Waits until nobody but zombies is left in the session. False: somebody still was, and has been killed. */
bool session_ends(pid_t session, double seconds);

/* A file's bytes with a NUL behind, to be freed. length may be NULL. */
char *file_read(const char *path, size_t *length);
bool file_exists(const char *path);
void file_write(const char *path, const char *text);
bool file_wait_for_text(const char *path, const char *text, double seconds);

/* "directory/name", to be freed. */
char *path_join(const char *directory, const char *name);
/* The path from the root on, to be freed. */
char *path_absolute(const char *path);
/* A new empty directory below $TMPDIR or /tmp, by its absolute path, to be freed. */
char *directory_new(void);
/* With everything in it. */
void directory_remove(const char *path);
/*
 * One line for each entry below the directory, in order: path, type, size, time of modification, checksum. Two texts
 * are equal if nothing has appeared, vanished or changed in between. To be freed.
 */
char *directory_snapshot(const char *path);

/* The caller decrefs what these two return. */
json_t *json_from_text(const char *text);
json_t *json_from_file(const char *path);
/* The value at a path such as "metrics.rmse" or "w[0]" below the root; it stays the root's. */
json_t *json_at(json_t *root, const char *path);
double json_number_at(json_t *root, const char *path);
const char *json_string_at(json_t *root, const char *path);

#endif
