/*
 * The catalogue of wrong input: each directory tests/data/invalid/<case> is a run that is refused. In it:
 *   run.json   the configuration; the program runs in the directory, as `coordinator --config run.json`
 *   args       further arguments, one a line, if there are any
 *   stderr     what the program has to say, exactly
 *   exit       the exit status it has to end with, where that is not 78
 * and whatever files the configuration speaks of. To add a case is to add a directory.
 */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CATALOGUE "tests/data/invalid"

/* So many at least, or a part of the catalogue has got lost. */
enum { CASES_MIN = 80, CASES_MAX = 1000, ARGUMENTS_MAX = 16 };

TestSuite(invalid_input, .timeout = 60);

struct invalid_case {
	char name[256]; /* as long as a directory entry can be */
};

static int is_case(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* In the order of their names; at most CASES_MAX. */
static size_t list_cases(struct invalid_case *cases)
{
	struct dirent **entries;
	int found = scandir(CATALOGUE, &entries, is_case, alphasort);
	size_t count = 0;
	for (int i = 0; i < found; i++) {
		if (count < CASES_MAX)
			snprintf(cases[count++].name, sizeof cases->name, "%s", entries[i]->d_name);
		free(entries[i]);
	}
	if (found >= 0)
		free(entries);
	return count;
}

/* Fills argv from `filled` on with the lines of the text, which it takes apart. */
static void append_lines(const char *argv[], size_t filled, char *text)
{
	for (char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
		*end = '\0';
		cr_assert(filled < ARGUMENTS_MAX - 1);
		argv[filled++] = line;
	}
	argv[filled] = NULL;
}

static int expected_exit_code(const char *directory)
{
	int code = 78;
	char *path = path_join(directory, "exit");
	if (file_exists(path)) {
		char *text = file_read(path, NULL);
		code = atoi(text);
		free(text);
	}
	free(path);
	return code;
}

static struct run_result run_case(const char *directory)
{
	const char *argv[ARGUMENTS_MAX] = {coordinator_path(), "--config", "run.json"};
	struct run_options options = {.directory = directory};
	char *path = path_join(directory, "args");
	char *arguments = file_exists(path) ? file_read(path, NULL) : NULL;
	if (arguments != NULL)
		append_lines(argv, 3, arguments);
	struct run_result result = run_program(argv, &options);
	free(arguments);
	free(path);
	return result;
}

ParameterizedTestParameters(invalid_input, is_refused_with_the_expected_words)
{
	static struct invalid_case cases[CASES_MAX];
	return cr_make_param_array(struct invalid_case, cases, list_cases(cases));
}

ParameterizedTest(struct invalid_case *invalid, invalid_input, is_refused_with_the_expected_words)
{
	char *directory = path_join(CATALOGUE, invalid->name);
	char *expected_path = path_join(directory, "stderr");
	char *expected = file_read(expected_path, NULL);
	char *before = directory_snapshot(directory);
	struct run_result result = run_case(directory);
	char *after = directory_snapshot(directory);
	int exit_code = expected_exit_code(directory);

	cr_expect(strcmp(result.err, expected) == 0, "%s: standard error is\n%s\ninstead of\n%s", invalid->name,
	        result.err, expected);
	cr_expect(result.exit_code == exit_code, "%s: exit code %d (signal %d), not %d", invalid->name,
	        result.exit_code, result.signal, exit_code);
	cr_expect(result.out_length == 0, "%s: standard output is not empty:\n%s", invalid->name, result.out);
	cr_expect(strcmp(before, after) == 0, "%s: files before:\n%s\nand after:\n%s", invalid->name, before, after);
	cr_expect(session_ends(result.pid, 0), "%s: a process is left", invalid->name);

	run_result_release(&result);
	free(before);
	free(after);
	free(expected);
	free(expected_path);
	free(directory);
}

Test(invalid_input, has_a_catalogue_worth_the_name)
{
	static struct invalid_case cases[CASES_MAX];
	size_t count = list_cases(cases);
	cr_assert(count >= CASES_MIN, "%zu cases in " CATALOGUE, count);
	cr_assert(count < CASES_MAX);
}
