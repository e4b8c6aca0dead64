/* Isolation in whole runs: what a worker's death does to the result, and what limits do. */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *directory;

static void enter(void)
{
	directory = directory_new();
}

static void leave(void)
{
	directory_remove(directory);
	free(directory);
}

TestSuite(isolation, .init = enter, .fini = leave, .timeout = 120);

static char *data_path(const char *name)
{
	return path_join(directory, name);
}

static double noise(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (double)(*state >> 11) / 9007199254740992.0;
}

/* A CSV of two features and a target. */
static void write_csv(const char *path, size_t rows)
{
	FILE *file = fopen(path, "w");
	uint64_t state = 1;
	cr_assert(file != NULL);
	fputs("a,b,y\n", file);
	for (size_t i = 0; i < rows; i++) {
		double a = noise(&state), b = noise(&state);
		fprintf(file, "%.9f,%.9f,%.9f\n", a, b, 3 * a - b + 0.1 * noise(&state));
	}
	cr_assert_eq(fclose(file), 0);
}

/* A C-ordered <f8 array of rows × columns. */
static void write_npy(const char *path, size_t rows, size_t columns)
{
	char header[118];
	uint64_t state = 2;
	FILE *file = fopen(path, "wb");
	cr_assert(file != NULL);
	int length = snprintf(header, sizeof header, "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu, %zu), }",
	        rows, columns);
	fwrite("\223NUMPY\1\0\166\0", 1, 10, file); /* 118 bytes follow, so that the data begins at 128 */
	fprintf(file, "%-117s\n", header);
	cr_assert(length > 0);
	for (size_t i = 0; i < rows * columns; i++) {
		double number = noise(&state);
		fwrite(&number, sizeof number, 1, file);
	}
	cr_assert_eq(fclose(file), 0);
}

/* The program's arguments: a configuration of nothing but the dataset, and up to five settings. */
struct arguments {
	char configuration[4096];
	const char *argv[20];
};

static const char *const *arguments_set(struct arguments *arguments, const char *data, const char *const settings[])
{
	size_t count = 0;
	snprintf(arguments->configuration, sizeof arguments->configuration, "%s/run.json", directory);
	char text[4200];
	snprintf(text, sizeof text, "{ \"dataset\": { \"path\": \"%s\" } }\n", data);
	file_write(arguments->configuration, text);
	arguments->argv[count++] = coordinator_path();
	arguments->argv[count++] = "--config";
	arguments->argv[count++] = arguments->configuration;
	for (size_t i = 0; settings[i] != NULL; i++) {
		arguments->argv[count++] = "--set";
		arguments->argv[count++] = settings[i];
	}
	arguments->argv[count] = NULL;
	return arguments->argv;
}

#define SETTINGS(...) ((const char *const[]){__VA_ARGS__, NULL})

static struct run_result run_on(const char *data, const char *const settings[])
{
	struct arguments arguments;
	return run_program(arguments_set(&arguments, data, settings), NULL);
}

static struct run *start_on(const char *data, const char *const settings[])
{
	struct arguments arguments;
	return run_start(arguments_set(&arguments, data, settings), NULL);
}

/* Long enough to do something to it, in epochs of a few microseconds each. */
#define LONG_RUN "training.tolerance=0", "training.epochs=3000"

/* Waits until training is going on, and finds the two workers. */
static void await_epochs(struct run *run, const char *events, struct process workers[2])
{
	cr_assert(file_wait_for_text(events, "\"epoch_done\"", 20));
	cr_assert_eq(processes_of_parent(run_pid(run), workers, 2), 2);
}

Test(isolation, a_fault_in_a_worker_is_named_and_survived_with_the_same_bits)
{
	char *data = data_path("data.csv"), *events = data_path("events.jsonl");
	char log[4200];
	struct process workers[2];
	/* AddressSanitizer takes SIGSEGV for a finding of its own. */
	int number = HARNESS_SANITIZED ? SIGKILL : SIGSEGV;
	write_csv(data, 5000);
	snprintf(log, sizeof log, "output.events=%s", events);
	struct run_result calm = run_on(data, SETTINGS("workers=2", LONG_RUN));
	struct run *run = start_on(data, SETTINGS("workers=2", LONG_RUN, log));
	await_epochs(run, events, workers);
	cr_assert_eq(kill(workers[0].pid, number), 0);
	struct run_result faulty = run_finish(run);
	cr_expect_eq(faulty.exit_code, 0, "%s", faulty.err);
	cr_expect_str_eq(faulty.out, calm.out);
	cr_expect(strstr(faulty.err, HARNESS_SANITIZED ? "was killed by SIGKILL" : "was killed by SIGSEGV") != NULL,
	        "%s", faulty.err);
	cr_expect(strstr(faulty.err, "is replaced by pid") != NULL, "%s", faulty.err);
	run_result_release(&calm);
	run_result_release(&faulty);
	free(data);
	free(events);
}

