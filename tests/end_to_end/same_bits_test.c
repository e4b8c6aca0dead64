/*
 * One file, one result: the model's text and the loss of every epoch are the same to the last bit for any number of
 * workers, on one CPU, and whoever answers first.
 */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/event_reader.h"
#include "tests/end_to_end/inspection_linux.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 4096, FEATURES = 7, EPOCHS = 30, WORKERS_MAX = 64 };

TestSuite(same_bits, .init = workspace_open, .fini = workspace_close, .timeout = 120);

/* Everything that a run has calculated, as text. */
struct outcome {
	char *model;
	char *losses;
};

static void outcome_release(struct outcome *outcome)
{
	free(outcome->model);
	free(outcome->losses);
}

static void configure(const char *dataset)
{
	workspace_configure("{\"dataset\": {\"path\": \"%s\"}, \"training\": {\"epochs\": %d, \"tolerance\": 0},"
	                    " \"output\": {\"events\": \"events\"}}",
	        dataset, EPOCHS);
}

static size_t count_lines(const char *text)
{
	size_t count = 0;
	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

static struct outcome train(unsigned workers, const struct run_options *options)
{
	char setting[32];
	snprintf(setting, sizeof setting, "workers=%u", workers);
	struct run_result result = workspace_run(TRAINING("--json", "--quiet", "--set", setting), options);
	cr_assert(result.exit_code == 0, "%u workers: exit code %d: %s", workers, result.exit_code, result.err);
	struct outcome outcome = {strdup(result.out), events_losses(workspace_path("events"))};
	cr_assert_eq(count_lines(outcome.losses), EPOCHS);
	run_result_release(&result);
	return outcome;
}

static void expect_same(const struct outcome *found, const struct outcome *expected, const char *what, unsigned workers)
{
	cr_expect(strcmp(found->model, expected->model) == 0, "%s, %u workers: the model is\n%s\ninstead of\n%s", what,
	        workers, found->model, expected->model);
	cr_expect(strcmp(found->losses, expected->losses) == 0, "%s, %u workers: the losses are\n%s\ninstead of\n%s",
	        what, workers, found->losses, expected->losses);
}

/* Under sanitizers each fork takes far longer; so fewer counts stand for all. */
static unsigned next_count(unsigned workers)
{
	return HARNESS_SANITIZED ? workers + workers / 2 + 1 : workers + 1;
}

struct file {
	char name[16];
	bool npy;
	struct npy_style npy_style;
	struct csv_style csv_style;
};

static void write_file(const struct file *file, const struct table *table)
{
	if (file->npy)
		table_write_npy(table, workspace_path(file->name), file->npy_style);
	else
		table_write_csv(table, workspace_path(file->name), file->csv_style);
}

ParameterizedTestParameters(same_bits, do_not_depend_on_the_number_of_workers)
{
	static struct file files[] = {
	        {"rows.csv", false, {0}, {0}},
	        {"c_order.npy", true, {0}, {0}},
	        {"fortran.npy", true, {.fortran = true}, {0}},
	};
	return cr_make_param_array(struct file, files, sizeof files / sizeof files[0]);
}

ParameterizedTest(struct file *file, same_bits, do_not_depend_on_the_number_of_workers)
{
	struct table table = table_new(ROWS, FEATURES, 0.5, 1);
	write_file(file, &table);
	configure(file->name);
	struct outcome expected = train(1, NULL);
	for (unsigned workers = 2; workers <= WORKERS_MAX; workers = next_count(workers)) {
		struct outcome found = train(workers, NULL);
		expect_same(&found, &expected, file->name, workers);
		outcome_release(&found);
	}
	outcome_release(&expected);
	table_release(&table);
}

ParameterizedTestParameters(same_bits, hold_in_every_kind_of_file)
{
	static struct file files[] = {
	        {"semicolons.csv", false, {0}, {.delimiter = ';', .without_header = true}},
	        {"crlf.csv", false, {0}, {.crlf = true, .byte_order_mark = true}},
	        {"quoted.csv", false, {0}, {.quoted = true}},
	        {"bars.csv", false, {0}, {.delimiter = '|', .without_last_newline = true}},
	        {"narrow.npy", true, {.narrow = true}, {0}},
	        {"narrow_f.npy", true, {.narrow = true, .fortran = true}, {0}},
	};
	return cr_make_param_array(struct file, files, sizeof files / sizeof files[0]);
}

ParameterizedTest(struct file *file, same_bits, hold_in_every_kind_of_file)
{
	static const unsigned counts[] = {2, 3, 7, 33};
	struct table table = table_new(1000, 3, 0.5, 2);
	write_file(file, &table);
	configure(file->name);
	struct outcome expected = train(1, NULL);
	for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
		struct outcome found = train(counts[i], NULL);
		expect_same(&found, &expected, file->name, counts[i]);
		outcome_release(&found);
	}
	outcome_release(&expected);
	table_release(&table);
}

