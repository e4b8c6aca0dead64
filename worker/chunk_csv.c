#include "worker/chunk_formats.h"

#include "common/calls.h"
#include "common/csv.h"
#include "common/mapping.h"
#include "worker/last_words.h"
#include "worker/number_store.h"
#include "worker/tile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How far behind a leaf a record may reach before its window is made longer. */
enum { FIRST_OVERHANG = 65536 };

/*
 * How much a window shows if there is room, so that not every leaf needs one of its own: laying one, meeting its pages
 * and letting go of it may take longer than to parse what it shows.
 */
enum { WINDOW_BYTES = 4 << 20 };

struct csv_leaf {
	uint64_t text; /* where its first record starts, in the file */
	size_t rows;
	double *numbers; /* NULL: parse again (or no rows) */
};

struct csv_chunk {
	const struct assignment *assignment;
	int descriptor; /* -1 once it is not needed any more */
	struct csv_plan plan;
	int32_t *slots;
	struct mapping text;
	struct range mapped; /* bytes of the file in `text` */
	struct csv_leaf *leaves;
	double *scratch;                   /* room for a leaf's rows, row-major */
	const struct csv_leaf *in_scratch; /* whose rows these are; NULL: not known */
	size_t *offsets;                   /* for struct leaf_rows */
	struct number_store store;
};

static uint64_t leaf_end(const struct csv_chunk *chunk, uint64_t leaf)
{
	const struct dataset *dataset = &chunk->assignment->dataset;
	uint64_t units = dataset->identity.bytes - dataset->data_offset;
	return dataset->data_offset + leaves_units(units, chunk->assignment->leaf_count, (uint32_t)leaf).end;
}

static void unmap_text(struct csv_chunk *chunk)
{
	mapping_close(&chunk->text);
	chunk->mapped = (struct range){0, 0};
	last_words_set_mapping(&chunk->text, "bytes", chunk->mapped);
}

/* Makes bytes [from, to) of the file readable: in the mapping of the whole chunk, or in a window. */
static bool map_text(struct csv_chunk *chunk, uint64_t from, uint64_t to)
{
	const uint64_t left = chunk->assignment->bytes.end - from;
	const uint64_t farther = from + (left < WINDOW_BYTES ? left : WINDOW_BYTES);
	if (from >= chunk->mapped.begin && to <= chunk->mapped.end)
		return true;
	unmap_text(chunk);
	if (farther > to && mapping_open(&chunk->text, chunk->descriptor, from, (size_t)(farther - from)))
		to = farther;
	else if (!mapping_open(&chunk->text, chunk->descriptor, from, (size_t)(to - from)))
		return false;
	chunk->mapped = (struct range){from, to};
	last_words_set_mapping(&chunk->text, "bytes", chunk->mapped);
	return true;
}

/* Lets go of the file. */
static void release_text(struct csv_chunk *chunk)
{
	unmap_text(chunk);
	if (chunk->descriptor >= 0)
		calls_close(chunk->descriptor);
	chunk->descriptor = -1;
}

static bool is_wide(const struct csv_chunk *chunk)
{
	return chunk->assignment->dataset.features >= TILE_WIDE_FEATURES;
}

static void describe_problem(
        const struct csv_chunk *chunk, const struct csv_problem *problem, struct worker_error *error)
{
	chunk_fail(error, STAGE_DATASET, 0, problem->message);
	const char *start = (const char *)chunk->text.bytes;
	error->offset = (int64_t)chunk->mapped.begin + (problem->at - start);
	error->column = problem->field;
}

/*
 * Parses the records of a leaf, whose first starts at *at, into scratch. Where only a window is mapped, the last
 * record may be cut by the window's end; then the window is made longer.
 */
