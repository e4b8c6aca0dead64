/* The command line: what is printed where, what is asked of it wrongly, and how settings take effect. */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 8 };

TestSuite(command_line, .timeout = 120);

static struct run_result run(const char *const argv[])
{
	return run_program(argv, NULL);
}

Test(command_line, prints_its_help)
{
	struct run_result result = run(RUN_ARGV(coordinator_path(), "--help"));
	cr_expect_eq(result.exit_code, 0);
	cr_expect_str_eq(result.err, "");
	cr_expect_eq(strncmp(result.out, "usage: coordinator --config FILE", 32), 0, "%s", result.out);
	static const char *const words[] = {
	        "--set", "--quiet", "--json", "--check", "--help", "--version", "exit status"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		cr_expect(strstr(result.out, words[i]) != NULL, "nothing on %s in\n%s", words[i], result.out);
	run_result_release(&result);
}

Test(command_line, prints_its_version)
{
	int length = 0;
	struct run_result result = run(RUN_ARGV(coordinator_path(), "--version"));
	cr_expect_eq(result.exit_code, 0);
	cr_expect_str_eq(result.err, "");
	sscanf(result.out, "forkfit %*u.%*u.%*u\n%n", &length);
	cr_expect_eq((size_t)length, result.out_length, "%s", result.out);
	run_result_release(&result);
}

struct misuse {
	char arguments[ARGUMENTS_MAX][24];
	char words[96];
};

ParameterizedTestParameters(command_line, refuses_what_it_does_not_know)
{
	static struct misuse misuses[] = {
	        {{""}, "a configuration is needed: coordinator --config run.json"},
	        {{"--config"}, "an argument is missing after --config"},
	        {{"--quiet", "-c"}, "an argument is missing after -c"},
	        {{"--frobnicate"}, "no such option, or the beginning of several: --frobnicate"},
	        {{"--c"}, "no such option, or the beginning of several: --c"},
	        {{"--json=yes"}, "that option takes no value: --json=yes"},
	        {{"--quiet=1"}, "that option takes no value: --quiet=1"},
	        {{"-x"}, "no such option: -x"},
	        {{"-qxh"}, "no such option: -x"},
	        {{"configs/textbook.json"}, "nothing takes the argument configs/textbook.json"},
	        {{"--config", "a", "--config", "b"}, "--config is given twice"},
	        {{"--config", "a", "b"}, "nothing takes the argument b"},
	        {{"--config", "configs/textbook.json", "--set", "workers"}, "--set"},
	};
	return cr_make_param_array(struct misuse, misuses, sizeof misuses / sizeof misuses[0]);
}

ParameterizedTest(struct misuse *misuse, command_line, refuses_what_it_does_not_know)
{
	const char *argv[ARGUMENTS_MAX + 2] = {coordinator_path()};
	for (size_t i = 0; i < ARGUMENTS_MAX && misuse->arguments[i][0] != '\0'; i++)
		argv[i + 1] = misuse->arguments[i];
	struct run_result result = run(argv);
	cr_expect_eq(result.exit_code, 64, "exit code %d", result.exit_code);
	cr_expect_str_eq(result.out, "");
	cr_expect_eq(strncmp(result.err, "coordinator: ", 13), 0, "%s", result.err);
	cr_expect(strstr(result.err, misuse->words) != NULL, "%s", result.err);
	cr_expect_eq(strchr(result.err, '\n'), result.err + result.err_length - 1, "more than a line: %s", result.err);
	run_result_release(&result);
}

ParameterizedTestParameters(command_line, checks_to_what_checks_to_itself)
{
	static char configs[][32] = {"textbook.json", "quickstart.json"};
	return cr_make_param_array(char[32], configs, sizeof configs / sizeof configs[0]);
}

ParameterizedTest(char (*config)[32], command_line, checks_to_what_checks_to_itself)
{
	struct run_options options = {.directory = "configs"};
	const char *const again[] = {coordinator_path(), "--config", "-", "--check", NULL};
	struct run_result first = run_program(RUN_ARGV(coordinator_path(), "--check", "--config", *config), &options);
	cr_assert_eq(first.exit_code, 0, "%s", first.err);
	cr_expect_str_eq(first.err, "");
	options.input = first.out;
	struct run_result second = run_program(again, &options);
	cr_expect_eq(second.exit_code, 0, "%s", second.err);
	cr_expect_str_eq(second.out, first.out);
	run_result_release(&first);
	run_result_release(&second);
}

Test(command_line, checks_the_dataset_as_well)
{
	struct run_options options = {
	        .input = "{\"dataset\": {\"path\": \"configs/data/cars.csv\", \"target\": \"dost\"}}"};
	struct run_result result = run_program(RUN_ARGV(coordinator_path(), "--check", "--config", "-"), &options);
	cr_expect_eq(result.exit_code, 78, "exit code %d", result.exit_code);
	cr_expect(strstr(result.err, "did you mean \"dist\"?") != NULL, "%s", result.err);
	cr_expect_str_eq(result.out, "");
	run_result_release(&result);
}

Test(command_line, takes_a_configuration_from_standard_input)
{
	struct run_options options = {.input = "{\"dataset\": {\"path\": \"configs/data/cars.csv\"}}"};
	struct run_result result = run_program(RUN_ARGV(coordinator_path(), "--config", "-", "--json"), &options);
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	json_t *model = json_from_text(result.out);
	cr_expect_str_eq(json_string_at(model, "target"), "dist");
	cr_expect_eq(json_number_at(model, "metrics.rows"), 50);
	json_decref(model);
	run_result_release(&result);
}

#define TEXTBOOK(...) RUN_ARGV(coordinator_path(), "--config", "configs/textbook.json", __VA_ARGS__)

Test(command_line, silences_standard_error_and_nothing_else)
{
	struct run_result loud = run(TEXTBOOK("--set", "training.epochs=50"));
	struct run_result quiet = run(TEXTBOOK("--set", "training.epochs=50", "--quiet"));
	cr_expect_neq(loud.err_length, 0);
	cr_expect_str_eq(quiet.err, "");
	cr_expect_str_eq(quiet.out, loud.out);
	cr_expect(quiet.out_length > 0);
	run_result_release(&loud);
	run_result_release(&quiet);
}

Test(command_line, silences_notes_but_not_errors)
{
	struct run_result quiet = run(TEXTBOOK("--quiet", "--set", "training.learning_rate=0.01"));
	cr_expect_eq(quiet.exit_code, 3);
	cr_expect(strstr(quiet.err, "note:") == NULL, "%s", quiet.err);
	cr_expect(strstr(quiet.err, "training diverged") != NULL, "%s", quiet.err);
	run_result_release(&quiet);
}

Test(command_line, prints_the_same_on_every_run)
{
	static const char *const forms[] = {"--json", "--quiet"};
	for (size_t i = 0; i < 2; i++) {
		struct run_result first = run(TEXTBOOK(forms[i], "--set", "training.epochs=300"));
		struct run_result second =
		        run(TEXTBOOK(forms[i], "--set", "training.epochs=300", "--set", "workers=7"));
		cr_expect_eq(first.exit_code, 0, "%s", first.err);
		cr_expect_str_eq(second.out, first.out);
		run_result_release(&first);
		run_result_release(&second);
	}
}

Test(command_line, prints_a_table_with_the_numbers_of_the_model)
{
	struct run_result json = run(TEXTBOOK("--json", "--set", "training.epochs=300"));
	struct run_result table = run(TEXTBOOK("--quiet", "--set", "training.epochs=300"));
	json_t *model = json_from_text(json.out);
	double intercept, slope, rmse, r2;
	unsigned epochs;
	cr_expect_eq(strncmp(table.out, "dist from 50 rows of data/cars.csv\n\n", 36), 0, "%s", table.out);
	cr_assert_eq(sscanf(table.out + 36, " intercept %lf speed %lf RMSE %lf MAE %*f R² %lf %u epochs:", &intercept,
	                     &slope, &rmse, &r2, &epochs),
	        5, "%s", table.out);
	cr_expect_eq(intercept, json_number_at(model, "b"));
	cr_expect_eq(slope, json_number_at(model, "w[0]"));
	cr_expect_float_eq(rmse, json_number_at(model, "metrics.rmse"), 1e-4);
	cr_expect_float_eq(r2, json_number_at(model, "metrics.r2"), 1e-6);
	cr_expect_eq(epochs, json_number_at(model, "training.epochs"));
	json_decref(model);
	run_result_release(&json);
	run_result_release(&table);
}
