/* coordinator predict: what a model says of new rows. */
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

TestSuite(predict, .init = workspace_open, .fini = workspace_close, .timeout = 120);

#define COMMAND(...) RUN_ARGV(coordinator_path(), __VA_ARGS__)
#define PREDICT(...) COMMAND("predict", "--model", "model.json", "--data", __VA_ARGS__)

static const char model[] = "{\"format\": \"forkfit-model-1\", \"target\": \"y\", \"features\": [\"a\", \"b\"], "
                            "\"w\": [2, -0.5], \"b\": 0.1}";

static void write(const char *name, const char *text)
{
	file_write(workspace_path(name), text);
}

/* messages NULL: whatever they are. */
static void expect(const char *const argv[], int exit_code, const char *out, const char *messages)
{
	struct run_result result = workspace_run(argv, NULL);
	cr_expect_eq(result.exit_code, exit_code, "%d: %s", result.exit_code, result.err);
	cr_expect_str_eq(result.out, out);
	if (messages != NULL)
		cr_expect_str_eq(result.err, messages);
	run_result_release(&result);
}

Test(predict, finds_columns_by_their_names)
{
	write("model.json", model);
	write("new.csv", "b,kind,a\n1,red,1\n\"4\",blue,0.25\n");
	expect(PREDICT("new.csv", "--quiet"), 0, "prediction\n1.6\n-1.4\n", "");
}

Test(predict, tells_the_metrics_where_the_target_is_there)
{
	write("model.json", model);
	write("new.csv", "y,b,a\n1.6,1,1\n0.6,4,0.25\n");
	expect(PREDICT("new.csv", "--output", "p.csv"), 0,
	        "y of 2 rows of new.csv\n\n  RMSE 1.41421   MAE 1   MSE 2   R² -7\n", NULL);
	char *text = file_read(workspace_path("p.csv"), NULL);
	cr_expect_str_eq(text, "prediction,actual\n1.6,1.6\n-1.4,0.6\n");
	free(text);
}

Test(predict, keeps_a_line_for_every_row)
{
	write("model.json", model);
	write("new.csv", "a,b,y\n1,1,1\n,1,1\n1,1,NA\nnan,2,\n");
	expect(PREDICT("new.csv"), 0, "prediction,actual\n1.6,1\n,1\n1.6,\n,\n", NULL);
}

Test(predict, tells_a_sum_that_is_too_large_from_a_feature_that_is_missing)
{
	write("model.json", "{\"format\": \"forkfit-model-1\", \"target\": \"y\", \"features\": [\"a\", \"b\"], "
	                    "\"w\": [1e308, 1e308], \"b\": 0}");
	write("new.csv", "a,b\n10,-10\n-10,1\n1,\n1,0\n");
	expect(PREDICT("new.csv", "-o", "p.csv"), 0, "", NULL);
	char *text = file_read(workspace_path("p.csv"), NULL);
	cr_expect_str_eq(text, "prediction\ninf\n-inf\n\n1e+308\n");
	free(text);
	struct run_result result = workspace_run(PREDICT("new.csv"), NULL);
	cr_expect(strstr(result.err, "note: 1 row has no prediction, since a feature is missing\n"), "%s", result.err);
	run_result_release(&result);
}

Test(predict, takes_columns_without_names_by_their_places)
{
	write("model.json", model);
	write("new.csv", "1,1\n0.25,4\n");
	expect(PREDICT("new.csv", "-q"), 0, "prediction\n1.6\n-1.4\n", "");
	write("new.csv", "1,1,3\n0.25,4,3\n");
	expect(PREDICT("new.csv", "-q"), 0, "prediction,actual\n1.6,3\n-1.4,3\n", "");
	write("new.csv", "1,1,3,4\n0.25,4,3,4\n");
	expect(PREDICT("new.csv", "-q"), 65, "",
	        "coordinator: new.csv: the columns have no names, and there are 4 of them; the model model.json needs "
	        "its 2 "
	        "features in order, and may have the target behind them\n");
}

Test(predict, names_what_is_missing_or_bad)
{
	write("model.json", model);
	write("new.csv", "a,c\n1,2\n");
	expect(PREDICT("new.csv", "-o", "p.csv"), 65, "",
	        "coordinator: new.csv: there is no column \"b\", which the model model.json needs as feature\n");
	write("new.csv", "a_mount,weigth\n1,2\n");
	write("model.json", "{\"format\": \"forkfit-model-1\", \"target\": \"y\", \"features\": [\"weight\"], \"w\": "
	                    "[1], \"b\": 0}");
	expect(PREDICT("new.csv", "-o", "p.csv"), 65, "",
	        "coordinator: new.csv: there is no column \"weight\", which the model model.json needs as feature; is "
	        "it \"weigth\"? Then rename it in the header\n");
	write("model.json", model);
	write("new.csv", "a,b\n1,2\n2,oops\n");
	expect(PREDICT("new.csv", "-o", "p.csv"), 65, "",
	        "coordinator: new.csv:3:3: 'oops' is not a number (column \"b\")\n");
	write("model.json", "{\"format\": \"forkfit-model-1\", \"target\": \"y\", \"features\": [\"a\"], \"w\": []}");
	expect(PREDICT("new.csv", "-o", "p.csv"), 78, "",
	        "coordinator: model.json: w: expected a number for each feature; this is no model as output.model or "
	        "--json "
	        "gives it\n");
	char *files = workspace_files();
	cr_expect_str_eq(files, "model.json new.csv");
	free(files);
}