static enum csv_status parse_leaf(
        struct csv_chunk *chunk, uint64_t leaf, uint64_t *at, size_t *kept, size_t *skipped, struct worker_error *error)
{
	uint64_t chunk_end = chunk->assignment->bytes.end;
	uint64_t limit = leaf_end(chunk, leaf) < chunk_end ? leaf_end(chunk, leaf) : chunk_end;
	enum csv_status status = CSV_OK;
	*kept = *skipped = 0;
	chunk->in_scratch = NULL;
	if (*at >= limit)
		return CSV_OK;
	for (uint64_t overhang = FIRST_OVERHANG;; overhang *= 2) {
		uint64_t end = overhang < chunk_end - limit ? limit + overhang : chunk_end;
		if (!map_text(chunk, *at, end)) {
			if (status == CSV_OK) /* else the problem met in the shorter window is the better word */
				chunk_fail(error, STAGE_SYSTEM, errno, "cannot map the chunk");
			return CSV_BAD;
		}
		end = chunk->mapped.end;
		const char *text = (const char *)chunk->text.bytes;
		const char *last = text + (end - chunk->mapped.begin);
		const char *next = text + (*at - chunk->mapped.begin);
		struct csv_problem problem;
		*kept = *skipped = 0;
		status = csv_parse_records(&chunk->plan, &next, text + (limit - chunk->mapped.begin), last,
		        chunk->scratch, kept, skipped, &problem);
		if (status == CSV_BAD)
			describe_problem(chunk, &problem, error);
		if (end < chunk_end && (status == CSV_BAD || next == last))
			continue;
		*at = chunk->mapped.begin + (uint64_t)(next - text);
		return status;
	}
}

/*
 * Keeps scratch's rows, in the order the kernels read them. Not where memory or the allowance is short; nor where the
 * file is read through windows, because the next may have to be longer, and then finds no room.
 */
static void cache_leaf(struct csv_chunk *chunk, struct csv_leaf *leaf, uint64_t leaves_behind)
{
	size_t width = chunk->plan.width;
	size_t count = leaf->rows * width;
	if (count == 0 || chunk->descriptor >= 0)
		return;
	uint64_t likely_more = leaves_behind * (count + width); /* leaves are nearly of one size */
	leaf->numbers =
	        number_store_take(&chunk->store, count, likely_more < SIZE_MAX ? (size_t)likely_more : SIZE_MAX);
	if (leaf->numbers == NULL)
		return;
	if (is_wide(chunk)) {
		memcpy(leaf->numbers, chunk->scratch, count * sizeof(double));
		return;
	}
	for (size_t j = 0; j < width; j++)
		for (size_t row = 0; row < leaf->rows; row++)
			leaf->numbers[j * leaf->rows + row] = chunk->scratch[row * width + j];
}

static bool load(struct csv_chunk *chunk, struct chunk_facts *facts, struct worker_error *error)
{
	const struct assignment *assignment = chunk->assignment;
	uint64_t at = assignment->bytes.begin;
	bool all_cached = true;
	for (uint64_t i = assignment->leaves.begin; i < assignment->leaves.end; i++) {
		struct csv_leaf *leaf = &chunk->leaves[i - assignment->leaves.begin];
		size_t skipped;
		leaf->text = at;
		switch (parse_leaf(chunk, i, &at, &leaf->rows, &skipped, error)) {
		case CSV_OK:
			break;
		case CSV_QUOTE:
			facts->starts_doubted = true;
			return true;
		case CSV_BAD:
			/* What looks bad may be the inside of a quoted field that opened before this chunk. */
			facts->starts_doubted = !assignment->quotes && error->stage == STAGE_DATASET;
			return facts->starts_doubted;
		}
		facts->rows += leaf->rows;
		facts->skipped += skipped;
		cache_leaf(chunk, leaf, assignment->leaves.end - i - 1);
		all_cached = all_cached && (leaf->numbers != NULL || leaf->rows == 0);
	}
	if (all_cached)
		release_text(chunk);
	else if (chunk->descriptor >= 0)
		unmap_text(chunk); /* a window; what the kernels need comes first */
	return true;
}

/* The longest leaf decides how much scratch is needed. */
static size_t scratch_rows(const struct csv_chunk *chunk)
{
	const struct dataset *dataset = &chunk->assignment->dataset;
	uint64_t units = dataset->identity.bytes - dataset->data_offset;
	uint64_t longest = chunk->assignment->leaf_count == 0 ? 0 : units / chunk->assignment->leaf_count + 1;
	return csv_rows_at_most(&chunk->plan, (size_t)longest);
}