/* Catches the mutations new_privileges and no_filter. */
Test(isolation, is_on_unless_it_is_turned_off_and_changes_no_bit)
{
	char *data = data_path("data.csv"), *events = data_path("events.jsonl");
	char log[4200], *outputs[2];
	write_csv(data, 5000);
	snprintf(log, sizeof log, "output.events=%s", events);
	for (int off = 0; off < 2; off++) {
		struct process workers[2];
		char path[64];
		struct run *run = start_on(data, SETTINGS("workers=2", LONG_RUN, log,
		                                         off ? "isolation.enabled=false" : "recovery.max_restarts=0"));
		await_epochs(run, events, workers);
		snprintf(path, sizeof path, "/proc/%ld/status", (long)workers[1].pid);
		char *status = file_read(path, NULL);
		cr_expect(strstr(status, off || HARNESS_SANITIZED ? "\nSeccomp:\t0\n" : "\nSeccomp:\t2\n") != NULL,
		        "%s", status);
		cr_expect(strstr(status, off ? "\nNoNewPrivs:\t0\n" : "\nNoNewPrivs:\t1\n") != NULL, "%s", status);
		free(status);
		struct run_result result = run_finish(run);
		cr_expect_eq(result.exit_code, 0, "%s", result.err);
		outputs[off] = strdup(result.out);
		run_result_release(&result);
		cr_assert_eq(remove(events), 0);
	}
	cr_expect_str_eq(outputs[0], outputs[1]);
	free(outputs[0]);
	free(outputs[1]);
	free(data);
	free(events);
}

/* Less memory than a chunk has bytes. */
static void compare_with_little_memory(const char *data, const char *limit)
{
	struct run_result plenty = run_on(data, SETTINGS("workers=2", "training.epochs=5"));
	struct run_result little = run_on(data, SETTINGS("workers=2", "training.epochs=5", limit));
	cr_assert_eq(plenty.exit_code, 0, "%s", plenty.err);
	cr_expect_eq(little.exit_code, 0, "%s: %s", limit, little.err);
	cr_expect_str_eq(little.out, plenty.out);
	run_result_release(&plenty);
	run_result_release(&little);
}

Test(isolation, an_npy_array_larger_than_the_memory_limit_gives_the_same_bits)
{
	char *data = data_path("data.npy");
	write_npy(data, 400000, 5); /* 16 MB, 8 for each worker */
	compare_with_little_memory(data, "isolation.max_memory_mb=2");
	compare_with_little_memory(data, "isolation.max_memory_mb=7");
	free(data);
}

Test(isolation, a_csv_larger_than_the_memory_limit_gives_the_same_bits)
{
	char *data = data_path("data.csv");
	write_csv(data, 100000); /* 3.6 MB, and parsed 2.4 */
	compare_with_little_memory(data, "isolation.max_memory_mb=1");
	compare_with_little_memory(data, "isolation.max_memory_mb=2");
	free(data);
}

Test(isolation, a_memory_limit_that_is_too_low_is_named)
{
	if (HARNESS_SANITIZED)
		cr_skip_test("address space is not limited under a sanitizer");
	char *data = data_path("wide.npy");
	write_npy(data, 4, 20000); /* the nodes' vectors alone take 4 MB */
	struct run_result result = run_on(data, SETTINGS("workers=2", "isolation.max_memory_mb=1"));
	cr_expect_eq(result.exit_code, 4);
	cr_expect(strstr(result.err, "Cannot allocate memory") != NULL, "%s", result.err);
	cr_expect(strstr(result.err, "isolation.max_memory_mb allows it 1 MiB") != NULL, "%s", result.err);
	run_result_release(&result);
	free(data);
}

Test(isolation, a_worker_over_its_processor_time_is_named)
{
	char *data = data_path("data.csv");
	write_csv(data, 5000);
	struct run_result result =
	        run_on(data, SETTINGS("workers=2", "training.tolerance=0", "training.epochs=100000000",
	                             "isolation.max_cpu_s=1", "recovery.policy=abort"));
	cr_expect_eq(result.exit_code, 4);
	cr_expect(strstr(result.err, "was killed by SIGXCPU") != NULL, "%s", result.err);
	run_result_release(&result);
	free(data);
}
