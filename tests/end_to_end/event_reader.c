#include "tests/end_to_end/event_reader.h"

#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Is the line, up to its newline, that of an event of the type? */
static bool is_of_type(const char *line, const char *type)
{
	char member[64];
	if (type == NULL)
		return true;
	int length = snprintf(member, sizeof member, "\"event\":\"%s\"", type);
	const char *newline = strchr(line, '\n');
	const char *found = strstr(line, member);
	return length > 0 && found != NULL && found < newline;
}

/* Calls `take` for each whole line of the type. A log that is not there yet is empty. */
static void for_each_event(
        const char *path, const char *type, void (*take)(const char *line, void *context), void *context)
{
	if (!file_exists(path))
		return;
	char *text = file_read(path, NULL);
	char *newline;
	for (char *line = text; (newline = strchr(line, '\n')) != NULL; line = newline + 1)
		if (is_of_type(line, type))
			take(line, context);
	free(text);
}

static void append_event(const char *line, void *context)
{
	json_t *events = context;
	size_t length = (size_t)(strchr(line, '\n') - line);
	json_error_t error;
	json_t *event = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
	cr_assert(event != NULL, "a line of the event log: %s: %.*s", error.text, (int)length, line);
	json_array_append_new(events, event);
}

json_t *events_read(const char *path, const char *type)
{
	json_t *events = json_array();
	for_each_event(path, type, append_event, events);
	return events;
}

struct awaited_events {
	const char *path;
	const char *type;
	size_t count;
};

static void count_event(const char *line, void *context)
{
	(void)line;
	++*(size_t *)context;
}

static bool events_have_come(void *context)
{
	const struct awaited_events *awaited = context;
	size_t count = 0;
	for_each_event(awaited->path, awaited->type, count_event, &count);
	return count >= awaited->count;
}

bool events_wait(const char *path, const char *type, size_t count, double seconds)
{
	struct awaited_events awaited = {path, type, count};
	return wait_until(events_have_come, &awaited, seconds);
}

pid_t events_pid(const char *path, unsigned worker)
{
	json_t *forks = events_read(path, "worker_forked");
	pid_t pid = 0;
	for (size_t i = 0; i < json_array_size(forks); i++)
		if (json_number_at(json_array_get(forks, i), "worker") == worker)
			pid = (pid_t)json_number_at(json_array_get(forks, i), "pid");
	json_decref(forks);
	cr_assert(pid > 0, "worker %u has not been forked", worker);
	return pid;
}

static void print_loss(const char *line, void *context)
{
	static const char key[] = "\"loss\":";
	const char *loss = strstr(line, key);
	cr_assert(loss != NULL);
	loss += sizeof key - 1;
	fprintf(context, "%.*s\n", (int)strcspn(loss, ",}\n"), loss);
}

char *events_losses(const char *path)
{
	char *text = NULL;
	size_t length;
	FILE *file = open_memstream(&text, &length);
	cr_assert(file != NULL);
	for_each_event(path, "epoch_done", print_loss, file);
	cr_assert(fclose(file) == 0);
	return text;
}
