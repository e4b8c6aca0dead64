/* Faults of the channel: what happens to a frame as it comes in or goes out. */
#include "worker/faults_due.h"

#include "common/calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum fault_site site_of(enum frame_type type)
{
	static const enum fault_site sites[] = {
	        [FRAME_ASSIGN] = SITE_ASSIGN_READ,
	        [FRAME_PARAMS] = SITE_PARAMS_READ,
	        [FRAME_STOP] = SITE_STOP_READ,
	        [FRAME_READY] = SITE_READY_WRITE,
	        [FRAME_GRADIENT] = SITE_GRADIENT_WRITE,
	        [FRAME_ERROR] = SITE_WORKER_END,
	        [FRAME_PREDICT] = SITE_PARAMS_READ,
	        [FRAME_PREDICTIONS] = SITE_GRADIENT_WRITE,
	};
	_Static_assert(sizeof sites / sizeof *sites == FRAME_TYPE_END, "a site for every type");
	return sites[type];
}

/* Replaces what the buffer holds. False: out of memory, and it holds what it held. */
static bool buffer_set(struct wire_buffer *buffer, const unsigned char *bytes, size_t length)
{
	if (length > buffer->capacity) {
		unsigned char *more = realloc(buffer->bytes, length);
		if (more == NULL)
			return false;
		buffer->bytes = more;
		buffer->capacity = length;
	}
	memcpy(buffer->bytes, bytes, length);
	buffer->length = length;
	return true;
}

/* Bytes that are no frame, and always the same ones. */
static void fill_with_garbage(unsigned char *bytes, size_t length)
{
	uint32_t state = 1;
	for (size_t i = 0; i < length; i++) {
		state = state * UINT32_C(1664525) + UINT32_C(1013904223);
		bytes[i] = (unsigned char)(state >> 24);
	}
}

static bool append_copy(struct wire_buffer *frame)
{
	size_t length = frame->length;
	unsigned char *twice = realloc(frame->bytes, 2 * length);
	if (twice == NULL)
		return false;
	memcpy(twice + length, twice, length);
	*frame = (struct wire_buffer){twice, 2 * length, 2 * length};
	return true;
}

/* Fills in what the fault left open and the frame decides. */
static struct fault resolve(const struct fault *fault, size_t length)
{
	struct fault resolved = *fault;
	if (fault->kind == FAULT_FLIP)
		resolved.byte = fault->byte == FAULT_ANY ? 0 : fault->byte % (uint32_t)length;
	else if (fault->kind == FAULT_TRUNCATE && fault->byte == FAULT_ANY)
		resolved.byte = (uint32_t)(length / 2);
	return resolved;
}

/* How many bytes of the frame pass before the fault happens. */
static size_t bytes_before(const struct fault *fault, size_t length)
{
	if (fault->byte == FAULT_ANY)
		return 0;
	return fault->byte < length ? fault->byte : length;
}

/*
 * Makes of a whole frame what the fault wants, if it is one that changes bytes. A stale frame needs one before it:
 * where there is none, nothing happens.
 */
static void alter(const struct faults *faults, const struct fault *fault, struct wire_buffer *frame,
        const struct wire_buffer *last)
{
	struct frame_header header;
	size_t payload_bytes = frame->length - WIRE_HEADER_BYTES;
	if (wire_decode_header(frame->bytes, frame->length, UINT32_MAX, &header) != WIRE_OK)
		return; /* it is no frame any more after the fault before this one */
	if (fault->kind < FAULT_FLIP || fault->kind > FAULT_OVERSIZED ||
	        (fault->kind == FAULT_STALE && last->length == 0))
		return;
	faults_announce(faults, fault);
	switch (fault->kind) {
	case FAULT_FLIP:
		frame->bytes[fault->byte] ^= (unsigned char)(1U << fault->bit);
		break;
	case FAULT_GARBAGE:
		fill_with_garbage(frame->bytes, frame->length);
		break;
	case FAULT_DUPLICATE:
		append_copy(frame);
		break;
	case FAULT_STALE:
		buffer_set(frame, last->bytes, last->length);
		break;
	case FAULT_WRONG_WORKER:
		header.worker++;
		wire_reseal(frame->bytes, &header, payload_bytes);
		break;
	default: /* FAULT_OVERSIZED */
		header.payload_length = UINT32_MAX;
		wire_reseal(frame->bytes, &header, payload_bytes);
	}
}

static void alter_frame(struct faults *faults, struct wire_buffer *frame, struct wire_buffer *last)
{
	struct wire_buffer meant = {0};
	size_t length = frame->length;
	bool kept = buffer_set(&meant, frame->bytes, length);
	for (size_t i = 0; i < faults->due_count; i++) {
		struct fault fault = resolve(&faults->due[i], length);
		alter(faults, &fault, frame, last);
	}
	if (!kept)
		return;
	wire_buffer_release(last);
	*last = meant;
}

static bool is_due(const struct faults *faults, enum fault_kind kind)
{
	for (size_t i = 0; i < faults->due_count; i++)
		if (faults->due[i].kind == kind)
			return true;
	return false;
}

/* How many bytes pass at once. */
static size_t find_step(const struct faults *faults)
{
	for (size_t i = 0; i < faults->due_count; i++)
		if (faults->due[i].kind == FAULT_SHORT_WRITES)
			faults_announce(faults, &faults->due[i]);
	return is_due(faults, FAULT_SHORT_WRITES) ? 1 : SIZE_MAX;
}

/* Silence, and then an exit. */
static void end_truncated(const struct fault *fault)
{
	faults_keep_silent(fault->ms);
	faults_exit(fault->code);
}

/* Going out. */

