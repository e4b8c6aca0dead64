#include "tests/end_to_end/system_calls.h"

#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each process has a file of its own, with this name before its pid. */
#define PREFIX "strace."

/* From common/PROTOCOL.md. */
enum { FRAME_HEADER_BYTES = 32, AT_TYPE = 5, AT_LENGTH = 8, AT_EPOCH = 20 };

bool system_calls_are_visible(void)
{
	struct run_result which = run_program(RUN_ARGV("sh", "-c", "command -v strace"), NULL);
	bool there = which.exit_code == 0;
	run_result_release(&which);
	if (!there)
		return false;
	struct run_result result = run_program(RUN_ARGV("strace", "-o", "/dev/null", "true"), NULL);
	bool visible = result.exit_code == 0;
	run_result_release(&result);
	return visible;
}

const char *const *system_calls_traced(const char *const argv[])
{
	enum { ARGUMENTS_MAX = 32 };
	static const char *const strace[] = {"strace", "-ff", "-xx", "-s", "24", "-o", "strace"};
	static const char *traced[ARGUMENTS_MAX];
	size_t count = 0;
	for (; count < sizeof strace / sizeof strace[0]; count++)
		traced[count] = strace[count];
	for (; *argv != NULL && count < ARGUMENTS_MAX - 1; argv++)
		traced[count++] = *argv;
	traced[count] = NULL;
	return traced;
}

/* "\x46\x4b…" as strace -xx writes the bytes of a buffer. */
static size_t parse_bytes(const char *text, unsigned char *bytes)
{
	size_t count = 0;
	unsigned value;
	if (*text != '"')
		return 0;
	for (text++; count < CALL_BYTES && sscanf(text, "\\x%2x", &value) == 1; text += 4)
		bytes[count++] = (unsigned char)value;
	return count;
}

/* "read(0, "\x46…"..., 4096) = 182". False: it is not the line of a call, but of a signal or an exit. */
static bool parse_line(const char *line, struct call *call)
{
	char *end;
	const char *open = strchr(line, '(');
	const char *result = NULL;
	*call = (struct call){.first = -1, .result = -1};
	if (open == NULL || line[0] == '+' || line[0] == '-')
		return false;
	snprintf(call->name, sizeof call->name, "%.*s", (int)(open - line), line);
	long first = strtol(open + 1, &end, 10);
	if (end != open + 1) {
		call->first = first;
		if (strncmp(end, ", ", 2) == 0)
			call->byte_count = parse_bytes(end + 2, call->bytes);
	}
	for (const char *at = line; (at = strstr(at, " = ")) != NULL; at++)
		result = at;
	if (result != NULL)
		call->result = strtol(result + 3, NULL, 0);
	return true;
}

static void read_trace(const char *path, struct trace *trace)
{
	char *text = file_read(path, NULL);
	char *rest = NULL;
	size_t lines = 1;
	for (const char *at = text; *at != '\0'; at++)
		lines += *at == '\n';
	*trace = (struct trace){.calls = calloc(lines, sizeof *trace->calls)};
	cr_assert(trace->calls != NULL);
	for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		if (parse_line(line, &trace->calls[trace->count]))
			trace->count++;
	trace->coordinator = trace->count > 0 && strcmp(trace->calls[0].name, "execve") == 0;
	free(text);
}

size_t system_calls_read(struct trace *traces, size_t capacity)
{
	size_t count = 0;
	char *rest = NULL;
	char *names = workspace_files();
	for (char *name = strtok_r(names, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest)) {
		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		cr_assert(count < capacity, "more processes than there should be");
		read_trace(workspace_path(name), &traces[count++]);
		if (traces[count - 1].coordinator) {
			struct trace first = traces[0];
			traces[0] = traces[count - 1];
			traces[count - 1] = first;
		}
	}
	free(names);
	cr_assert(count > 0 && traces[0].coordinator, "no trace of the coordinator");
	return count;
}

void system_calls_release(struct trace *traces, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(traces[i].calls);
}

bool call_moves_frame(const struct call *call)
{
	bool moves = strcmp(call->name, "read") == 0 || strcmp(call->name, "write") == 0;
	return moves && call->byte_count == CALL_BYTES && memcmp(call->bytes, "FKFT", 4) == 0;
}

static uint32_t number_at(const struct call *call, size_t place)
{
	const unsigned char *bytes = call->bytes + place;
	return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

unsigned frame_type(const struct call *call)
{
	return call->bytes[AT_TYPE];
}

uint32_t frame_epoch(const struct call *call)
{
	return number_at(call, AT_EPOCH);
}

long frame_length(const struct call *call)
{
	return FRAME_HEADER_BYTES + (long)number_at(call, AT_LENGTH);
}
