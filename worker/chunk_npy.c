#include "worker/chunk_formats.h"

#include "common/calls.h"
#include "common/mapping.h"
#include "worker/last_words.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

struct npy_chunk {
	const struct assignment *assignment;
	int descriptor; /* -1 once the whole chunk is mapped */
	size_t element_bytes;
	size_t row_stride;
	size_t side_by_side;
	struct range rows;    /* of the chunk */
	struct range window;  /* rows that are mapped */
	uint64_t window_rows; /* how many to map at once */
	struct mapping mapping;
	uint64_t *column_offsets; /* Fortran order: where each column's window starts in the file */
	size_t *offsets;          /* features + 1, for struct leaf_rows */
};

static struct range leaf_range(const struct npy_chunk *chunk, uint64_t leaf)
{
	return leaves_units(chunk->assignment->dataset.rows, chunk->assignment->leaf_count, (uint32_t)leaf);
}

static void unmap(struct npy_chunk *chunk)
{
	mapping_close(&chunk->mapping);
	chunk->window = (struct range){0, 0};
	last_words_set_mapping(&chunk->mapping, "rows", chunk->window);
}

static bool map_rows(struct npy_chunk *chunk, struct range rows)
{
	const struct dataset *dataset = &chunk->assignment->dataset;
	size_t count = (size_t)(rows.end - rows.begin);
	unmap(chunk);
	if (dataset->fortran_order) {
		for (uint32_t j = 0; j <= dataset->features; j++)
			chunk->column_offsets[j] =
			        dataset->data_offset +
			        (dataset->columns[j] * dataset->rows + rows.begin) * chunk->element_bytes;
		if (!mapping_open_windows(&chunk->mapping, chunk->descriptor, chunk->column_offsets,
		            (size_t)dataset->features + 1, count * chunk->element_bytes, chunk->offsets))
			return false;
	} else if (!mapping_open(&chunk->mapping, chunk->descriptor,
	                   dataset->data_offset + rows.begin * chunk->row_stride, count * chunk->row_stride)) {
		return false;
	}
	chunk->window = rows;
	last_words_set_mapping(&chunk->mapping, "rows", rows);
	return true;
}

/* Maps a window that holds `rows`; a smaller one where the address space does not hold what is wanted. */
static bool map_window(struct npy_chunk *chunk, struct range rows)
{
	for (;;) {
		struct range window = {rows.begin, rows.begin + chunk->window_rows};
		if (window.end < rows.end)
			window.end = rows.end;
		if (window.end > chunk->rows.end)
			window.end = chunk->rows.end;
		if (map_rows(chunk, window))
			return true;
		if (errno != ENOMEM || chunk->window_rows <= rows.end - rows.begin)
			return false;
		chunk->window_rows /= 2;
	}
}

static bool prepare_layout(struct npy_chunk *chunk)
{
	const struct dataset *dataset = &chunk->assignment->dataset;
	size_t columns = (size_t)dataset->features + 1;
	chunk->element_bytes = dataset->element == ELEMENT_F8 ? 8 : 4;
	chunk->row_stride =
	        dataset->fortran_order ? chunk->element_bytes : dataset->file_columns * chunk->element_bytes;
	chunk->offsets = malloc(columns * sizeof *chunk->offsets);
	chunk->column_offsets = malloc(columns * sizeof *chunk->column_offsets);
	if (chunk->offsets == NULL || chunk->column_offsets == NULL)
		return false;
	for (size_t j = 0; j < columns; j++)
		chunk->offsets[j] = dataset->columns[j] * chunk->element_bytes;
	chunk->side_by_side = 1;
	while (!dataset->fortran_order && chunk->side_by_side < columns &&
	        dataset->columns[chunk->side_by_side] == dataset->columns[chunk->side_by_side - 1] + 1)
		chunk->side_by_side++;
	return true;
}

struct npy_chunk *npy_chunk_new(const struct assignment *assignment, int descriptor, struct worker_error *error)
{
	struct npy_chunk *chunk = calloc(1, sizeof *chunk);
	if (chunk == NULL) {
		calls_close(descriptor);
		chunk_fail(error, STAGE_SYSTEM, ENOMEM, "cannot load the chunk");
		return NULL;
	}
	chunk->assignment = assignment;
	chunk->descriptor = descriptor;
	if (!prepare_layout(chunk)) {
		chunk_fail(error, STAGE_SYSTEM, ENOMEM, "cannot load the chunk");
		goto failed;
	}
	if (assignment->leaves.begin < assignment->leaves.end) {
		chunk->rows.begin = leaf_range(chunk, assignment->leaves.begin).begin;
		chunk->rows.end = leaf_range(chunk, assignment->leaves.end - 1).end;
		chunk->window_rows = chunk->rows.end - chunk->rows.begin;
		if (!map_window(chunk, leaf_range(chunk, assignment->leaves.begin))) {
			chunk_fail(error, STAGE_SYSTEM, errno, "cannot map the chunk");
			goto failed;
		}
	}
	if (chunk->window.end == chunk->rows.end) {
		calls_close(chunk->descriptor); /* nothing else of the file is wanted */
		chunk->descriptor = -1;
	}
	return chunk;
failed:
	npy_chunk_free(chunk);
	return NULL;
}

void npy_chunk_free(struct npy_chunk *chunk)
{
	if (chunk == NULL)
		return;
	unmap(chunk);
	if (chunk->descriptor >= 0)
		calls_close(chunk->descriptor);
	free(chunk->offsets);
	free(chunk->column_offsets);
	free(chunk);
}

bool npy_chunk_leaf(struct npy_chunk *chunk, uint32_t leaf, struct leaf_rows *rows, struct worker_error *error)
{
	struct range range = leaf_range(chunk, leaf);
	if ((range.begin < chunk->window.begin || range.end > chunk->window.end) && !map_window(chunk, range))
		return chunk_fail(error, STAGE_SYSTEM, errno, "cannot map the chunk");
	*rows = (struct leaf_rows){
	        .base = chunk->mapping.bytes + (range.begin - chunk->window.begin) * chunk->row_stride,
	        .offsets = chunk->offsets,
	        .row_stride = chunk->row_stride,
	        .rows = (size_t)(range.end - range.begin),
	        .following = (size_t)(chunk->window.end - range.end),
	        .element = chunk->assignment->dataset.element,
	        .side_by_side = chunk->side_by_side,
	};
	return true;
}
