#include "common/frame_io.h"

#include "common/calls.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* PIPE_BUF: most frames fit, and a thousand workers' readers take 4 MB together. */
enum { FIRST_CAPACITY = 4096 };

bool frame_reader_init(struct frame_reader *reader, size_t max_payload)
{
	*reader = (struct frame_reader){.capacity = FIRST_CAPACITY, .max_payload = max_payload};
	reader->buffer = malloc(reader->capacity);
	return reader->buffer != NULL;
}

void frame_reader_release(struct frame_reader *reader)
{
	free(reader->buffer);
	*reader = (struct frame_reader){0};
}

/* Makes room for the frame that is begun, and for one byte at least. False: out of memory. */
static bool make_room(struct frame_reader *reader)
{
	size_t have = reader->end - reader->begin;
	size_t needed = FIRST_CAPACITY;
	struct frame_header header;
	if (have > 0 && reader->begin > 0)
		memmove(reader->buffer, reader->buffer + reader->begin, have);
	reader->begin = 0;
	reader->end = have;
	if (wire_decode_header(reader->buffer, have, reader->max_payload, &header) == WIRE_OK)
		needed = WIRE_HEADER_BYTES + (size_t)header.payload_length;
	if (needed <= have) /* a read of no bytes would look like the end of file */
		needed = have + FIRST_CAPACITY;
	if (needed <= reader->capacity)
		return true;
	unsigned char *buffer = realloc(reader->buffer, needed);
	if (buffer == NULL)
		return false;
	reader->buffer = buffer;
	reader->capacity = needed;
	return true;
}

enum io_status frame_reader_fill(struct frame_reader *reader, int descriptor)
{
	return frame_reader_fill_some(reader, descriptor, SIZE_MAX);
}

/* Of the frame whose first bytes these are, for who watches; 0: they do not tell. */
static int64_t type_of(const unsigned char *bytes, size_t length, bool complete)
{
	struct frame_header header;
	if (wire_decode_header(bytes, length, UINT32_MAX, &header) != WIRE_OK)
		return 0;
	return complete && length < WIRE_HEADER_BYTES + (size_t)header.payload_length ? 0 : header.type;
}

static ssize_t read_watched(struct frame_reader *reader, int descriptor, size_t most)
{
	calls_begin(CALL_READ, descriptor, (int64_t)most);
	ssize_t got = read(descriptor, reader->buffer + reader->end, most);
	if (call_recorder != NULL && got > 0)
		calls_set(2, type_of(reader->buffer + reader->begin, reader->end - reader->begin + (size_t)got, true));
	calls_end(got);
	return got;
}

enum io_status frame_reader_fill_some(struct frame_reader *reader, int descriptor, size_t most)
{
	if (!make_room(reader)) {
		errno = ENOMEM;
		return IO_FAILED;
	}
	size_t room = reader->capacity - reader->end;
	ssize_t got;
	do
		got = read_watched(reader, descriptor, most < room ? most : room);
	while (got < 0 && errno == EINTR);
	if (got > 0) {
		reader->end += (size_t)got;
		return IO_DONE;
	}
	if (got == 0)
		return IO_CLOSED;
	return errno == EAGAIN || errno == EWOULDBLOCK ? IO_BLOCKED : IO_FAILED;
}

enum wire_status frame_reader_next(
        struct frame_reader *reader, struct frame_header *header, const unsigned char **payload)
{
	const unsigned char *frame = reader->buffer + reader->begin;
	size_t have = reader->end - reader->begin;
	enum wire_status status = wire_decode_header(frame, have, reader->max_payload, header);
	if (status != WIRE_OK)
		return status;
	if (have < WIRE_HEADER_BYTES + (size_t)header->payload_length)
		return WIRE_SHORT;
	status = wire_check_frame(frame, header);
	if (status != WIRE_OK)
		return status;
	*payload = frame + WIRE_HEADER_BYTES;
	reader->begin += WIRE_HEADER_BYTES + (size_t)header->payload_length;
	return WIRE_OK;
}

bool frame_reader_is_mid_frame(const struct frame_reader *reader)
{
	return reader->end > reader->begin;
}

void frame_writer_release(struct frame_writer *writer)
{
	wire_buffer_release(&writer->queue);
	writer->sent = 0;
}

bool frame_writer_is_idle(const struct frame_writer *writer)
{
	return writer->sent == writer->queue.length;
}

ssize_t frame_writer_put(struct frame_writer *writer, int descriptor, size_t most)
{
	const unsigned char *bytes = writer->queue.bytes + writer->sent;
	calls_begin(CALL_WRITE, descriptor, (int64_t)most,
	        writer->sent == 0 ? type_of(bytes, writer->queue.length, false) : 0);
	ssize_t put = write(descriptor, bytes, most);
	calls_end(put);
	return put;
}

enum io_status frame_writer_flush(struct frame_writer *writer, int descriptor)
{
	if (frame_writer_is_idle(writer))
		return IO_DONE;
	ssize_t put;
	do
		put = frame_writer_put(writer, descriptor, writer->queue.length - writer->sent);
	while (put < 0 && errno == EINTR);
	if (put < 0) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return IO_BLOCKED;
		return errno == EPIPE ? IO_CLOSED : IO_FAILED;
	}
	writer->sent += (size_t)put;
	if (!frame_writer_is_idle(writer))
		return IO_BLOCKED;
	writer->sent = 0;
	writer->queue.length = 0;
	return IO_DONE;
}
