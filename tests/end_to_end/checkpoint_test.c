/* A run that is resumed ends with the same bits as one that never stopped, whatever stopped it. */
#include "tests/end_to_end/checkpoint_run.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

TestSuite(checkpoint, .init = checkpoint_run_enter, .fini = checkpoint_run_leave, .timeout = 120);

/* As many as a frame has bits for: such a run ends when it is told to. */
#define ENDLESS "training.epochs=4294967295"

static void expect_same_output(const char *const argv[], const char *expected)
{
	char *output = checkpoint_run_output(argv);
	cr_expect(strcmp(output, expected) == 0, "the output is\n%s\ninstead of\n%s", output, expected);
	free(output);
}

/* What a run that knows nothing of checkpoints makes of the same. */
static char *undisturbed_output(const char *setting)
{
	return checkpoint_run_output(CHECKPOINT_RUN("--set", "checkpoint.path=null", "--set", setting));
}

enum { KILLS = 24 };

/* Since a run that was killed late is not long any more, longer pauses would only find it over. */
#define LONGEST_PAUSE_S 0.9

/* A part of the time that the run takes if left alone, another one each time. */
static void pause_before_kill(unsigned kill, double run_seconds)
{
	double longest = run_seconds < LONGEST_PAUSE_S ? run_seconds : LONGEST_PAUSE_S;
	double seconds = longest * (kill * 7919 % 1000 / 1000.0);
	nanosleep(&(struct timespec){.tv_nsec = (long)(seconds * 1e9)}, NULL);
}

/* Had the run that was killed been resumed? */
static bool finish_killed(struct run *run)
{
	run_signal(run, SIGKILL);
	struct run_result result = run_finish(run);
	bool resumed = strstr(result.err, "resumed from") != NULL;
	cr_expect(session_ends(result.pid, 10), "workers outlive a killed coordinator");
	cr_expect(result.signal == SIGKILL || result.exit_code == 0, "exit code %d: %s", result.exit_code, result.err);
	run_result_release(&result);
	return resumed;
}

static void survive_kills(const char *every, const char *epochs)
{
	static const char *const workers[] = {"workers=1", "workers=3", "workers=2", "workers=5"};
	struct run_result undisturbed = run_program(CHECKPOINT_RUN("--set", every, "--set", epochs), NULL);
	int resumed = 0;
	cr_assert_eq(undisturbed.exit_code, 0);
	unlink(CHECKPOINT);
	unlink(CHECKPOINT_PREVIOUS);
	for (unsigned i = 0; i < KILLS; i++) {
		struct run *run = run_start(
		        CHECKPOINT_RUN("--resume", "--set", workers[i % 4], "--set", every, "--set", epochs), NULL);
		pause_before_kill(i, undisturbed.seconds);
		resumed += finish_killed(run);
	}
	cr_expect(resumed > 0, "no run came so far that the next could go on from there");
	expect_same_output(CHECKPOINT_RUN("--resume", "--set", every, "--set", epochs), undisturbed.out);
	cr_expect(!file_exists(CHECKPOINT ".forkfit-draft"));
	run_result_release(&undisturbed);
}

Test(checkpoint, survives_kills_while_training)
{
	survive_kills("checkpoint.every_epochs=100", "training.epochs=3000");
}

Test(checkpoint, survives_kills_while_it_is_written)
{
	survive_kills("checkpoint.every_epochs=1", "training.epochs=400");
}

/* Before it is safe, before and between the renames, before the directory is safe: each place in several rounds. */
enum { CALLS = 15 };

Test(checkpoint, survives_a_kill_before_each_system_call_that_writes_it)
{
	struct run_options options = {
	        .environment = (const char *const[]){"LSAN_OPTIONS=detect_leaks=0", NULL},
	};
	char *expected = undisturbed_output("workers=2");
	for (int call = 1; call <= CALLS; call++) {
		char inject[64];
		snprintf(inject, sizeof inject, "inject=fsync,rename:signal=SIGKILL:when=%d", call);
		struct run_result result =
		        run_program(RUN_ARGV("strace", "-o", "/dev/null", "-e", "trace=fsync,rename", "-e", inject,
		                            coordinator_path(), "--config", "run.json"),
		                &options);
		cr_expect_eq(result.signal, SIGKILL, "call %d: exit code %d: %s", call, result.exit_code, result.err);
		cr_expect(session_ends(result.pid, 10));
		run_result_release(&result);
		expect_same_output(CHECKPOINT_RUN("--resume"), expected);
		cr_expect(!file_exists(CHECKPOINT ".forkfit-draft"));
		unlink(CHECKPOINT);
		unlink(CHECKPOINT_PREVIOUS);
	}
	free(expected);
}

