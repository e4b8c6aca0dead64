#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* More files than any test has. */
enum { PATHS_MAX = 256 };

static char *directory;
static char *paths[PATHS_MAX];
static size_t path_count;

void workspace_open(void)
{
	directory = directory_new();
}

void workspace_close(void)
{
	directory_remove(directory);
	while (path_count > 0)
		free(paths[--path_count]);
	free(directory);
	directory = NULL;
}

const char *workspace(void)
{
	return directory;
}

const char *workspace_path(const char *name)
{
	cr_assert(path_count < PATHS_MAX);
	paths[path_count] = path_join(directory, name);
	return paths[path_count++];
}

static int is_visible(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

char *workspace_files(void)
{
	struct dirent **entries;
	char *names = NULL;
	size_t length;
	FILE *text = open_memstream(&names, &length);
	int count = scandir(directory, &entries, is_visible, alphasort);
	cr_assert(text != NULL && count >= 0);
	for (int i = 0; i < count; i++) {
		fprintf(text, "%s%s", i > 0 ? " " : "", entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	fclose(text);
	return names;
}

void workspace_configure(const char *format, ...)
{
	char text[65536];
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	cr_assert(length >= 0 && (size_t)length < sizeof text);
	char *path = path_join(directory, "run.json");
	file_write(path, text);
	free(path);
}

struct run *workspace_start(const char *const argv[], const struct run_options *options)
{
	struct run_options placed = {0};
	if (options != NULL)
		placed = *options;
	placed.directory = directory;
	return run_start(argv, &placed);
}

struct run_result workspace_run(const char *const argv[], const struct run_options *options)
{
	return run_finish(workspace_start(argv, options));
}

void workspace_run_to(int exit_code, const char *const argv[])
{
	struct run_result result = workspace_run(argv, NULL);
	cr_assert_eq(result.exit_code, exit_code, "exit code %d: %s", result.exit_code, result.err);
	run_result_release(&result);
}

void workspace_expect_same_bytes(const char *one, const char *other)
{
	size_t length, other_length;
	char *bytes = file_read(workspace_path(one), &length);
	char *other_bytes = file_read(workspace_path(other), &other_length);
	cr_expect(length == other_length && memcmp(bytes, other_bytes, length) == 0, "%s and %s differ", one, other);
	free(bytes);
	free(other_bytes);
}

json_t *model_of(const struct run_result *result)
{
	cr_assert(
	        result->exit_code == 0, "exit code %d, signal %d: %s", result->exit_code, result->signal, result->err);
	return json_from_text(result->out);
}

json_t *workspace_train(const char *const argv[])
{
	struct run_result result = workspace_run(argv, NULL);
	json_t *model = model_of(&result);
	run_result_release(&result);
	return model;
}
