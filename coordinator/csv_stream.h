/*
 * All rows of a CSV, in order, a batch at a time and in bounded memory: for the coordinator itself, where there is no
 * more to do with a row than to pass it on.
 */
#ifndef FORKFIT_COORDINATOR_CSV_STREAM_H
#define FORKFIT_COORDINATOR_CSV_STREAM_H

#include "common/csv.h"
#include "common/error.h"
#include "coordinator/loader.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_stream {
	struct loader *loader;
	struct csv_plan plan;
	int32_t *slots;
	char *bytes; /* of the file: `length` from `offset` on, which is a record start */
	size_t length;
	size_t capacity;
	uint64_t offset;
	double *rows; /* the batch, row-major, plan.width numbers each */
	size_t rows_capacity;
};

/* The loader's columns become the rows' numbers, in its order; it must outlive the stream. False: out of memory. */
bool csv_stream_open(struct csv_stream *stream, struct loader *loader, struct error *error);
void csv_stream_release(struct csv_stream *stream);

/*
 * The next rows: *count of them in stream->rows, 0 at the file's end. False: *error says what is wrong with the file,
 * with line and column.
 */
bool csv_stream_next(struct csv_stream *stream, size_t *count, struct error *error);

#endif
