#include "coordinator/csv_stream.h"

#include "coordinator/bad_data.h"

#include <stdlib.h>
#include <string.h>

/* A batch takes half of what is read at a time, so that its last record can reach into the other half. */
enum { FIRST_CAPACITY = 1 << 20 };

/* A record that is longer is none: somewhere a quote is not closed. */
enum { RECORD_BYTES_MAX = 1 << 26 };

static bool out_of_memory(struct error *error)
{
	return error_set(error, EXIT_OS_ERROR, "out of memory");
}

bool csv_stream_open(struct csv_stream *stream, struct loader *loader, struct error *error)
{
	const struct dataset *dataset = &loader->dataset;
	uint32_t width = dataset->features + 1;
	*stream = (struct csv_stream){
	        .loader = loader,
	        .slots = malloc(dataset->file_columns * sizeof *stream->slots),
	        .bytes = malloc(FIRST_CAPACITY),
	        .capacity = FIRST_CAPACITY,
	        .offset = dataset->data_offset,
	};
	if (stream->slots == NULL || stream->bytes == NULL) {
		csv_stream_release(stream);
		return out_of_memory(error);
	}
	stream->plan = csv_plan_for(dataset, width, stream->slots, true);
	return true;
}

void csv_stream_release(struct csv_stream *stream)
{
	free(stream->slots);
	free(stream->bytes);
	free(stream->rows);
	*stream = (struct csv_stream){.slots = NULL};
}

/* Reads until the buffer is full; *at_end: there is no more. */
static bool fill(struct csv_stream *stream, bool *at_end, struct error *error)
{
	size_t got, wanted = stream->capacity - stream->length;
	if (!loader_read_at(stream->loader, stream->offset + stream->length, stream->bytes + stream->length, wanted,
	            &got, error))
		return false;
	stream->length += got;
	*at_end = got < wanted;
	return true;
}

static bool make_longer(struct csv_stream *stream, struct error *error)
{
	char *longer = realloc(stream->bytes, stream->capacity * 2);
	if (longer == NULL)
		return out_of_memory(error);
	stream->bytes = longer;
	stream->capacity *= 2;
	return true;
}

static bool make_room(struct csv_stream *stream, size_t bytes, struct error *error)
{
	size_t rows = csv_rows_at_most(&stream->plan, bytes);
	if (rows <= stream->rows_capacity)
		return true;
	free(stream->rows);
	stream->rows = malloc(rows * stream->plan.width * sizeof *stream->rows);
	stream->rows_capacity = stream->rows != NULL ? rows : 0;
	return stream->rows != NULL || out_of_memory(error);
}

static bool describe(const struct csv_stream *stream, const struct csv_problem *problem, struct error *error)
{
	struct worker_error found = {
	        .stage = STAGE_DATASET,
	        .offset = (int64_t)(stream->offset + (uint64_t)(problem->at - stream->bytes)),
	        .column = problem->field,
	};
	memcpy(found.text, problem->message, sizeof problem->message);
	return bad_data_describe(stream->loader, &found,
	        "fill it in, or train on the CSV itself with dataset.missing=skip_row, which leaves such rows out",
	        error);
}

static void drop_until(struct csv_stream *stream, const char *next)
{
	size_t used = (size_t)(next - stream->bytes);
	stream->offset += used;
	stream->length -= used;
	memmove(stream->bytes, next, stream->length);
}

bool csv_stream_next(struct csv_stream *stream, size_t *count, struct error *error)
{
	for (;;) {
		bool at_end;
		struct csv_problem problem;
		if (!fill(stream, &at_end, error))
			return false;
		size_t take = at_end ? stream->length : stream->length / 2, skipped = 0;
		const char *next = stream->bytes, *end = stream->bytes + stream->length;
		if (!make_room(stream, take, error))
			return false;
		*count = 0;
		enum csv_status status = csv_parse_records(
		        &stream->plan, &next, stream->bytes + take, end, stream->rows, count, &skipped, &problem);
		bool may_be_cut = !at_end && (status != CSV_OK || next == end);
		if (may_be_cut && stream->capacity < RECORD_BYTES_MAX) {
			if (!make_longer(stream, error))
				return false;
			continue;
		}
		if (status != CSV_OK)
			return describe(stream, &problem, error);
		drop_until(stream, next);
		if (*count > 0 || stream->length == 0)
			return true;
	}
}
