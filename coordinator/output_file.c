#include "coordinator/output_file.h"

#include "coordinator/nameless_file.h"
#include "coordinator/standard_output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that is being written: it takes its place when it is complete. */
struct draft {
	int directory; /* in which it lies, open */
	int file;
	char *name;    /* one for each path, so that leftovers cannot pile up */
	bool is_named; /* else the file has no name yet */
};

static const char draft_suffix[] = ".forkfit-draft";

static bool cannot_write(const char *path, struct error *error)
{
	return error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot write %s", path);
}

static char *name_beside(const char *path, const char *suffix)
{
	char *name = malloc(strlen(path) + strlen(suffix) + 1);
	if (name != NULL)
		sprintf(name, "%s%s", path, suffix);
	return name;
}

static int open_directory_of(const char *path)
{
	char *copy = strdup(path);
	int descriptor = copy == NULL ? -1 : open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	return descriptor;
}

static bool open_file(struct draft *draft)
{
	/* What a killed coordinator may have left. */
	int obstacle = unlink(draft->name) == 0 || errno == ENOENT ? 0 : errno;
	if (obstacle == ENAMETOOLONG)
		return false; /* there can be no draft of that name */
	draft->file = nameless_file_open(draft->directory);
	if (draft->file < 0) {
		draft->file = open(draft->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		draft->is_named = draft->file >= 0;
		if (!draft->is_named && errno == EEXIST && obstacle != 0)
			errno = obstacle;
	}
	return draft->file >= 0;
}

static void draft_close(struct draft *draft)
{
	if (draft->file >= 0)
		close(draft->file);
	if (draft->directory >= 0)
		close(draft->directory);
	if (draft->is_named)
		unlink(draft->name);
	free(draft->name);
}

static bool is_replaceable(const char *path, struct error *error)
{
	struct stat status;
	if (stat(path, &status) != 0 || S_ISREG(status.st_mode))
		return true;
	return error_set(error, EXIT_OUTPUT_FAILED, "cannot write %s: it is not a regular file", path);
}

static bool draft_open(struct draft *draft, const char *path, struct error *error)
{
	*draft = (struct draft){.directory = -1, .file = -1, .name = name_beside(path, draft_suffix)};
	if (draft->name == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	if (is_replaceable(path, error)) {
		draft->directory = open_directory_of(path);
		if (draft->directory >= 0 && open_file(draft))
			return true;
		cannot_write(path, error);
	}
	draft_close(draft);
	return false;
}

static bool is_directory(const char *name)
{
	struct stat status;
	return lstat(name, &status) == 0 && S_ISDIR(status.st_mode);
}

/* Whose draft may lie there is not known, so that it stays; a name that another check has at the moment shows as much.
 */
static bool can_create(int directory, const char *draft, const char *trial)
{
	struct stat status;
	if (lstat(draft, &status) != 0 && errno == ENAMETOOLONG)
		return false;
	int file = nameless_file_open(directory);
	bool is_nameless = file >= 0;
	if (!is_nameless)
		file = open(trial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (file < 0)
		return errno == EEXIST;
	close(file);
	return is_nameless || unlink(trial) == 0;
}

bool output_file_check(const char *path, struct error *error)
{
	if (!is_replaceable(path, error))
		return false;
	char *draft = name_beside(path, draft_suffix), *trial = name_beside(path, ".forkfit-check");
	int directory = open_directory_of(path);
	bool can = false;
	if (draft == NULL || trial == NULL)
		error_set(error, EXIT_OS_ERROR, "out of memory");
	else if (directory < 0)
		cannot_write(path, error);
	else if (is_directory(draft)) /* which no draft can take the place of */
		error_set(error, EXIT_OUTPUT_FAILED, "cannot write %s: %s is a directory", path, draft);
	else
		can = can_create(directory, draft, trial) || cannot_write(path, error);
	if (directory >= 0)
		close(directory);
	free(draft);
	free(trial);
	return can;
}

static bool write_all(int descriptor, const char *text, size_t left)
{
	while (left > 0) {
		ssize_t put = write(descriptor, text, left);
		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return false;
		text += put;
		left -= (size_t)put;
	}
	return true;
}

static bool sync_to_disk(int descriptor)
{
	int status;
	do
		status = fsync(descriptor);
	while (status != 0 && errno == EINTR);
	return status == 0;
}

/* In two halves, so that a draft can be found that is neither empty nor complete. */
static bool write_draft(const struct draft *draft, const char *text, const struct fault_points *points)
{
	size_t half = strlen(text) / 2;
	if (!write_all(draft->file, text, half))
		return false;
	errno = fault_point_step(points, STEP_WRITE);
	return errno == 0 && write_all(draft->file, text + half, strlen(text + half)) && sync_to_disk(draft->file);
}

/* Lets `path` name the draft, in place of what it has named so far. */
static bool take_place(struct draft *draft, const char *path)
{
	if (!draft->is_named) {
		if (nameless_file_name(draft->file, path))
			return true;
		if (errno != EEXIST || !nameless_file_name(draft->file, draft->name))
			return false;
		draft->is_named = true;
	}
	if (rename(draft->name, path) != 0)
		return false;
	draft->is_named = false;
	return true;
}

/* Makes the names themselves survive a crash of the machine. Some file systems cannot, and do not need to. */
static bool sync_directory(const struct draft *draft)
{
	return sync_to_disk(draft->directory) || errno == EINVAL;
}

/* Lets `previous`, unless it is NULL, name what `path` has named so far, if anything, and `path` the draft. */
static bool publish(struct draft *draft, const char *path, const char *previous, const struct fault_points *points)
{
	fault_point_step(points, STEP_RENAME);
	if (previous != NULL && rename(path, previous) != 0 && errno != ENOENT)
		return false;
	if (!take_place(draft, path))
		return false;
	fault_point_step(points, STEP_DONE);
	return sync_directory(draft);
}

bool output_file_rotate(const char *path, const char *previous, const char *text, const struct fault_points *points,
        struct error *error)
{
	struct draft draft;
	fault_point_step(points, STEP_DRAFT);
	if (!draft_open(&draft, path, error))
		return false;
	bool written = write_draft(&draft, text, points) && publish(&draft, path, previous, points);
	if (!written)
		cannot_write(path, error);
	draft_close(&draft);
	return written;
}

bool output_file_write(const char *path, const char *text, struct error *error)
{
	return output_file_rotate(path, NULL, text, NULL, error);
}

/*
 * A page cache may keep a file in pieces as large as the writes that it came in: Linux with large folios does. What
 * came in whole huge pages is later mapped as such. Mapping, reading and unmapping 128 MB took 0.5 ms of the kernel's
 * time after writes of 2 MiB, 1.5 after 1 MiB, 15 after 4 KiB.
 */
enum { HUGE_PAGE = 1 << 21 };

struct output_stream {
	FILE *file;
	const char *path; /* NULL: standard output */
	char *buffer;     /* of a huge page; NULL: standard output */
	struct draft draft;
};

static bool open_stream(struct output_stream *stream, const char *path, struct error *error)
{
	if (!draft_open(&stream->draft, path, error))
		return false;
	stream->buffer = malloc(HUGE_PAGE);
	stream->file = stream->buffer == NULL ? NULL : fdopen(stream->draft.file, "w");
	if (stream->file != NULL) {
		setvbuf(stream->file, stream->buffer, _IOFBF, HUGE_PAGE);
		return true;
	}
	error_set(error, EXIT_OS_ERROR, "out of memory");
	draft_close(&stream->draft);
	free(stream->buffer);
	return false;
}

struct output_stream *output_stream_open(const char *path, struct error *error)
{
	struct output_stream *stream = calloc(1, sizeof *stream);
	if (stream == NULL) {
		error_set(error, EXIT_OS_ERROR, "out of memory");
		return NULL;
	}
	stream->path = path;
	stream->file = stdout;
	if (path == NULL || open_stream(stream, path, error))
		return stream;
	free(stream);
	return NULL;
}

FILE *output_stream_file(const struct output_stream *stream)
{
	return stream->file;
}

void output_stream_discard(struct output_stream *stream)
{
	if (stream->path != NULL) {
		fclose(stream->file); /* with the draft's descriptor */
		stream->draft.file = -1;
		draft_close(&stream->draft);
		free(stream->buffer);
	}
	free(stream);
}

bool output_stream_finish(struct output_stream *stream, struct error *error)
{
	bool written;
	if (stream->path == NULL) {
		written = standard_output_finish(error);
	} else {
		written = fflush(stream->file) == 0 && !ferror(stream->file) && sync_to_disk(stream->draft.file) &&
		          publish(&stream->draft, stream->path, NULL, NULL);
		if (!written)
			cannot_write(stream->path, error);
	}
	output_stream_discard(stream);
	return written;
}
