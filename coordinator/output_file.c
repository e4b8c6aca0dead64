#include "coordinator/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file that is written before it is renamed. One name for each path, so that leftovers cannot pile up. */
static char *draft_path(const char *path)
{
	static const char suffix[] = ".forkfit-draft";
	char *draft = malloc(strlen(path) + sizeof suffix);
	if (draft != NULL)
		sprintf(draft, "%s%s", path, suffix);
	return draft;
}

static bool cannot_write(const char *path, struct error *error)
{
	return error_set_errno(error, EXIT_OUTPUT_FAILED, "cannot write %s", path);
}

static int open_draft(const char *path, const char *draft, struct error *error)
{
	struct stat status;
	if (stat(path, &status) == 0 && !S_ISREG(status.st_mode)) {
		error_set(error, EXIT_OUTPUT_FAILED, "cannot write %s: it is not a regular file", path);
		return -1;
	}
	unlink(draft);
	int descriptor = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (descriptor < 0)
		cannot_write(path, error);
	return descriptor;
}

bool output_file_check(const char *path, struct error *error)
{
	char *draft = draft_path(path);
	if (draft == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	int descriptor = open_draft(path, draft, error);
	if (descriptor >= 0) {
		close(descriptor);
		unlink(draft);
	}
	free(draft);
	return descriptor >= 0;
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

/* Makes the rename itself survive a crash of the machine. */
static bool sync_directory(const char *path)
{
	char *copy = strdup(path);
	if (copy == NULL)
		return false;
	int descriptor = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	free(copy);
	if (descriptor < 0)
		return false;
	/* Some file systems cannot sync a directory, and do not need to. */
	bool synced = fsync(descriptor) == 0 || errno == EINVAL;
	close(descriptor);
	return synced;
}

/* In two halves, so that a draft can be found that is neither empty nor complete. */
static bool write_draft(int descriptor, const char *text, const struct fault_points *points)
{
	size_t half = strlen(text) / 2;
	if (!write_all(descriptor, text, half))
		return false;
	errno = fault_point_step(points, STEP_WRITE);
	return errno == 0 && write_all(descriptor, text + half, strlen(text + half)) && fsync(descriptor) == 0;
}

/* Lets `path` name the draft, and `previous`, unless it is NULL, what `path` has named so far, if anything. */
static bool publish(const char *draft, const char *path, const char *previous, const struct fault_points *points)
{
	fault_point_step(points, STEP_RENAME);
	if (previous != NULL && rename(path, previous) != 0 && errno != ENOENT)
		return false;
	if (rename(draft, path) != 0)
		return false;
	fault_point_step(points, STEP_DONE);
	return sync_directory(path);
}

bool output_file_rotate(const char *path, const char *previous, const char *text, const struct fault_points *points,
        struct error *error)
{
	char *draft = draft_path(path);
	if (draft == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	fault_point_step(points, STEP_DRAFT);
	int descriptor = open_draft(path, draft, error);
	bool written = false;
	if (descriptor >= 0) {
		written = write_draft(descriptor, text, points);
		if (close(descriptor) != 0)
			written = false;
		written = written && publish(draft, path, previous, points);
		if (!written) {
			cannot_write(path, error);
			unlink(draft);
		}
	}
	free(draft);
	return written;
}

bool output_file_write(const char *path, const char *text, struct error *error)
{
	return output_file_rotate(path, NULL, text, NULL, error);
}