static bool prepare(struct csv_chunk *chunk)
{
	const struct dataset *dataset = &chunk->assignment->dataset;
	uint32_t width = dataset->features + dataset_has_target(dataset);
	chunk->slots = malloc(dataset->file_columns * sizeof *chunk->slots);
	chunk->offsets = malloc(((size_t)dataset->features + 1) * sizeof *chunk->offsets);
	/* One more than needed, so that an empty chunk is no special case. */
	chunk->leaves = calloc(
	        (size_t)(chunk->assignment->leaves.end - chunk->assignment->leaves.begin) + 1, sizeof *chunk->leaves);
	if (chunk->slots == NULL || chunk->offsets == NULL || chunk->leaves == NULL)
		return false;
	chunk->plan = csv_plan_for(dataset, width, chunk->slots, chunk->assignment->quotes);
	size_t rows = scratch_rows(chunk);
	if (rows > SIZE_MAX / sizeof(double) / width)
		return false;
	chunk->scratch = malloc(rows * width * sizeof(double));
	return chunk->scratch != NULL;
}

struct csv_chunk *csv_chunk_new(
        const struct assignment *assignment, int descriptor, struct chunk_facts *facts, struct worker_error *error)
{
	struct csv_chunk *chunk = calloc(1, sizeof *chunk);
	if (chunk == NULL) {
		calls_close(descriptor);
		chunk_fail(error, STAGE_SYSTEM, ENOMEM, "cannot load the chunk");
		return NULL;
	}
	chunk->assignment = assignment;
	chunk->descriptor = descriptor;
	number_store_init(&chunk->store, assignment->cache_bytes);
	if (!prepare(chunk)) {
		chunk_fail(error, STAGE_SYSTEM, ENOMEM, "cannot load the chunk");
		goto failed;
	}
	/* If all of it cannot be mapped at once, parse_leaf maps windows. */
	if (assignment->bytes.end > assignment->bytes.begin &&
	        map_text(chunk, assignment->bytes.begin, assignment->bytes.end)) {
		calls_close(chunk->descriptor);
		chunk->descriptor = -1;
	}
	if (load(chunk, facts, error))
		return chunk;
failed:
	csv_chunk_free(chunk);
	return NULL;
}

void csv_chunk_free(struct csv_chunk *chunk)
{
	if (chunk == NULL)
		return;
	release_text(chunk);
	number_store_release(&chunk->store);
	free(chunk->leaves);
	free(chunk->slots);
	free(chunk->offsets);
	free(chunk->scratch);
	free(chunk);
}

bool csv_chunk_leaf(struct csv_chunk *chunk, uint32_t index, struct leaf_rows *rows, struct worker_error *error)
{
	const struct csv_leaf *leaf = &chunk->leaves[index - chunk->assignment->leaves.begin];
	size_t width = chunk->plan.width;
	bool by_columns = leaf->numbers != NULL && !is_wide(chunk);
	if (leaf->numbers == NULL && leaf->rows > 0 && chunk->in_scratch != leaf) {
		uint64_t at = leaf->text;
		size_t kept, skipped;
		enum csv_status status = parse_leaf(chunk, index, &at, &kept, &skipped, error);
		if (status == CSV_BAD && error->stage == STAGE_SYSTEM)
			return false;
		if (status != CSV_OK || kept != leaf->rows)
			return chunk_fail(error, STAGE_DATASET, 0, "the file was changed while the run was going on");
		chunk->in_scratch = leaf;
	}
	chunk->offsets[chunk->assignment->dataset.features] = 0; /* without a target, the first feature */
	for (size_t j = 0; j < width; j++)
		chunk->offsets[j] = sizeof(double) * (by_columns ? j * leaf->rows : j);
	*rows = (struct leaf_rows){
	        .base = (const unsigned char *)(leaf->numbers != NULL ? leaf->numbers : chunk->scratch),
	        .offsets = chunk->offsets,
	        .row_stride = sizeof(double) * (by_columns ? 1 : width),
	        .rows = leaf->rows,
	        .element = ELEMENT_F8,
	        .side_by_side = by_columns ? 1 : width,
	};
	return true;
}
