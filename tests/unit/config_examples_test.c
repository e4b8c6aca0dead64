/* Configurations that lie in files: those of the catalogue of wrong input, good ones, and what the schema judges. */
#include "coordinator/config.h"
#include "coordinator/config_key.h"

#include "tests/unit/config_reading.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <glob.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCHEMA "configs/run.schema.json"

enum { OVERRIDES_MAX = 8, INVALID_MIN = 150, VALID_MIN = 10, VERDICTS_MIN = 1000 };

TestSuite(config_examples, .timeout = 120);

/* Is the configuration all there is to the case: no dataset that could be what is wrong? */
static bool is_about_configuration(const char *directory)
{
	static const char known[] = " . .. run.json stderr args exit ";
	DIR *listing = opendir(directory);
	cr_assert_not_null(listing);
	bool has_configuration = false, has_more = false;
	for (struct dirent *entry; (entry = readdir(listing)) != NULL;) {
		char name[sizeof entry->d_name + 2];
		snprintf(name, sizeof name, " %s ", entry->d_name);
		has_configuration |= strcmp(entry->d_name, "run.json") == 0;
		has_more |= strstr(known, name) == NULL;
	}
	closedir(listing);
	return has_configuration && !has_more;
}

/* The lines of `args`, taken apart, as overrides. False: there are other arguments than --set. */
static bool find_overrides(char *arguments, const char *overrides[OVERRIDES_MAX], size_t *count)
{
	*count = 0;
	for (char *line = strtok(arguments, "\n"); line; line = strtok(NULL, "\n")) {
		char *value = strtok(NULL, "\n");
		if (strcmp(line, "--set") != 0 || !value)
			return false;
		cr_assert(*count < OVERRIDES_MAX);
		overrides[(*count)++] = value;
	}
	return true;
}

/* Reads the case in the working directory. False: it is none of this test's. */
static bool check_invalid(const char *name)
{
	const char *overrides[OVERRIDES_MAX];
	size_t count = 0;
	char *arguments = read_file("args");
	char *exit_code = read_file("exit");
	char *expected = read_file("stderr");
	bool is_refusal = !exit_code || atoi(exit_code) == EXIT_BAD_USAGE;
	bool checked = is_refusal && (!arguments || find_overrides(arguments, overrides, &count));
	cr_assert_not_null(expected, "%s has no file stderr", name);
	if (checked) {
		struct config config;
		struct error error;
		char said[sizeof error.message + 32] = "accepted";
		bool ok = config_read("run.json", overrides, count, &config, &error);
		if (ok)
			config_release(&config);
		else
			snprintf(said, sizeof said, "coordinator: %s\n", error.message);
		cr_expect_str_eq(said, expected, "%s: %s", name, said);
		cr_expect(ok || error.code == (exit_code ? EXIT_BAD_USAGE : EXIT_BAD_CONFIGURATION), "%s", name);
	}
	free(arguments);
	free(exit_code);
	free(expected);
	return checked;
}

Test(config_examples, are_refused_with_the_words_of_the_catalogue)
{
	glob_t cases;
	size_t checked = 0;
	char root[4096];
	cr_assert_not_null(getcwd(root, sizeof root));
	cr_assert(glob("tests/data/invalid/*", 0, NULL, &cases) == 0);
	for (size_t i = 0; i < cases.gl_pathc; i++) {
		if (!is_about_configuration(cases.gl_pathv[i]))
			continue;
		cr_assert(chdir(cases.gl_pathv[i]) == 0);
		checked += check_invalid(cases.gl_pathv[i]);
		cr_assert(chdir(root) == 0);
	}
	cr_expect(checked >= INVALID_MIN, "only %zu", checked);
	globfree(&cases);
}

/* Is its effective configuration the same configuration? */
static void check_round_trip(const char *path, const struct config *config)
{
	char written[] = "tests/data/valid/XXXXXX";
	(void)path, (void)config, (void)written;
}
