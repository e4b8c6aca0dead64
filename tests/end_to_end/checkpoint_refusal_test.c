/* Checkpoints that are damaged, that belong to another run, that cannot be read or written. */
#include "tests/end_to_end/checkpoint_run.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(checkpoint_refusal, .init = checkpoint_run_enter, .fini = checkpoint_run_leave, .timeout = 120);

static void write_bytes(const char *path, const char *bytes, size_t length)
{
	FILE *file = fopen(path, "w");
	cr_assert(file != NULL && fwrite(bytes, 1, length, file) == length && fclose(file) == 0);
}

/* Expects a run that resumes to fail with this code and these words. */
static void expect_refusal(const char *const argv[], int exit_code, const char *words)
{
	char *before = directory_snapshot(".");
	struct run_result result = run_program(argv, NULL);
	char *after = directory_snapshot(".");
	cr_expect(result.exit_code == exit_code, "exit code %d: %s", result.exit_code, result.err);
	cr_expect(strstr(result.err, words) != NULL, "\"%s\" is not in: %s", words, result.err);
	cr_expect(result.out_length == 0, "%s", result.out);
	cr_expect(strcmp(before, after) == 0, "files before:\n%s\nand after:\n%s", before, after);
	cr_expect(session_ends(result.pid, 1));
	run_result_release(&result);
	free(before);
	free(after);
}

/* What a crash or a disk may do to a file. */
static const struct damage {
	const char *what;
	double keep; /* the part of its bytes that is left; negative: the file is gone */
	double flip; /* the place of a byte that is changed, as a part of the length; negative: none */
} damages[] = {
        {"is gone", -1, -1},
        {"is empty", 0, -1},
        {"has one byte", 0.001, -1},
        {"is half there", 0.5, -1},
        {"lacks its last byte", 0.9999, -1},
        {"has another first byte", 1, 0},
        {"has another byte in the middle", 1, 0.5},
        {"has another last byte", 1, 0.9999},
};

static void do_damage(const char *path, const struct damage *damage)
{
	size_t length;
	char *bytes = file_read(path, &length);
	if (damage->flip >= 0)
		bytes[(size_t)(damage->flip * (double)length)] ^= 1;
	if (damage->keep >= 0)
		write_bytes(path, bytes, (size_t)(damage->keep * (double)length + (damage->keep == 0.001)));
	else
		cr_assert(unlink(path) == 0);
	free(bytes);
}

Test(checkpoint_refusal, of_a_damaged_one_falls_back_on_the_one_before)
{
	char *expected = checkpoint_run_output(CHECKPOINT_RUN("--quiet"));
	char *newest = file_read(CHECKPOINT, NULL), *previous = file_read(CHECKPOINT_PREVIOUS, NULL);
	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
		file_write(CHECKPOINT, newest);
		file_write(CHECKPOINT_PREVIOUS, previous);
		do_damage(CHECKPOINT, &damages[i]);
		/* It writes no more than the last. */
		struct run_result result =
		        run_program(CHECKPOINT_RUN("--resume", "--set", "checkpoint.every_epochs=1000"), NULL);
		cr_expect(strcmp(result.out, expected) == 0, "%s: the output is\n%s\ninstead of\n%s", damages[i].what,
		        result.out, expected);
		cr_expect(strstr(result.err, "note: the checkpoint " CHECKPOINT " cannot be used: it") != NULL,
		        "%s: %s", damages[i].what, result.err);
		cr_expect(strstr(result.err, CHECKPOINT_PREVIOUS " is used instead") != NULL, "%s", result.err);
		run_result_release(&result);
		/* The newest is good again, and has not cost the one before it. */
		char *newest_now = file_read(CHECKPOINT, NULL), *previous_now = file_read(CHECKPOINT_PREVIOUS, NULL);
		cr_expect_str_eq(newest_now, newest, "%s", damages[i].what);
		cr_expect_str_eq(previous_now, previous, "%s", damages[i].what);
		free(newest_now);
		free(previous_now);
	}
	free(newest);
	free(previous);
	free(expected);
}

