#include "worker/chunk.h"

#include "common/calls.h"
#include "worker/chunk_formats.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct chunk {
	const struct assignment *assignment;
	struct npy_chunk *npy; /* one of the two */
	struct csv_chunk *csv;
	void *headroom; /* kept free while loading; a member, or the compiler would see that nobody uses it */
};

bool chunk_fail(struct worker_error *error, enum error_stage stage, int system_error, const char *text)
{
	*error = (struct worker_error){.stage = stage, .system_error = system_error, .offset = -1, .column = -1};
	if (system_error != 0)
		snprintf(error->text, sizeof error->text, "%s: %s", text, strerror(system_error));
	else
		snprintf(error->text, sizeof error->text, "%s", text);
	return false;
}

/* Does it tell of the file? Anything else (too many open files, no memory) tells of the system. */
static bool is_about_the_file(int system_error)
{
	return system_error == ENOENT || system_error == ENOTDIR || system_error == EACCES || system_error == ELOOP ||
	       system_error == ESTALE;
}

/* Opens the file and makes sure that it is the one that the coordinator saw. -1: *error says why. */
static int open_dataset(const struct dataset *dataset, struct worker_error *error)
{
	calls_begin(CALL_OPEN, 0);
	int descriptor = open(dataset->path, O_RDONLY | O_CLOEXEC);
	calls_end(descriptor);
	if (descriptor < 0) {
		chunk_fail(error, is_about_the_file(errno) ? STAGE_DATASET : STAGE_SYSTEM, errno,
		        "cannot open the dataset");
		return -1;
	}
	struct stat status;
	if (fstat(descriptor, &status) != 0) {
		chunk_fail(error, STAGE_SYSTEM, errno, "cannot examine the dataset");
		calls_close(descriptor);
		return -1;
	}
	int64_t modified_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec;
	if ((uint64_t)status.st_size != dataset->identity.bytes || status.st_ino != dataset->identity.inode ||
	        modified_ns != dataset->identity.modified_ns) {
		chunk_fail(error, STAGE_DATASET, 0, "the file was changed or replaced after the run had started");
		calls_close(descriptor);
		return -1;
	}
	return descriptor;
}

/*
 * Address space that mapping and cache leave free where it is limited: for the stack, and for the frames that come and
 * go afterwards, of which the longest is an answer. Twice, since the reader's copy of a question is another.
 */
static size_t headroom_bytes(const struct dataset *dataset)
{
	return 262144 + 2 * wire_max_payload_up(dataset->features);
}

static bool load(
        struct chunk *chunk, const struct assignment *assignment, struct chunk_facts *facts, struct worker_error *error)
{
	int descriptor = open_dataset(&assignment->dataset, error);
	if (descriptor < 0)
		return false;
	if (assignment->dataset.format == DATASET_CSV) {
		chunk->csv = csv_chunk_new(assignment, descriptor, facts, error);
		return chunk->csv != NULL;
	}
	chunk->npy = npy_chunk_new(assignment, descriptor, error);
	if (chunk->npy == NULL)
		return false;
	for (uint64_t leaf = assignment->leaves.begin; leaf < assignment->leaves.end; leaf++) {
		struct range rows = leaves_units(assignment->dataset.rows, assignment->leaf_count, (uint32_t)leaf);
		facts->rows += rows.end - rows.begin;
	}
	return true;
}

struct chunk *chunk_new(const struct assignment *assignment, struct chunk_facts *facts, struct worker_error *error)
{
	struct chunk *chunk = calloc(1, sizeof *chunk);
	if (chunk == NULL) {
		chunk_fail(error, STAGE_SYSTEM, ENOMEM, "cannot load the chunk");
		return NULL;
	}
	chunk->assignment = assignment;
	*facts = (struct chunk_facts){0};
	chunk->headroom = malloc(headroom_bytes(&assignment->dataset));
	bool loaded = load(chunk, assignment, facts, error);
	free(chunk->headroom);
	chunk->headroom = NULL;
	if (loaded)
		return chunk;
	chunk_free(chunk);
	return NULL;
}

void chunk_free(struct chunk *chunk)
{
	if (chunk == NULL)
		return;
	csv_chunk_free(chunk->csv);
	npy_chunk_free(chunk->npy);
	free(chunk);
}

bool chunk_leaf(struct chunk *chunk, uint32_t leaf, struct leaf_rows *rows, struct worker_error *error)
{
	if (chunk->csv != NULL)
		return csv_chunk_leaf(chunk->csv, leaf, rows, error);
	return npy_chunk_leaf(chunk->npy, leaf, rows, error);
}

/* Is there a missing value in the row, for which it does not count? */
static bool row_is_skipped(const struct dataset *dataset, const struct leaf_rows *rows, size_t row)
{
	if (dataset->missing == MISSING_ERROR)
		return false;
	for (uint32_t j = 0; j <= dataset->features; j++)
		if (isnan(leaf_number(rows, row, j)))
			return true;
	return false;
}

bool chunk_find_not_finite(struct chunk *chunk, struct worker_error *error)
{
	const struct assignment *assignment = chunk->assignment;
	const struct dataset *dataset = &assignment->dataset;
	if (dataset->format == DATASET_CSV)
		return false; /* its parser lets none through */
	for (uint64_t leaf = assignment->leaves.begin; leaf < assignment->leaves.end; leaf++) {
		struct range units = leaves_units(dataset->rows, assignment->leaf_count, (uint32_t)leaf);
		struct leaf_rows rows;
		if (!chunk_leaf(chunk, (uint32_t)leaf, &rows, error))
			return false;
		for (size_t row = 0; row < rows.rows; row++) {
			if (row_is_skipped(dataset, &rows, row))
				continue;
			for (uint32_t j = 0; j <= dataset->features; j++) {
				double number = leaf_number(&rows, row, j);
				if (isfinite(number))
					continue;
				chunk_fail(error, STAGE_DATASET, 0,
				        isnan(number) ? "nan is a missing value" : "inf is not a finite number");
				error->offset = (int64_t)(units.begin + row);
				error->column = dataset->columns[j];
				return true;
			}
		}
	}
	return false;
}
