#include "coordinator/timeline_file.h"

#include "coordinator/timeline.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The longest line there can be is less: texts are cut. */
enum { LINE_BYTES = 4096 };

/* A write(2) for less would cost more than what it writes. */
enum { WRITE_BYTES = 65536 };

#define EPOCHS_LIMIT (TIMELINE_STEPS * TIMELINE_STEP_BYTES)

static bool reserve(struct timeline_lines *lines, size_t more)
{
	size_t capacity = lines->capacity > 0 ? lines->capacity : LINE_BYTES;
	while (capacity - lines->length < more)
		capacity *= 2;
	if (capacity == lines->capacity)
		return true;
	char *text = realloc(lines->text, capacity);
	if (text == NULL)
		return false;
	lines->text = text;
	lines->capacity = capacity;
	return true;
}

void timeline_add(struct timeline_lines *lines, const char *format, ...)
{
	if (lines == NULL)
		return;
	if (!reserve(lines, LINE_BYTES)) {
		lines->incomplete = true;
		return;
	}
	va_list arguments;
	va_start(arguments, format);
	int length = vsnprintf(lines->text + lines->length + 2, LINE_BYTES - 2, format, arguments);
	va_end(arguments);
	if (length < 0 || length >= LINE_BYTES - 2) {
		lines->incomplete = true; /* half a line is none */
		return;
	}
	memcpy(lines->text + lines->length, ",\n", 2);
	lines->length += (size_t)length + 2;
}

void timeline_slice(struct timeline_lines *lines, struct timeline_track *track, const char *name, struct range time,
        const char *more)
{
	uint64_t begin = time.begin > track->end_ns ? time.begin : track->end_ns;
	uint64_t end = time.end > begin ? time.end : begin;
	track->end_ns = end;
	timeline_add(lines,
	        "{\"ph\":\"X\",\"pid\":%ld,\"tid\":%ld,\"name\":\"%s\",\"ts\":%" PRIu64 ".%03" PRIu64
	        ",\"dur\":%" PRIu64 ".%03" PRIu64 "%s}",
	        track->pid, track->tid, name, begin / 1000, begin % 1000, (end - begin) / 1000, (end - begin) % 1000,
	        more);
}

bool timeline_file_open(struct timeline_file *file, const char *path)
{
	*file = (struct timeline_file){.stride = 1};
	file->descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	return file->descriptor >= 0;
}

static void put(struct timeline_file *file, const char *text, size_t left)
{
	file->written += left;
	while (left > 0 && file->failure == 0) {
		ssize_t written = write(file->descriptor, text, left);
		if (written >= 0) {
			text += written;
			left -= (size_t)written;
		} else if (errno != EINTR) {
			file->failure = errno;
		}
	}
}

/* Writes and forgets lines. At the file's beginning the bracket stands in place of the comma. */
static void put_lines(struct timeline_file *file, struct timeline_lines *lines)
{
	if (lines->incomplete && file->failure == 0)
		file->failure = ENOMEM;
	if (lines->length > 0 && file->written == 0)
		lines->text[0] = '[';
	put(file, lines->text, lines->length);
	lines->length = 0;
}

static void put_always(struct timeline_file *file)
{
	if (file->written < 2 * EPOCHS_LIMIT)
		put_lines(file, &file->always);
	else
		file->lines_left_out++;
	file->always.length = 0;
}

static bool is_kept(const struct timeline_file *file, const struct timeline_epoch *epoch)
{
	if (epoch->epoch == 0)
		return true;
	return file->written < EPOCHS_LIMIT && (epoch->unusual || epoch->epoch % file->stride == 0);
}

static void leave_out(struct timeline_file *file, struct timeline_epoch *epoch)
{
	if (file->left_out_first == 0) {
		file->left_out_first = epoch->epoch;
		file->left_out_time.begin = epoch->time.begin;
	}
	file->left_out_last = epoch->epoch;
	file->left_out_time.end = epoch->time.end;
	epoch->lines.length = 0;
}

static void tell_left_out(struct timeline_file *file)
{
	char name[64];
	if (file->left_out_first == 0)
		return;
	if (file->left_out_first == file->left_out_last)
		snprintf(name, sizeof name, "epoch %" PRIu32 " (left out)", file->left_out_first);
	else
		snprintf(name, sizeof name, "epochs %" PRIu32 " to %" PRIu32 " (left out)", file->left_out_first,
		        file->left_out_last);
	struct timeline_track track = {file->epochs.pid, file->epochs.tid, 0};
	timeline_slice(&file->always, &track, name, file->left_out_time, "");
	file->left_out_first = 0;
}

/* Decides about an epoch that nothing more will be said of. */
static void settle(struct timeline_file *file, struct timeline_epoch *epoch, bool last)
{
	if (last || is_kept(file, epoch)) {
		tell_left_out(file);
		put_always(file); /* names of tracks come before what is on them */
		put_lines(file, &epoch->lines);
	} else {
		leave_out(file, epoch);
	}
	while (file->stride < 1U << TIMELINE_STEPS &&
	        file->written / TIMELINE_STEP_BYTES > (uint64_t)__builtin_ctz(file->stride))
		file->stride *= 2;
}

void timeline_file_enter(struct timeline_file *file, uint32_t epoch)
{
	if (epoch != file->current.epoch) {
		struct timeline_epoch settled = file->before;
		settle(file, &settled, false);
		file->before = file->current;
		file->current = (struct timeline_epoch){.epoch = epoch, .lines = settled.lines};
	}
	if (file->always.length >= WRITE_BYTES)
		put_always(file);
	if (file->current.epoch == 0 && file->current.lines.length >= WRITE_BYTES)
		put_lines(file, &file->current.lines);
}

struct timeline_lines *timeline_file_lines(struct timeline_file *file, uint32_t epoch)
{
	if (epoch == file->current.epoch)
		return &file->current.lines;
	return epoch == file->before.epoch ? &file->before.lines : NULL;
}

bool timeline_file_close(struct timeline_file *file)
{
	settle(file, &file->before, false);
	settle(file, &file->current, true);
	put_always(file);
	put(file, file->written == 0 ? "[]\n" : "\n]\n", 3);
	if (close(file->descriptor) != 0 && file->failure == 0)
		file->failure = errno;
	free(file->always.text);
	free(file->current.lines.text);
	free(file->before.lines.text);
	errno = file->failure;
	return file->failure == 0;
}
