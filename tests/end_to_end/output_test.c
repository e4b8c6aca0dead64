/* Output that cannot be written is an error, and is known before any training where that can be. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/system_calls.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(output, .init = workspace_open, .fini = workspace_close, .timeout = 60);

static void prepare(const char *output)
{
	struct table table = table_new(500, 2, 0.5, 1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	table_release(&table);
	workspace_configure("{\"dataset\": {\"path\": \"x.npy\"}, \"output\": {%s}}", output);
}

struct arguments {
	char first[16];
	char second[16];
};

ParameterizedTestParameters(output, that_finds_no_room_is_an_error)
{
	static struct arguments arguments[] = {{"--json", "--quiet"}, {"--quiet", "--quiet"}, {"--check", "--quiet"},
	        {"--help", "--quiet"}, {"--version", "--quiet"}};
	return cr_make_param_array(struct arguments, arguments, sizeof arguments / sizeof arguments[0]);
}

ParameterizedTest(struct arguments *arguments, output, that_finds_no_room_is_an_error)
{
	prepare("");
	struct run_options options = {.output_path = "/dev/full"};
	struct run_result result = workspace_run(TRAINING(arguments->first, arguments->second), &options);
	cr_expect_eq(result.exit_code, 73, "%s: exit code %d", arguments->first, result.exit_code);
	cr_expect_str_eq(result.err, "coordinator: cannot write standard output: No space left on device\n");
	cr_expect_eq(result.survivors, 0);
	run_result_release(&result);
}

static void expect_told_that_output_is_closed(const char *const argv[])
{
	struct run_result result = workspace_run(argv, NULL);
	cr_expect_eq(result.exit_code, 73, "exit code %d: %s", result.exit_code, result.err);
	cr_expect_str_eq(result.err, "coordinator: cannot write standard output: Bad file descriptor\n");
	run_result_release(&result);
}

Test(output, that_is_closed_is_an_error)
{
	prepare("\"model\": \"model\"");
#define CLOSED(ARGUMENTS) RUN_ARGV("sh", "-c", "exec \"$0\" " ARGUMENTS " >&-", coordinator_path())
	expect_told_that_output_is_closed(CLOSED("--config run.json --quiet"));
	expect_told_that_output_is_closed(CLOSED("--config run.json --quiet --json"));
	expect_told_that_output_is_closed(CLOSED("--config run.json --check"));
	expect_told_that_output_is_closed(CLOSED("--help"));
	/* The model of the first run is whole all the same. */
	expect_told_that_output_is_closed(CLOSED("predict --model model --data x.npy --quiet"));
	expect_told_that_output_is_closed(CLOSED("predict --model model --data x.npy --quiet --output p.csv"));
	expect_told_that_output_is_closed(CLOSED("generate --rows 5 --output new.npy --quiet"));
#undef CLOSED
}

struct bad_path {
	char setting[48];
	char words[96];
};

ParameterizedTestParameters(output, that_cannot_be_created_ends_the_run_before_it_begins)
{
	static struct bad_path paths[] = {
	        {"output.model=nowhere/model", "cannot write nowhere/model: No such file or directory"},
	        {"output.model=directory", "cannot write directory: it is not a regular file"},
	        {"output.model=x.npy/model", "cannot write x.npy/model: Not a directory"},
	        {"output.model=pipe", "cannot write pipe: it is not a regular file"},
	        {"output.events=nowhere/events", "cannot write nowhere/events: No such file or directory"},
	        {"output.events=directory", "cannot write directory: Is a directory"},
	};
	return cr_make_param_array(struct bad_path, paths, sizeof paths / sizeof paths[0]);
}

ParameterizedTest(struct bad_path *path, output, that_cannot_be_created_ends_the_run_before_it_begins)
{
	/* Whatever was said before would be a sign of training. */
	char expected[128];
	snprintf(expected, sizeof expected, "coordinator: %s\n", path->words);
	prepare("\"events\": \"events\"");
	cr_assert_eq(mkdir(workspace_path("directory"), 0700), 0);
	cr_assert_eq(mkfifo(workspace_path("pipe"), 0600), 0);
	struct run_result result = workspace_run(TRAINING("--set", path->setting), NULL);
	cr_expect_eq(result.exit_code, 73, "exit code %d", result.exit_code);
	cr_expect_str_eq(result.err, expected);
	cr_expect_str_eq(result.out, "");
	char *files = workspace_files();
	cr_expect_str_eq(files, "directory pipe run.json x.npy");
	free(files);
	run_result_release(&result);
}