/* Writes until `end` bytes of the queue are out, so many at once. */
static enum io_status write_until(struct frame_writer *writer, int descriptor, size_t end, size_t step)
{
	while (writer->sent < end) {
		size_t left = end - writer->sent;
		ssize_t put = frame_writer_put(writer, descriptor, left < step ? left : step);
		if (put < 0 && errno != EINTR)
			return errno == EPIPE ? IO_CLOSED : IO_FAILED;
		if (put > 0)
			writer->sent += (size_t)put;
	}
	return IO_DONE;
}

/* What happens while the frame goes out and leaves its bytes as they are. *closed: nothing more is to be written. */
static enum io_status interrupt_writing(
        struct faults *faults, struct frame_writer *writer, int descriptor, size_t step, bool *closed)
{
	size_t length = writer->queue.length;
	*closed = false;
	for (size_t i = 0; i < faults->due_count; i++) {
		struct fault fault = resolve(&faults->due[i], length);
		bool is_of_process = fault_is_of_process(fault.kind);
		if (!is_of_process && fault.kind != FAULT_TRUNCATE && fault.kind != FAULT_CLOSE)
			continue;
		enum io_status status = write_until(writer, descriptor, bytes_before(&fault, length), step);
		if (status != IO_DONE)
			return status;
		if (is_of_process) {
			faults_do_to_process(faults, &fault);
			continue;
		}
		faults_announce(faults, &fault);
		if (fault.kind == FAULT_TRUNCATE)
			end_truncated(&fault);
		calls_close(descriptor);
		*closed = true;
		return IO_DONE;
	}
	return IO_DONE;
}

enum io_status faults_flush(struct faults *faults, struct frame_writer *writer, int descriptor)
{
	struct frame_header header;
	struct wire_buffer *queue = &writer->queue;
	bool closed = false;
	size_t step = SIZE_MAX;
	enum io_status status = IO_DONE;
	if (wire_decode_header(queue->bytes, queue->length, UINT32_MAX, &header) == WIRE_OK &&
	        site_of(header.type) != SITE_WORKER_END) {
		faults_find_due(faults, site_of(header.type), header.epoch, queue->length);
		step = find_step(faults);
		alter_frame(faults, queue, &faults->last_written);
		status = interrupt_writing(faults, writer, descriptor, step, &closed);
	}
	if (status == IO_DONE && !closed)
		status = write_until(writer, descriptor, queue->length, step);
	if (status == IO_DONE)
		writer->sent = queue->length = 0;
	return status;
}

/* Coming in. */

/* Reads until the reader holds `end` bytes, so many at once. */
static enum io_status read_until(struct frame_reader *reader, int descriptor, size_t end, size_t step)
{
	size_t have;
	while ((have = reader->end - reader->begin) < end) {
		size_t left = end - have;
		enum io_status status = frame_reader_fill_some(reader, descriptor, left < step ? left : step);
		if (status != IO_DONE)
			return status;
	}
	return IO_DONE;
}

/* What happens while the frame comes in. Its header is there already: without it nobody knows which frame it is. */
static enum io_status interrupt_reading(
        struct faults *faults, struct frame_reader *reader, int descriptor, size_t length, size_t step)
{
	for (size_t i = 0; i < faults->due_count; i++) {
		const struct fault *fault = &faults->due[i];
		if (fault_is_of_process(fault->kind)) {
			enum io_status status = read_until(reader, descriptor, bytes_before(fault, length), step);
			if (status != IO_DONE)
				return status;
			faults_do_to_process(faults, fault);
		} else if (fault->kind == FAULT_DEAF) {
			faults_announce(faults, fault);
			faults_keep_silent(fault->ms);
		} else if (fault->kind == FAULT_CLOSE) {
			faults_announce(faults, fault);
			calls_close(descriptor);
		}
	}
	return IO_DONE;
}

/* The frame's end does not come: the reader waits for it, or the process ends after a while. */
static void truncate_read(const struct faults *faults, struct frame_reader *reader, size_t length)
{
	for (size_t i = 0; i < faults->due_count; i++) {
		struct fault fault = resolve(&faults->due[i], length);
		if (fault.kind != FAULT_TRUNCATE)
			continue;
		faults_announce(faults, &fault);
		if (fault.ms != FAULT_ANY)
			end_truncated(&fault);
		reader->end = reader->begin + bytes_before(&fault, length);
	}
}

enum io_status faults_fill(struct faults *faults, struct frame_reader *reader, int descriptor)
{
	struct frame_header header;
	if (frame_reader_is_mid_frame(reader))
		return frame_reader_fill(reader, descriptor); /* what a fault has cut, or made longer */
	enum io_status status = read_until(reader, descriptor, WIRE_HEADER_BYTES, SIZE_MAX);
	if (status != IO_DONE || wire_decode_header(reader->buffer, WIRE_HEADER_BYTES, UINT32_MAX, &header) != WIRE_OK)
		return status;
	size_t length = WIRE_HEADER_BYTES + (size_t)header.payload_length;
	faults_find_due(faults, site_of(header.type), header.epoch, length);
	size_t step = find_step(faults);
	status = interrupt_reading(faults, reader, descriptor, length, step);
	if (status == IO_DONE)
		status = read_until(reader, descriptor, length, step);
	if (status != IO_DONE)
		return status;
	/* The reader moves what it has to its buffer's start before it reads, so the frame stands there. */
	struct wire_buffer frame = {reader->buffer, length, reader->capacity};
	alter_frame(faults, &frame, &faults->last_read);
	reader->buffer = frame.bytes;
	reader->capacity = frame.capacity;
	reader->end = frame.length;
	truncate_read(faults, reader, length);
	return IO_DONE;
}