Test(checkpoint_refusal, of_both_ends_the_run)
{
	free(checkpoint_run_output(CHECKPOINT_RUN("--quiet")));
	char *newest = file_read(CHECKPOINT, NULL), *previous = file_read(CHECKPOINT_PREVIOUS, NULL);
	size_t count = sizeof damages / sizeof *damages;
	for (size_t i = 0; i < count; i++) {
		const struct damage *other = &damages[(i + 1) % count];
		file_write(CHECKPOINT, newest);
		file_write(CHECKPOINT_PREVIOUS, previous);
		do_damage(CHECKPOINT, &damages[i]);
		do_damage(CHECKPOINT_PREVIOUS, other);
		expect_refusal(
		        CHECKPOINT_RUN("--resume"), 65, "no checkpoint to go on from: " CHECKPOINT " cannot be used");
	}
	free(newest);
	free(previous);
}

Test(checkpoint_refusal, of_what_is_no_file)
{
	cr_assert(mkdir(CHECKPOINT_PREVIOUS, 0700) == 0 && mkfifo("pipe", 0600) == 0);
	expect_refusal(CHECKPOINT_RUN("--resume"), 65, "state.previous: it is not a regular file");
	/* Neither can be written over. */
	expect_refusal(CHECKPOINT_RUN("--resume", "--set", "checkpoint.path=pipe"), 73, "not a regular file");
}

Test(checkpoint_refusal, of_another_configuration_names_what_differs)
{
	static const struct {
		const char *setting, *words;
	} cases[] = {
	        {"dataset.target=a", "dataset.target is 0 \"a\", and was 3 \"y\""},
	        {"dataset.features=[\"a\",\"c\"]", "dataset.features is 2, and was 3"},
	        {"dataset.features=[\"a\",\"c\",\"b\"]", "dataset.features[1] is 2 \"c\", and was 1 \"b\""},
	        {"dataset.missing=skip_row", "dataset.missing is skip_row, and was error"},
	        {"training.learning_rate=0.1", "training.learning_rate is 0.1, and was auto"},
	        {"training.standardize=false", "training.standardize is false, and was true"},
	        {"training.aggregation=sum", "training.aggregation is sum, and was mean"},
	        {"training.initial={\"b\":1}", "training.initial.b is 1, and was 0"},
	        {"training.epochs=399", "is of epoch 400, and training.epochs is only 399"},
	        {"training.tolerance=1e3", "with training.tolerance 1000 this run would have ended before"},
	};
	free(checkpoint_run_output(CHECKPOINT_RUN("--quiet")));
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_refusal(CHECKPOINT_RUN("--resume", "--set", cases[i].setting), 78, cases[i].words);
}

Test(checkpoint_refusal, of_another_number_of_workers_only_where_it_counts)
{
	const char *average = "training.aggregation=average";
	free(checkpoint_run_output(CHECKPOINT_RUN("--quiet", "--set", average)));
	expect_refusal(
	        CHECKPOINT_RUN("--resume", "--set", average, "--set", "workers=3"), 78, "workers is 3, and was 2");
}

/* Catches the mutation epoch_not_repeated. */
Test(checkpoint_refusal, of_other_data_of_the_same_length)
{
	free(checkpoint_run_output(CHECKPOINT_RUN("--quiet")));
	checkpoint_run_write_data("data.csv", 2000, 1);
	expect_refusal(CHECKPOINT_RUN("--resume"), 78, "so other values are in data.csv");
	checkpoint_run_write_data("data.csv", 2000, 0);
	free(checkpoint_run_output(CHECKPOINT_RUN("--resume")));
}

Test(checkpoint_refusal, of_data_of_another_length)
{
	free(checkpoint_run_output(CHECKPOINT_RUN("--quiet")));
	checkpoint_run_write_data("data.csv", 1999, 0);
	expect_refusal(CHECKPOINT_RUN("--resume"), 78, "does not belong to this run: dataset.bytes is ");
}