Test(output, of_events_that_finds_no_room_is_an_error)
{
	prepare("\"model\": \"model\", \"events\": \"/dev/full\"");
	struct run_result result = workspace_run(TRAINING("--quiet"), NULL);
	cr_expect_eq(result.exit_code, 73, "exit code %d", result.exit_code);
	cr_expect_str_eq(result.err, "coordinator: cannot write /dev/full: No space left on device\n");
	run_result_release(&result);
}

Test(output, replaces_a_model_only_by_a_whole_one)
{
	prepare("\"model\": \"model\"");
	file_write(workspace_path("model"), "the old one\n");
	struct run_result failed = workspace_run(TRAINING("--quiet", "--set", "workers=501"), NULL);
	char *kept = file_read(workspace_path("model"), NULL);
	cr_expect_eq(failed.exit_code, 78);
	cr_expect_str_eq(kept, "the old one\n");
	free(kept);
	run_result_release(&failed);
	struct run_result result = workspace_run(TRAINING("--quiet", "--json"), NULL);
	char *written = file_read(workspace_path("model"), NULL);
	char *files = workspace_files();
	cr_expect_eq(result.exit_code, 0);
	cr_expect_str_eq(written, result.out);
	cr_expect_str_eq(files, "model run.json x.npy");
	free(files);
	free(written);
	run_result_release(&result);
}

struct closing {
	char redirection[24];
	bool has_output;
	bool has_errors;
};

ParameterizedTestParameters(output, is_not_mixed_up_when_streams_are_closed)
{
	static struct closing closings[] = {
	        {"<&-", true, true},
	        {">&-", false, true},
	        {"2>&-", true, false},
	        {"<&- >&- 2>&-", false, false},
	};
	return cr_make_param_array(struct closing, closings, sizeof closings / sizeof closings[0]);
}

/* A file or pipe that took the place of a closed stream would be read or written in its stead. */
ParameterizedTest(struct closing *closing, output, is_not_mixed_up_when_streams_are_closed)
{
	char script[64];
	prepare("\"model\": \"model\", \"events\": \"events\"");
	json_t *expected = TRAIN("--quiet", "--set", "output.events=null");
	char *before = file_read(workspace_path("x.npy"), NULL);
	snprintf(script, sizeof script, "exec \"$@\" %s", closing->redirection);
	struct run_result result = workspace_run(RUN_ARGV("sh", "-c", script, "sh", coordinator_path(), "--config",
	                                                 "run.json", "--set", "workers=3", "--json"),
	        NULL);
	json_t *found = json_from_file(workspace_path("model"));
	int expected_code = closing->has_output ? 0 : 73; /* the result there is lost, but no other */
	cr_expect_eq(result.exit_code, expected_code, "%s: exit code %d", closing->redirection, result.exit_code);
	cr_expect(json_equal(found, expected), "%s: another model", closing->redirection);
	cr_expect_eq(result.out_length > 0, closing->has_output, "%s: %s", closing->redirection, result.out);
	cr_expect_eq(result.err_length > 0, closing->has_errors, "%s: %s", closing->redirection, result.err);
	cr_expect_eq(result.survivors, 0);
	char *after = file_read(workspace_path("x.npy"), NULL);
	cr_expect_str_eq(after, before);
	free(after);
	free(before);
	json_decref(found);
	json_decref(expected);
	run_result_release(&result);
}