/* Leaves follow from the number of rows, so the four layouts of one array have the same ones. */
Test(same_bits, are_those_of_the_numbers_however_an_array_is_stored)
{
	static const struct npy_style styles[] = {
	        {0}, {.fortran = true}, {.narrow = true}, {.narrow = true, .fortran = true}};
	struct table table = table_new(ROWS, FEATURES, 0.5, 3);
	struct outcome expected = {0};
	configure("x.npy");
	for (size_t i = 0; i < sizeof styles / sizeof styles[0]; i++) {
		table_write_npy(&table, workspace_path("x.npy"), styles[i]);
		struct outcome found = train(5, NULL);
		/* What comes after says how many bytes the file has. */
		*strstr(found.model, "\"dataset\"") = '\0';
		if (i == 0) {
			expected = found;
			continue;
		}
		expect_same(&found, &expected, i == 1 ? "Fortran order" : i == 2 ? "f4" : "f4 in Fortran order", 5);
		outcome_release(&found);
	}
	outcome_release(&expected);
	table_release(&table);
}

/* Leaves are ranges of bytes, and another delimiter moves none. */
Test(same_bits, do_not_depend_on_the_delimiter)
{
	static const char delimiters[] = {',', ';', '\t', '|'};
	struct table table = table_new(ROWS, FEATURES, 0.5, 4);
	struct outcome expected = {0};
	configure("x.csv");
	for (size_t i = 0; i < sizeof delimiters; i++) {
		table_write_csv(&table, workspace_path("x.csv"), (struct csv_style){.delimiter = delimiters[i]});
		struct outcome found = train(4, NULL);
		if (i == 0) {
			expected = found;
			continue;
		}
		expect_same(&found, &expected, (char[]){delimiters[i], '\0'}, 4);
		outcome_release(&found);
	}
	outcome_release(&expected);
	table_release(&table);
}

Test(same_bits, do_not_depend_on_the_number_of_cpus)
{
	struct table table = table_new(ROWS, FEATURES, 0.5, 5);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	configure("x.npy");
	struct outcome expected = train(9, NULL);
	cr_assert(confine_to_one_cpu());
	struct outcome found = train(9, NULL);
	expect_same(&found, &expected, "one CPU", 9);
	struct outcome alone = train(1, NULL);
	expect_same(&alone, &expected, "one CPU", 1);
	outcome_release(&alone);
	outcome_release(&found);
	outcome_release(&expected);
	table_release(&table);
}

/* The workers' numbers in the order in which their answers came, and the shortest time that one took, in ms. */
static char *arrivals(double *shortest_ms)
{
	json_t *answers = events_read(workspace_path("events"), "gradient_received");
	size_t count = json_array_size(answers);
	char *order = calloc(count + 1, 1);
	cr_assert(order != NULL);
	for (size_t i = 0; i < count; i++) {
		json_t *answer = json_array_get(answers, i);
		double milliseconds = json_number_at(answer, "round_trip_ms");
		order[i] = (char)('A' + (int)json_number_at(answer, "worker"));
		if (milliseconds < *shortest_ms)
			*shortest_ms = milliseconds;
	}
	json_decref(answers);
	return order;
}

/* Catches the mutation order_of_arrival. */
Test(same_bits, do_not_depend_on_the_order_of_arrival)
{
	enum { WORKERS = 11 };
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer wants to be loaded before any other library");
	struct table table = table_new(ROWS, FEATURES, 0.5, 6);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	configure("x.npy");
	struct outcome expected = train(WORKERS, NULL);
	char *preload = coordinator_preload("delay_shim.so");
	char *previous = strdup("");
	for (unsigned seed = 1; seed <= 4; seed++) {
		char seed_setting[32];
		snprintf(seed_setting, sizeof seed_setting, "FORKFIT_DELAY_SEED=%u", seed);
		const char *const environment[] = {preload, seed_setting, NULL};
		struct outcome found = train(WORKERS, &(struct run_options){.environment = environment});
		expect_same(&found, &expected, seed_setting, WORKERS);
		double shortest_ms = 1e9;
		char *order = arrivals(&shortest_ms);
		cr_expect(shortest_ms >= 0.05, "an answer after %g ms: nothing has delayed it", shortest_ms);
		cr_expect_str_neq(order, previous, "the order of arrival has not changed");
		free(previous);
		previous = order;
		outcome_release(&found);
	}
	free(previous);
	free(preload);
	outcome_release(&expected);
	table_release(&table);
}