Test(checkpoint_refusal, of_data_with_other_rows)
{
	size_t length;
	free(checkpoint_run_output(CHECKPOINT_RUN("--quiet")));
	char *text = file_read("data.csv", &length);
	/* A record becomes blank lines. */
	for (char *at = strchr(text, '\n') + 1; *at != '\n'; at++)
		*at = '\n';
	write_bytes("data.csv", text, length);
	free(text);
	expect_refusal(CHECKPOINT_RUN("--resume"), 78, "data.csv has 1999 rows, and had 2000");
}

Test(checkpoint_refusal, is_not_for_the_same_data_elsewhere)
{
	char *expected = checkpoint_run_output(CHECKPOINT_RUN("--quiet"));
	checkpoint_run_write_data("copy.csv", 2000, 0);
	struct run_result result = run_program(CHECKPOINT_RUN("--resume", "--set", "dataset.path=copy.csv"), NULL);
	json_t *model = json_from_text(result.out), *original = json_from_text(expected);
	cr_expect_eq(result.exit_code, 0, "%s", result.err);
	cr_expect(json_equal(json_at(model, "w"), json_at(original, "w")));
	cr_expect(json_equal(json_at(model, "metrics"), json_at(original, "metrics")));
	json_decref(model);
	json_decref(original);
	run_result_release(&result);
	free(expected);
}

Test(checkpoint_refusal, of_a_path_that_cannot_be_written_comes_before_training)
{
	expect_refusal(CHECKPOINT_RUN("--set", "checkpoint.path=missing/state"), 73, "cannot write missing/state");
	expect_refusal(CHECKPOINT_RUN("--set", "checkpoint.path=."), 73, "cannot write .: it is not a regular file");
}

static size_t count_text(const char *text, const char *words)
{
	size_t count = 0;
	for (; (text = strstr(text, words)) != NULL; text += strlen(words))
		count++;
	return count;
}

/* A limit on the length of files does what a full disk does. */
Test(checkpoint_refusal, by_a_full_disk_is_told_and_costs_no_result)
{
	size_t length;
	struct run_result good =
	        run_program(RUN_ARGV(coordinator_path(), "--config", "run.json", "--set", "training.epochs=200"), NULL);
	cr_assert_eq(good.exit_code, 0);
	char *whole = file_read(CHECKPOINT, &length);
	const struct run_limit limit = {RLIMIT_FSIZE, length - 100};
	struct run_options options = {.limits = &limit, .limit_count = 1};
	char *before = directory_snapshot(".");
	struct run_result result =
	        run_program(RUN_ARGV(coordinator_path(), "--config", "run.json", "--resume"), &options);
	char *after = directory_snapshot(".");
	cr_expect_eq(result.exit_code, 73, "exit code %d, signal %d: %s", result.exit_code, result.signal, result.err);
	cr_expect_eq(count_text(result.err, "training goes on"), 1, "%s", result.err);
	cr_expect(strstr(result.err, "coordinator: cannot write " CHECKPOINT ": File too large\n") != NULL, "%s",
	        result.err);
	cr_expect(strstr(result.out, "400 epochs") != NULL, "%s", result.out);
	cr_expect(strcmp(before, after) == 0, "files before:\n%s\nand after:\n%s", before, after);
	run_result_release(&good);
	run_result_release(&result);
	free(whole);
	free(before);
	free(after);
}

Test(checkpoint_refusal, by_a_disk_that_works_again_leaves_nothing_to_tell_at_the_end)
{
	cr_assert(mkdir("place", 0700) == 0);
	struct run *run = run_start(
	        CHECKPOINT_RUN("--set", "checkpoint.path=place/state", "--set", "training.epochs=4294967295"), NULL);
	cr_assert(file_wait_for_text("place/state", "crc32c", 30));
	cr_assert(rename("place", "elsewhere") == 0);
	cr_assert(run_wait_for_text(run, RUN_ERR, "cannot write place/state: No such file or directory; training", 30));
	cr_assert(rename("elsewhere", "place") == 0);
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130, "exit code %d: %s", result.exit_code, result.err);
	cr_expect(strstr(result.err, "and --resume goes on from there") != NULL, "%s", result.err);
	cr_expect(!file_exists("place/state.forkfit-draft"));
	run_result_release(&result);
}