Test(predict, does_not_overwrite_what_it_reads)
{
	write("model.json", model);
	write("new.csv", "a,b\n1,2\n");
	expect(PREDICT("new.csv", "-o", "./new.csv"), 64, "",
	        "coordinator: ./new.csv: --output would overwrite the data\n");
	expect(PREDICT("new.csv", "-o", "model.json"), 64, "",
	        "coordinator: model.json: --output would overwrite the model\n");
	expect(PREDICT("new.csv", "-q"), 0, "prediction\n1.1\n", "");
}

Test(predict, refuses_a_model_with_a_feature_twice)
{
	write("new.csv", "a,b\n1,2\n");
	write("model.json", "{\"format\": \"forkfit-model-1\", \"target\": \"y\", \"features\": [\"a\", \"a\"], "
	                    "\"w\": [1, 2], \"b\": 0}");
	expect(PREDICT("new.csv"), 78, "",
	        "coordinator: model.json: two of the features and the target have the name \"a\"\n");
}

static void prepare_large(const char *rows)
{
	workspace_run_to(0, COMMAND("generate", "--rows", rows, "--features", "9", "--output", "data.csv", "--quiet"));
	workspace_configure("{\"dataset\": {\"path\": \"data.csv\"}, \"output\": {\"model\": \"model.json\"}, "
	                    "\"training\": {\"epochs\": 5}}");
	workspace_run_to(0, TRAINING("--quiet"));
}

/* Also where workers outnumber the CPUs, and from the same numbers in another format. */
Test(predict, gives_the_same_bytes_for_any_number_of_workers)
{
	prepare_large("30000");
	workspace_run_to(0, PREDICT("data.csv", "--workers", "1", "-o", "one.csv"));
	workspace_run_to(0, PREDICT("data.csv", "--workers", "4", "-o", "four.csv"));
	workspace_run_to(0, PREDICT("data.csv", "--workers", "23", "-o", "many.csv"));
	workspace_expect_same_bytes("one.csv", "four.csv");
	workspace_expect_same_bytes("one.csv", "many.csv");
	workspace_run_to(0, COMMAND("convert", "data.csv", "data.npy"));
	workspace_run_to(0, PREDICT("data.npy", "--workers", "3", "-o", "npy.csv"));
	workspace_expect_same_bytes("one.csv", "npy.csv");
	workspace_run_to(0, PREDICT("data.npy", "-o", "p.npy"));
	size_t length;
	free(file_read(workspace_path("p.npy"), &length));
	cr_expect_eq(length, 128 + 30000 * 2 * 8);
}

/* While the predictions are on their way: the coordinator waits for the reader of its output. */
Test(predict, replaces_a_worker_that_is_killed)
{
	prepare_large("60000");
	workspace_run_to(0, PREDICT("data.csv", "-w", "2", "-o", "calm.csv"));
	const char *const shell[] = {"sh", "-c",
	        "\"$0\" predict -m model.json -d data.csv -w 2 | { read line; sleep 1; "
	        "printf '%s\\n' \"$line\"; cat; } >stormy.csv",
	        coordinator_path(), NULL};
	struct run *run = workspace_start(shell, NULL);
	struct process found[16];
	size_t count = 0;
	unsigned killed = 0;
	for (int tries = 0; tries < 2000 && killed < 2; tries++) {
		count = processes_of_session(run_pid(run), found, 16);
		for (size_t i = 0; i < count && killed < 2; i++)
			for (size_t j = 0; j < count; j++)
				if (found[j].pid == found[i].parent && strcmp(found[j].name, found[i].name) == 0 &&
				        strcmp(found[i].name, "coordinator") == 0 && found[i].state == 'S' &&
				        kill(found[i].pid, SIGKILL) == 0)
					killed++;
		struct timespec pause = {.tv_nsec = 5000000};
		nanosleep(&pause, NULL);
	}
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 0, "%s", result.err);
	cr_expect_eq(killed, 2);
	cr_expect(strstr(result.err, "is replaced by pid"), "%s", result.err);
	cr_expect_not(strstr(result.err, "epoch"), "%s", result.err);
	run_result_release(&result);
	workspace_expect_same_bytes("calm.csv", "stormy.csv");
}
