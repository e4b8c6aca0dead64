/*
 * Frames over a pipe, in either direction and on either end. Reader and writer keep what is not whole yet, so that
 * they work alike on a descriptor that blocks (the worker's) and on one that does not (the coordinator's).
 */
#ifndef FORKFIT_COMMON_FRAME_IO_H
#define FORKFIT_COMMON_FRAME_IO_H

#include "common/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum io_status {
	IO_DONE,    /* reader: some bytes came; writer: nothing is left to write */
	IO_BLOCKED, /* not now (EAGAIN); writer: or only a part */
	IO_CLOSED,  /* reader: end of file; writer: EPIPE */
	IO_FAILED,  /* see errno */
};

struct frame_reader {
	unsigned char *buffer;
	size_t capacity;
	size_t begin; /* first byte not yet taken */
	size_t end;
	size_t max_payload;
};

/* The buffer grows to the longest frame that comes, whose payload may be max_payload. False: out of memory. */
bool frame_reader_init(struct frame_reader *reader, size_t max_payload);
void frame_reader_release(struct frame_reader *reader);

/* One read(2), retried after EINTR: as much as is there and fits. */
enum io_status frame_reader_fill(struct frame_reader *reader, int descriptor);

/* The same, of at most so many bytes: for who wants to look at a frame while it comes in. */
enum io_status frame_reader_fill_some(struct frame_reader *reader, int descriptor, size_t most);

/*
 * Takes the next frame out of what was read. WIRE_OK: *header and *payload, which stays until the next fill.
 * WIRE_SHORT: fill again. Anything else: the stream cannot be trusted any more.
 */
enum wire_status frame_reader_next(
        struct frame_reader *reader, struct frame_header *header, const unsigned char **payload);

/* Is a frame begun, but not complete? */
bool frame_reader_is_mid_frame(const struct frame_reader *reader);

struct frame_writer {
	struct wire_buffer queue; /* append frames here with wire_encode_… */
	size_t sent;
};

void frame_writer_release(struct frame_writer *writer);
bool frame_writer_is_idle(const struct frame_writer *writer);

/* One write(2) of so many of the bytes that are queued and not sent; what it returns, and errno. */
ssize_t frame_writer_put(struct frame_writer *writer, int descriptor, size_t most);

/* One write(2) of all that is queued, retried after EINTR. SIGPIPE must be ignored. */
enum io_status frame_writer_flush(struct frame_writer *writer, int descriptor);

#endif