static void interrupt_and_resume(int number)
{
	char setting[64], message[64];
	unlink(CHECKPOINT);
	struct run *run = run_start(CHECKPOINT_RUN("--set", ENDLESS), NULL);
	cr_assert(file_wait_for_text(CHECKPOINT, "crc32c", 30));
	run_signal(run, number);
	struct run_result result = run_finish(run);
	cr_assert_eq(result.exit_code, 130, "exit code %d: %s", result.exit_code, result.err);
	cr_expect(strstr(result.err, ", and --resume goes on from there") != NULL, "%s", result.err);
	json_t *model = json_from_text(result.out);
	unsigned epoch = (unsigned)json_number_at(model, "training.epochs");
	json_decref(model);
	run_result_release(&result);

	cr_expect_eq(checkpoint_run_epoch(CHECKPOINT), epoch);
	snprintf(setting, sizeof setting, "training.epochs=%u", epoch + 37);
	snprintf(message, sizeof message, "resumed from " CHECKPOINT " at epoch %u\n", epoch);
	char *expected = undisturbed_output(setting);
	result = run_program(CHECKPOINT_RUN("--resume", "--set", setting, "--set", "workers=3"), NULL);
	cr_expect(strcmp(result.out, expected) == 0, "the output is\n%s\ninstead of\n%s", result.out, expected);
	cr_expect(strstr(result.err, message) != NULL, "%s", result.err);
	run_result_release(&result);
	free(expected);
}

Test(checkpoint, is_of_the_last_epoch_after_an_interrupt)
{
	interrupt_and_resume(SIGINT);
	interrupt_and_resume(SIGTERM);
}

Test(checkpoint, of_a_run_that_is_over_gives_the_same_result_again)
{
	static const char *const endings[] = {
	        "training.epochs=400", "training.tolerance=1e-3", "training.epochs=1", "training.epochs=20"};
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		char *expected = undisturbed_output(endings[i]);
		expect_same_output(CHECKPOINT_RUN("--set", endings[i]), expected);
		expect_same_output(CHECKPOINT_RUN("--set", endings[i], "--resume"), expected);
		expect_same_output(CHECKPOINT_RUN("--set", endings[i], "--resume", "--set", "workers=7"), expected);
		free(expected);
	}
}

Test(checkpoint, lets_a_run_go_on_for_more_epochs_and_a_finer_tolerance)
{
	char *coarse = checkpoint_run_output(CHECKPOINT_RUN("--set", "training.tolerance=1e-2"));
	char *expected = undisturbed_output("training.tolerance=1e-4");
	expect_same_output(CHECKPOINT_RUN("--set", "training.tolerance=1e-4", "--resume"), expected);
	free(expected);
	expected = undisturbed_output("training.epochs=777");
	expect_same_output(CHECKPOINT_RUN("--set", "training.epochs=777", "--resume"), expected);
	free(expected);
	free(coarse);
}

Test(checkpoint, serves_every_kind_of_training)
{
	static const char *const kinds[] = {"training.standardize=false", "training.aggregation=average",
	        "training.aggregation=sum", "training.learning_rate=0.01", "training.initial={\"w\":[1,-2,3],\"b\":4}",
	        "dataset.features=[\"b\"]", "dataset.missing=skip_row"};
	checkpoint_run_write_data("data.csv", 500, 0);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		char *expected = undisturbed_output(kinds[i]);
		const char *half = "training.epochs=200";
		free(checkpoint_run_output(CHECKPOINT_RUN("--set", kinds[i], "--set", half)));
		expect_same_output(CHECKPOINT_RUN("--set", kinds[i], "--resume"), expected);
		free(expected);
	}
}

Test(checkpoint, keeps_count_of_rows_left_out)
{
	FILE *file = fopen("data.csv", "a");
	cr_assert(file != NULL);
	fputs("1,NA,3.5,100\n,,,\n", file);
	cr_assert(fclose(file) == 0);
	const char *skip = "dataset.missing=skip_row", *half = "training.epochs=200";
	char *expected = undisturbed_output(skip);
	free(checkpoint_run_output(CHECKPOINT_RUN("--set", skip, "--set", half)));
	expect_same_output(CHECKPOINT_RUN("--set", skip, "--resume"), expected);
	free(expected);
}

Test(checkpoint, that_is_not_there_yet_lets_the_run_begin)
{
	char *expected = undisturbed_output("workers=2");
	struct run_result result = run_program(CHECKPOINT_RUN("--resume"), NULL);
	cr_expect_eq(result.exit_code, 0);
	cr_expect(strcmp(result.out, expected) == 0, "%s", result.out);
	cr_expect(strstr(result.err, "note: there is no checkpoint " CHECKPOINT " yet") != NULL, "%s", result.err);
	run_result_release(&result);
	free(expected);
}

