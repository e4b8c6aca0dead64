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

/* Reads the text, writes what was understood, and reads that. */
static void check_round_trip(const char *name, const char *text)
{
	struct reading first = read_config(text, NULL);
	cr_assert(first.ok, "%s: %s", name, first.error.message);
	char *effective = config_to_json(&first.config);
	struct reading second = read_config(effective, NULL);
	cr_assert(second.ok, "%s: %s in %s", name, second.error.message, effective);
	char *again = config_to_json(&second.config);
	cr_expect(configs_equal(&first.config, &second.config), "%s becomes %s", name, effective);
	cr_expect_str_eq(again, effective, "%s", name);
	free(again);
	free(effective);
	reading_release(&first);
	reading_release(&second);
}

Test(config_examples, survive_being_written_and_read_again)
{
	glob_t files;
	char root[4096], path[8192];
	cr_assert_not_null(getcwd(root, sizeof root));
	cr_assert(glob("tests/data/valid/*.json", 0, NULL, &files) == 0);
	cr_expect(files.gl_pathc >= VALID_MIN, "only %zu", files.gl_pathc);
	scratch_enter();
	for (size_t i = 0; i < files.gl_pathc; i++) {
		snprintf(path, sizeof path, "%s/%s", root, files.gl_pathv[i]);
		char *text = read_file(path);
		cr_assert_not_null(text);
		check_round_trip(files.gl_pathv[i], text);
		free(text);
	}
	scratch_leave();
	globfree(&files);
}

/* A line {"config": …, "valid": …} of the script: does the parser say the same? */
static void check_verdict(const char *line)
{
	json_t *verdict = json_loads(line, 0, NULL);
	const json_t *valid = json_object_get(verdict, "valid");
	cr_assert(json_is_boolean(valid), "no verdict: %s", line);
	char *text = json_dumps(json_object_get(verdict, "config"), JSON_ENCODE_ANY);
	struct reading reading = read_config(text, NULL);
	cr_expect(reading.ok == json_is_true(valid), "the schema says %s, the parser %s of %s",
	        json_is_true(valid) ? "good" : "bad", reading.ok ? "good" : reading.error.message, text);
	reading_release(&reading);
	free(text);
	json_decref(verdict);
}

Test(config_examples, are_judged_alike_by_schema_and_parser)
{
	FILE *script = popen("/usr/bin/python3 tests/end_to_end/schema_agreement.py " SCHEMA, "r");
	char *line = NULL;
	size_t size = 0, verdicts = 0;
	cr_assert_not_null(script);
	scratch_enter();
	for (; getline(&line, &size, script) > 0; verdicts++)
		check_verdict(line);
	scratch_leave();
	free(line);
	int status = pclose(script);
	cr_expect(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the script ended with status %d", status);
	cr_expect(verdicts >= VERDICTS_MIN, "only %zu", verdicts);
}

/* The schema of the key at a path; NULL: there is none. */
static const json_t *find_property(const json_t *schema, const char *path)
{
	char steps[128];
	snprintf(steps, sizeof steps, "%s", path);
	for (char *step = strtok(steps, "."); step; step = strtok(NULL, "."))
		schema = json_object_get(json_object_get(schema, "properties"), step);
	return schema;
}

static size_t count_properties(const json_t *schema)
{
	json_t *properties = json_object_get(schema, "properties");
	size_t count = json_object_size(properties);
	const char *name;
	json_t *property;
	json_object_foreach(properties, name, property)
	{
		count += count_properties(property);
	}
	return count;
}

Test(config_examples, and_the_schema_describe_the_same_keys_and_defaults)
{
	json_t *schema = json_load_file(SCHEMA, 0, NULL);
	cr_assert_not_null(schema);
	cr_expect_eq(count_properties(schema), config_key_count);
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		const json_t *property = find_property(schema, key->path);
		cr_assert_not_null(property, "%s is not in the schema", key->path);
		const char *description = json_string_value(json_object_get(property, "description"));
		cr_assert_not_null(description, "%s has no description", key->path);
		cr_expect_str_eq(description, key->meaning, "of %s", key->path);
		cr_expect(json_is_string(json_object_get(property, "title")), "%s has no title", key->path);
		json_t *standard = key->standard ? json_loads(key->standard, JSON_DECODE_ANY, NULL) : NULL;
		const json_t *stated = json_object_get(property, "default");
		cr_expect(standard ? json_equal(standard, stated) : !stated, "default of %s", key->path);
		json_decref(standard);
	}
	json_decref(schema);
}
