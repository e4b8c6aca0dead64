#include "coordinator/checkpoint_file.h"

#include "coordinator/output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Several times what 65535 columns need; a longer file is something else. */
enum { LARGEST = 64 << 20 };

char *checkpoint_file_previous(const char *path)
{
	static const char suffix[] = ".previous";
	char *previous = malloc(strlen(path) + sizeof suffix);
	if (previous != NULL)
		sprintf(previous, "%s%s", path, suffix);
	return previous;
}

enum reading { READING_GOOD, READING_MISSING, READING_BAD, READING_FAILED };

static enum reading fail(struct error *error, const char *path)
{
	error_set_errno(error, EXIT_INPUT_MISSING, "cannot read the checkpoint %s", path);
	return READING_FAILED;
}

static enum reading out_of_memory(struct error *error)
{
	error_set(error, EXIT_OS_ERROR, "out of memory");
	return READING_FAILED;
}

/* Fills `size` bytes and a NUL behind; fewer bytes if the file has got shorter. False: errno says why. */
static bool read_text(int descriptor, char *text, size_t size, size_t *length)
{
	*length = 0;
	while (*length < size) {
		ssize_t part = read(descriptor, text + *length, size - *length);
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return false;
		if (part == 0)
			break;
		*length += (size_t)part;
	}
	text[*length] = '\0';
	return true;
}

static enum reading decode_file(int descriptor, size_t size, const char *path, struct checkpoint *checkpoint,
        struct phrase *problem, struct error *error)
{
	char *text = malloc(size + 1);
	size_t length;
	enum reading reading = READING_BAD;
	if (text == NULL)
		return out_of_memory(error);
	if (!read_text(descriptor, text, size, &length)) {
		reading = fail(error, path);
	} else {
		switch (checkpoint_decode(text, length, checkpoint, problem)) {
		case CHECKPOINT_GOOD:
			reading = READING_GOOD;
			break;
		case CHECKPOINT_BAD:
			break;
		case CHECKPOINT_NO_MEMORY:
			reading = out_of_memory(error);
			break;
		}
	}
	free(text);
	return reading;
}

static enum reading read_one(
        const char *path, struct checkpoint *checkpoint, struct phrase *problem, struct error *error)
{
	struct stat status;
	enum reading reading;
	/* A pipe must not make it wait. */
	int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (descriptor < 0) {
		if (errno != ENOENT)
			return fail(error, path);
		phrase_add(problem, "it is missing");
		return READING_MISSING;
	}
	if (fstat(descriptor, &status) != 0) {
		reading = fail(error, path);
	} else if (!S_ISREG(status.st_mode) || status.st_size > LARGEST) {
		phrase_add(problem, "it is %s",
		        S_ISREG(status.st_mode) ? "too large for a checkpoint" : "not a regular file");
		reading = READING_BAD;
	} else {
		reading = decode_file(descriptor, (size_t)status.st_size, path, checkpoint, problem, error);
	}
	close(descriptor);
	return reading;
}

enum checkpoint_found checkpoint_file_find(
        const char *path, struct checkpoint *checkpoint, struct phrase *remark, struct error *error)
{
	struct phrase newest_problem = {.length = 0}, previous_problem = {.length = 0};
	enum checkpoint_found found = CHECKPOINT_UNUSABLE;
	char *previous = checkpoint_file_previous(path);
	if (previous == NULL) {
		out_of_memory(error);
		return CHECKPOINT_UNUSABLE;
	}
	enum reading newest = read_one(path, checkpoint, &newest_problem, error);
	if (newest == READING_GOOD) {
		found = CHECKPOINT_NEWEST;
	} else if (newest != READING_FAILED) {
		enum reading before = read_one(previous, checkpoint, &previous_problem, error);
		if (before == READING_GOOD) {
			found = CHECKPOINT_PREVIOUS;
			phrase_add(remark, "the checkpoint %s cannot be used: %s; %s is used instead", path,
			        newest_problem.text, previous);
		} else if (newest == READING_MISSING && before == READING_MISSING) {
			found = CHECKPOINT_NONE;
		} else if (before != READING_FAILED) {
			error_set(error, EXIT_BAD_DATASET,
			        "no checkpoint to go on from: %s cannot be used: %s; and the one before, %s: %s", path,
			        newest_problem.text, previous, previous_problem.text);
		}
	}
	free(previous);
	return found;
}

bool checkpoint_file_write(const char *path, const struct checkpoint *checkpoint, bool keep_old,
        struct injection *injection, struct error *error)
{
	struct fault_points points = {injection, SITE_CHECKPOINT_DRAFT, (uint32_t)checkpoint->epoch};
	char *previous = checkpoint_file_previous(path);
	char *text = checkpoint_encode(checkpoint);
	bool written = false;
	if (previous == NULL || text == NULL)
		error_set(error, EXIT_OS_ERROR, "out of memory");
	else
		written = output_file_rotate(path, keep_old ? previous : NULL, text, &points, error);
	free(text);
	free(previous);
	return written;
}