/* Where the coordinator syncs (f) and gives a name (r), a letter each. Each file is synced behind its last write. */
static void describe_publishing(const struct trace *coordinator, char *letters, size_t capacity)
{
	size_t count = 0;
	long written = -1;
	for (size_t i = 0; i < coordinator->count && count + 1 < capacity; i++) {
		const struct call *call = &coordinator->calls[i];
		if (strcmp(call->name, "write") == 0)
			written = call->first;
		if (strcmp(call->name, "rename") == 0 || (strcmp(call->name, "linkat") == 0 && call->result == 0))
			letters[count++] = 'r';
		if (strcmp(call->name, "fsync") != 0)
			continue;
		if (count == 0 || letters[count - 1] == 'f')
			cr_expect_eq(call->first, written, "%ld is synced, but %ld written", call->first, written);
		letters[count++] = 'f';
	}
	letters[count] = '\0';
}

/*
 * Only what fsync(2) has put there survives a crash of the machine, the bytes before the name and the name in its
 * directory. Catches the mutations name_not_on_disk and not_on_disk_before_its_name.
 */
Test(output, is_on_the_disk_before_it_has_its_name)
{
	enum { PROCESSES_MAX = 8 };
	struct trace traces[PROCESSES_MAX];
	char letters[32];
	struct run_options options = {.environment = (const char *const[]){"LSAN_OPTIONS=detect_leaks=0", NULL}};
	if (!system_calls_are_visible())
		cr_skip_test("processes cannot be traced here");
	prepare("\"model\": \"model\"");
	struct run_result result = workspace_run(
	        system_calls_traced(TRAINING("--quiet", "--set", "checkpoint.path=state", "--set",
	                "checkpoint.every_epochs=10", "--set", "training.epochs=20", "--set", "training.tolerance=0")),
	        &options);
	cr_expect_eq(result.exit_code, 0, "%s", result.err);
	run_result_release(&result);
	size_t count = system_calls_read(traces, PROCESSES_MAX);
	describe_publishing(&traces[0], letters, sizeof letters);
	/* Two checkpoints, each in the place of the one before; then the model. */
	cr_expect_str_eq(letters, "frrffrrffrf");
	system_calls_release(traces, count);
}

struct shared_path {
	char first[32];
	char second[32];
	char words[96];
};

ParameterizedTestParameters(output, takes_no_file_that_is_anothers)
{
	static struct shared_path paths[] = {
	        {"output.model=x.npy", "workers=2", "x.npy: output.model would overwrite the dataset"},
	        {"output.trace=link", "workers=2", "link: output.trace would overwrite the dataset"},
	        {"output.events=run.json", "workers=2", "run.json: output.events would overwrite the configuration"},
	        {"output.report=new", "output.trace=./new",
	                "new: output.trace and output.report are to be one file; give each its own"},
	        {"checkpoint.path=state", "output.model=state.previous",
	                "state.previous: the checkpoint before and output.model are to be one file; give each its own"},
	        {"checkpoint.path=old", "workers=2", "old.previous: the checkpoint before would overwrite the dataset"},
	};
	return cr_make_param_array(struct shared_path, paths, sizeof paths / sizeof paths[0]);
}

static void expect_not_taken(const struct shared_path *path, const char *option)
{
	struct run_result result = workspace_run(TRAINING(option, "--set", path->first, "--set", path->second), NULL);
	cr_expect_eq(result.exit_code, 78, "%s %s: exit code %d", option, path->first, result.exit_code);
	cr_expect(strstr(result.err, path->words) != NULL, "%s %s: %s", option, path->first, result.err);
	run_result_release(&result);
}

ParameterizedTest(struct shared_path *path, output, takes_no_file_that_is_anothers)
{
	prepare("");
	size_t length, left;
	char *before = file_read(workspace_path("x.npy"), &length);
	cr_assert_eq(symlink("x.npy", workspace_path("link")), 0);
	cr_assert_eq(symlink("x.npy", workspace_path("old.previous")), 0);
	expect_not_taken(path, "--check");
	expect_not_taken(path, "--quiet");
	char *after = file_read(workspace_path("x.npy"), &left);
	cr_expect(left == length && memcmp(before, after, length) == 0);
	char *files = workspace_files();
	cr_expect_str_eq(files, "link old.previous run.json x.npy");
	free(files);
	free(before);
	free(after);
}
