#include "coordinator/narration_words_parts.h"

#include "common/wire.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

void narrated_say(struct narrated_words *words, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(words->reason, sizeof words->reason, format, arguments);
	va_end(arguments);
}

void narrated_write_call(struct narrated_words *words, const struct call *call, const char *format, ...)
{
	static const struct {
		int number;
		const char *name;
	} errors[] = {{EAGAIN, "EAGAIN"}, {EPIPE, "EPIPE"}, {EINTR, "EINTR"}, {EBADF, "EBADF"}, {ENOMEM, "ENOMEM"},
	        {EMFILE, "EMFILE"}, {ECHILD, "ECHILD"}, {ESRCH, "ESRCH"}, {EINVAL, "EINVAL"}, {EPERM, "EPERM"},
	        {ENOENT, "ENOENT"}, {EACCES, "EACCES"}, {ENFILE, "ENFILE"}};
	va_list arguments;
	va_start(arguments, format);
	size_t length = (size_t)vsnprintf(words->call, sizeof words->call, format, arguments);
	va_end(arguments);
	char *at = words->call + length;
	size_t room = sizeof words->call - length;
	if (call->ended_ns == 0) {
		snprintf(at, room, call->kind == CALL_EXIT ? "" : " never returned");
	} else if (call->error != 0) {
		char number[24];
		snprintf(number, sizeof number, "errno %d", call->error);
		const char *name = number;
		for (size_t i = 0; i < sizeof errors / sizeof *errors; i++)
			if (errors[i].number == call->error)
				name = errors[i].name;
		snprintf(at, room, " = -1 %s", name);
	} else if (call->kind == CALL_MMAP) {
		snprintf(at, room, " = 0x%" PRIx64, (uint64_t)call->result);
	} else if (call->kind != CALL_PIPE) {
		snprintf(at, room, " = %" PRId64, call->result);
	}
}

const char *narrated_frame_text(int64_t type)
{
	return type >= FRAME_ASSIGN && type < FRAME_TYPE_END ? frame_type_name((enum frame_type)type) : "bytes";
}

/* "rows 0 to 166" or "bytes 120 to 5000 of the file", of a worker's chunk. */
static void chunk_text(const struct narrated_worker *worker, char *text, size_t capacity)
{
	if (worker->rows.end > worker->rows.begin)
		snprintf(text, capacity, "its rows %" PRIu64 " to %" PRIu64, worker->rows.begin, worker->rows.end - 1);
	else if (worker->bytes.end > worker->bytes.begin)
		snprintf(text, capacity, "its rows (bytes %" PRIu64 " to %" PRIu64 ")", worker->bytes.begin,
		        worker->bytes.end - 1);
	else
		snprintf(text, capacity, "its rows");
}

void narrated_tell_map(const struct narrated_worker *worker, const struct call *call, struct narrated_words *words)
{
	char chunk[96], place[24] = "NULL";
	const int64_t *arguments = call->arguments;
	int64_t page = sysconf(_SC_PAGESIZE);
	bool guards = arguments[2] == PROT_NONE;
	if (arguments[0] != 0)
		snprintf(place, sizeof place, "0x%" PRIx64, (uint64_t)arguments[0]);
	narrated_write_call(words, call, "mmap(%s, %" PRId64 ", %s, %s, %d, %" PRId64 ")", place, arguments[1],
	        guards ? "PROT_NONE" : "PROT_READ",
	        (arguments[3] & MAP_FIXED) != 0 ? "MAP_SHARED|MAP_FIXED" : "MAP_SHARED", (int)arguments[4],
	        arguments[5]);
	if (worker == NULL) {
		narrated_say(words, "the coordinator looks for the beginnings of records");
		return;
	}
	chunk_text(worker, chunk, sizeof chunk);
	if (guards)
		narrated_say(words,
		        "keeps addresses free that nobody may touch: a page before and one behind what comes next "
		        "stay so, "
		        "and catch who reads too far");
	else
		narrated_say(words, "pages %" PRId64 " to %" PRId64 " of the file, read-only: there are %s",
		        arguments[5] / page, (arguments[5] + arguments[1] - 1) / page, chunk);
}

static bool is_general(enum call_kind kind)
{
	return kind == CALL_DUP2 || kind == CALL_NONBLOCK || (kind >= CALL_DIE_WITH && kind <= CALL_SECCOMP) ||
	       kind == CALL_POLL || kind == CALL_MUNMAP;
}

void narrated_words_find(
        struct narrated_world *world, int32_t actor, const struct call *call, struct narrated_words *words)
{
	*words = (struct narrated_words){.general = is_general(call->kind)};
	if (actor == NARRATED_COORDINATOR)
		narrated_tell_coordinator(world, call, words);
	else
		narrated_tell_worker(world, actor, call, words);
}
