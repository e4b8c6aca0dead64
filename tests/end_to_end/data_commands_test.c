/* The commands that make and convert data. */
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

TestSuite(data_commands, .init = workspace_open, .fini = workspace_close, .timeout = 120);

#define COMMAND(...) RUN_ARGV(coordinator_path(), __VA_ARGS__)

/* Runs a command that must end well, and returns what it printed, to be freed. */
static char *run_well(const char *const argv[])
{
	struct run_result result = workspace_run(argv, NULL);
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	char *out = strdup(result.out);
	run_result_release(&result);
	return out;
}

static void expect_failure(const char *const argv[], int exit_code, const char *message)
{
	struct run_result result = workspace_run(argv, NULL);
	cr_expect_eq(result.exit_code, exit_code, "%d", result.exit_code);
	cr_expect_str_eq(result.err, message);
	cr_expect_str_eq(result.out, "");
	run_result_release(&result);
}

Test(data_commands, generate_makes_the_same_bytes_again)
{
	free(run_well(COMMAND("generate", "--rows", "5000", "--features", "3", "--seed", "9", "-o", "one.npy")));
	free(run_well(COMMAND("generate", "-r5000", "-f3", "--seed=9", "--output", "two.npy")));
	free(run_well(COMMAND("generate", "-r5000", "-f3", "--seed=8", "--output", "three.npy")));
	workspace_expect_same_bytes("one.npy", "two.npy");
	size_t length;
	char *one = file_read(workspace_path("one.npy"), &length),
	     *three = file_read(workspace_path("three.npy"), NULL);
	cr_expect_eq(length, 128 + 5000 * 4 * 8);
	cr_expect(memcmp(one, three, length) != 0);
	free(one);
	free(three);
}

/* Without noise the fit finds what generate has printed. */
Test(data_commands, generate_prints_the_truth)
{
	char *truth = run_well(COMMAND("generate", "-r2000", "-f2", "--noise=0", "-qo", "data.csv"));
	workspace_configure("{\"dataset\": {\"path\": \"data.csv\"}, \"training\": {\"tolerance\": 1e-14}}");
	json_t *model = TRAIN("--quiet");
	const char *at = strstr(truth, "intercept");
	cr_assert(at != NULL, "%s", truth);
	cr_expect_float_eq(json_number_at(model, "b"), strtod(at + strlen("intercept"), NULL), 1e-12);
	for (int j = 0; j < 2; j++) {
		const char name[] = {'x', (char)('1' + j), '\0'}, path[] = {'w', '[', (char)('0' + j), ']', '\0'};
		at = strstr(truth, name);
		cr_assert(at != NULL, "%s", truth);
		cr_expect_float_eq(json_number_at(model, path), strtod(at + 2, NULL), 1e-12);
	}
	json_decref(model);
	free(truth);
}

/* The CSV of generated numbers holds their bits, and convert brings them back. */
Test(data_commands, convert_gives_the_bits_of_the_numbers)
{
	free(run_well(COMMAND("generate", "-r20000", "-f3", "-o", "data.csv")));
	free(run_well(COMMAND("generate", "-r20000", "-f3", "-o", "data.npy")));
	free(run_well(COMMAND("convert", "data.csv", "converted.npy")));
	workspace_expect_same_bytes("data.npy", "converted.npy");
}

Test(data_commands, convert_tells_names_and_what_it_leaves_out)
{
	file_write(workspace_path("data.csv"), "id,kind,\"a, b\",y\n1,red,2.5,3\n2,blue,-1e-3,4\n");
	struct run_result result = workspace_run(COMMAND("convert", "data.csv", "data.npy"), NULL);
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	cr_expect(strstr(result.err, "columns: c0 id, c1 a, b, c2 y; left out, because they are not numeric: kind\n"),
	        "%s", result.err);
	cr_expect_str_eq(result.out, "");
	run_result_release(&result);
	result = workspace_run(COMMAND("convert", "--quiet", "data.csv", "data.npy"), NULL);
	cr_expect_str_eq(result.err, "");
	run_result_release(&result);
}

Test(data_commands, failures_leave_what_was_there)
{
	file_write(workspace_path("bad.csv"), "x,y\n1,2\n3,\n");
	file_write(workspace_path("out.npy"), "old");
	expect_failure(COMMAND("convert", "bad.csv", "out.npy"), 65,
	        "coordinator: bad.csv:3:3: value is missing (empty) (column \"y\"); fill it in, or train on the CSV "
	        "itself "
	        "with dataset.missing=skip_row, which leaves such rows out\n");
	expect_failure(COMMAND("convert", "bad.csv", "out.csv"), 64,
	        "coordinator: out.csv: a CSV is converted to an .npy, and its name ends so: coordinator convert "
	        "bad.csv "
	        "data.npy\n");
	expect_failure(COMMAND("convert", "none.csv", "out.npy"), 66,
	        "coordinator: cannot open the dataset none.csv: No such file or directory\n");
	expect_failure(COMMAND("generate", "-o", "none/x.npy"), 73,
	        "coordinator: cannot write none/x.npy: No such file or directory\n");
	char *files = workspace_files();
	cr_expect_str_eq(files, "bad.csv out.npy");
	free(files);
	char *old = file_read(workspace_path("out.npy"), NULL);
	cr_expect_str_eq(old, "old");
	free(old);
}

Test(data_commands, an_interrupt_leaves_nothing)
{
	struct run *run = workspace_start(COMMAND("generate", "-r1000000000", "-o", "x.csv"), NULL);
	cr_assert(run_wait_for_text(run, RUN_ERR, "rows/s", 30));
	run_signal(run, SIGINT);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130);
	cr_expect(strstr(result.err, "coordinator: interrupted; nothing is written\n"), "%s", result.err);
	run_result_release(&result);
	char *files = workspace_files();
	cr_expect_str_eq(files, "");
	free(files);
}

Test(data_commands, a_full_disk_leaves_nothing)
{
	const struct run_limit limit = {RLIMIT_FSIZE, 100000};
	struct run_options options = {.limits = &limit, .limit_count = 1};
	struct run_result result = workspace_run(COMMAND("generate", "-r100000", "-o", "x.npy"), &options);
	cr_expect_eq(result.exit_code, 73);
	cr_expect_str_eq(result.err, "coordinator: cannot write x.npy: File too large\n");
	run_result_release(&result);
	char *files = workspace_files();
	cr_expect_str_eq(files, "");
	free(files);
}