Test(checkpoint, leaves_itself_and_the_one_before_and_nothing_else)
{
	free(checkpoint_run_output(CHECKPOINT_RUN("--resume")));
	cr_expect_eq(checkpoint_run_epoch(CHECKPOINT), CHECKPOINT_EPOCHS);
	cr_expect_eq(checkpoint_run_epoch(CHECKPOINT_PREVIOUS), CHECKPOINT_EPOCHS - CHECKPOINT_EVERY);
	struct run_result result = run_program(RUN_ARGV("ls", "-A"), NULL);
	cr_expect_str_eq(result.out, "data.csv\nrun.json\n" CHECKPOINT "\n" CHECKPOINT_PREVIOUS "\n");
	run_result_release(&result);
}

Test(checkpoint, leads_a_run_that_diverges_to_the_same_end)
{
	const char *rate = "training.learning_rate=1.2", *often = "checkpoint.every_epochs=5";
	struct run_result first = run_program(CHECKPOINT_RUN("--quiet", "--set", rate, "--set", often), NULL);
	cr_assert_eq(first.exit_code, 3, "%s", first.err);
	unsigned epoch = checkpoint_run_epoch(CHECKPOINT);
	struct run_result second =
	        run_program(CHECKPOINT_RUN("--quiet", "--set", rate, "--set", often, "--resume"), NULL);
	cr_expect_eq(second.exit_code, 3);
	cr_expect_str_eq(second.err, first.err);
	cr_expect_eq(checkpoint_run_epoch(CHECKPOINT), epoch);
	run_result_release(&first);
	run_result_release(&second);
}

/* A line of the event log with this event, in which the last is looked for. */
static json_t *last_event(const char *name)
{
	char *text = file_read("events", NULL), *rest = text;
	json_t *found = NULL;
	for (char *line; (line = strtok_r(rest, "\n", &rest)) != NULL;) {
		json_t *event = json_from_text(line);
		if (strcmp(json_string_at(event, "event"), name) == 0) {
			json_decref(found);
			found = json_incref(event);
		}
		json_decref(event);
	}
	free(text);
	cr_assert(found != NULL, "no event %s", name);
	return found;
}

Test(checkpoint, is_told_in_the_event_log)
{
	free(checkpoint_run_output(CHECKPOINT_RUN("--set", "output.events=events")));
	json_t *written = last_event("checkpoint_written");
	cr_expect_str_eq(json_string_at(written, "path"), CHECKPOINT);
	cr_expect_eq(json_number_at(written, "epoch"), CHECKPOINT_EPOCHS);
	cr_expect(json_number_at(written, "took_ms") > 0);
	json_decref(written);
	free(checkpoint_run_output(CHECKPOINT_RUN("--set", "output.events=events", "--resume")));
	json_t *resumed = last_event("run_resumed");
	cr_expect_str_eq(json_string_at(resumed, "path"), CHECKPOINT);
	cr_expect_eq(json_number_at(resumed, "epoch"), CHECKPOINT_EPOCHS);
	json_decref(resumed);
}

/* Under the policy drop a run goes on without the rows: no state of that is kept, so that a resumed run has them. */
Test(checkpoint, stays_as_it_was_before_rows_were_lost)
{
	char setting[64];
	struct process workers[8];
	struct run *run = run_start(CHECKPOINT_RUN("--set", ENDLESS, "--set", "recovery.policy=drop"), NULL);
	cr_assert(file_wait_for_text(CHECKPOINT, "crc32c", 30));
	cr_assert_eq(processes_of_parent(run_pid(run), workers, 8), 2);
	cr_assert(kill(workers[0].pid, SIGKILL) == 0);
	cr_assert(run_wait_for_text(run, RUN_ERR, "there is no checkpoint from here on", 30));
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130, "exit code %d: %s", result.exit_code, result.err);
	cr_expect(strstr(result.err, "--resume") == NULL, "%s", result.err);
	run_result_release(&result);
	snprintf(setting, sizeof setting, "training.epochs=%u", checkpoint_run_epoch(CHECKPOINT) + 20);
	char *expected = undisturbed_output(setting);
	expect_same_output(CHECKPOINT_RUN("--resume", "--set", setting), expected);
	free(expected);
}

/* The state is saved when workers are lost for good, too. */
Test(checkpoint, is_of_the_last_epoch_when_workers_are_lost)
{
	char setting[64];
	struct process workers[8];
	struct run *run = run_start(CHECKPOINT_RUN("--set", ENDLESS, "--set", "recovery.policy=abort", "--set",
	                                    "checkpoint.every_epochs=1000000", "--set", "output.events=events"),
	        NULL);
	cr_assert(file_wait_for_text("events", "\"epoch_done\"", 30));
	cr_assert_eq(processes_of_parent(run_pid(run), workers, 8), 2);
	cr_assert(kill(workers[0].pid, SIGKILL) == 0);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 4, "exit code %d: %s", result.exit_code, result.err);
	run_result_release(&result);
	snprintf(setting, sizeof setting, "training.epochs=%u", checkpoint_run_epoch(CHECKPOINT) + 20);
	char *expected = undisturbed_output(setting);
	expect_same_output(CHECKPOINT_RUN("--resume", "--set", setting), expected);
	free(expected);
}
