#include "common/frame_io.h"

#include "tests/unit/wire_samples.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* The limit of the readers below: more than the longest frame sent to them. */
enum { LIMIT = 1 << 20, LONG_COUNT = 40000 };

/* A real pipe, with a frame reader on one end and a frame writer on the other. */
static int ends[2];
static struct frame_reader reader;
static struct frame_writer writer;

static void open_pipe(void)
{
	signal(SIGPIPE, SIG_IGN);
	cr_assert(pipe(ends) == 0 && frame_reader_init(&reader, LIMIT));
}

static void close_pipe(void)
{
	close(ends[0]);
	close(ends[1]);
	frame_reader_release(&reader);
	frame_writer_release(&writer);
}

TestSuite(frame_io, .init = open_pipe, .fini = close_pipe, .timeout = 30);

static void make_non_blocking(int descriptor)
{
	cr_assert(fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0);
}

static void put_bytes(const unsigned char *bytes, size_t length)
{
	cr_assert_eq(write(ends[1], bytes, length), (ssize_t)length);
}

static struct wire_buffer sample_bytes(enum frame_type type)
{
	struct wire_buffer buffer = {0};
	sample_encode(&buffer, type);
	return buffer;
}

/* Takes a frame that is there, and says whether it is this one. */
static bool takes(const struct wire_buffer *expected)
{
	struct frame_header header;
	const unsigned char *payload;
	if (frame_reader_next(&reader, &header, &payload) != WIRE_OK)
		return false;
	return header.payload_length == expected->length - WIRE_HEADER_BYTES &&
	       memcmp(payload, expected->bytes + WIRE_HEADER_BYTES, header.payload_length) == 0;
}

static enum wire_status next_status(void)
{
	struct frame_header header;
	const unsigned char *payload;
	return frame_reader_next(&reader, &header, &payload);
}

Test(frame_io, puts_a_frame_together_that_comes_byte_by_byte)
{
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++) {
		struct wire_buffer frame = sample_bytes(type);
		cr_expect(!frame_reader_is_mid_frame(&reader));
		for (size_t i = 0; i < frame.length; i++) {
			cr_assert_eq(next_status(), WIRE_SHORT, "%s, byte %zu", frame_type_name(type), i);
			put_bytes(frame.bytes + i, 1);
			cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
			cr_assert(frame_reader_is_mid_frame(&reader));
		}
		cr_assert(takes(&frame), "%s", frame_type_name(type));
		wire_buffer_release(&frame);
	}
}

Test(frame_io, takes_several_frames_out_of_one_read)
{
	struct wire_buffer all = {0};
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++)
		sample_encode(&all, type);
	put_bytes(all.bytes, all.length);
	wire_buffer_release(&all);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++) {
		struct wire_buffer frame = sample_bytes(type);
		cr_expect(takes(&frame), "%s", frame_type_name(type));
		wire_buffer_release(&frame);
	}
	cr_expect_eq(next_status(), WIRE_SHORT);
	cr_expect(!frame_reader_is_mid_frame(&reader));
}

Test(frame_io, keeps_the_start_of_the_next_frame_for_the_next_read)
{
	struct wire_buffer frame = sample_bytes(FRAME_ASSIGN);
	size_t half = frame.length / 2;
	put_bytes(frame.bytes, frame.length);
	put_bytes(frame.bytes, half);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	cr_expect(takes(&frame));
	cr_expect_eq(next_status(), WIRE_SHORT);
	cr_expect(frame_reader_is_mid_frame(&reader));
	put_bytes(frame.bytes + half, frame.length - half);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	cr_expect(takes(&frame));
	wire_buffer_release(&frame);
}

/* A PARAMS frame several times as long as the pipe. */
static struct wire_buffer long_frame(double first)
{
	struct wire_buffer buffer = {0};
	struct frame_header header = sample_header();
	double *values = malloc(LONG_COUNT * sizeof *values);
	cr_assert(values != NULL);
	for (int i = 0; i < LONG_COUNT; i++)
		values[i] = first + i;
	struct params params = {KERNEL_GRADIENT, LONG_COUNT, values};
	cr_assert(wire_encode_params(&buffer, &header, &params));
	free(values);
	return buffer;
}

Test(frame_io, carries_a_frame_longer_than_the_pipe_with_both_ends_non_blocking)
{
	struct wire_buffer frame = long_frame(1);
	int partial_writes = 0;
	bool taken = false;
	make_non_blocking(ends[0]);
	make_non_blocking(ends[1]);
	writer.queue = long_frame(1);
	while (!taken) {
		enum io_status put = frame_writer_flush(&writer, ends[1]);
		cr_assert(put == IO_BLOCKED || put == IO_DONE);
		cr_assert_eq(frame_writer_is_idle(&writer), put == IO_DONE);
		partial_writes += put == IO_BLOCKED;
		cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
		taken = takes(&frame);
	}
	cr_expect(partial_writes > 3);
	cr_expect(!frame_reader_is_mid_frame(&reader));
	wire_buffer_release(&frame);
}

Test(frame_io, goes_on_where_it_was_when_both_directions_had_stalled)
{
	struct wire_buffer down = long_frame(1), up = long_frame(-1);
	struct frame_writer other_writer = {.queue = long_frame(-1)};
	struct frame_reader other_reader;
	int other_ends[2];
	cr_assert(pipe(other_ends) == 0 && frame_reader_init(&other_reader, LIMIT));
	for (int i = 0; i < 2; i++) {
		make_non_blocking(ends[i]);
		make_non_blocking(other_ends[i]);
	}
	writer.queue = long_frame(1);
	/* Both pipes are full now, as when two processes write to each other before they read. */
	cr_assert_eq(frame_writer_flush(&writer, ends[1]), IO_BLOCKED);
	cr_assert_eq(frame_writer_flush(&other_writer, other_ends[1]), IO_BLOCKED);
	cr_assert_eq(frame_writer_flush(&writer, ends[1]), IO_BLOCKED);
	while (!frame_writer_is_idle(&writer) || !frame_writer_is_idle(&other_writer)) {
		cr_assert_neq(frame_reader_fill(&reader, ends[0]), IO_FAILED);
		cr_assert_neq(frame_reader_fill(&other_reader, other_ends[0]), IO_FAILED);
		frame_writer_flush(&writer, ends[1]);
		frame_writer_flush(&other_writer, other_ends[1]);
	}
	close(ends[1]);
	close(other_ends[1]);
	while (frame_reader_fill(&reader, ends[0]) == IO_DONE)
		continue;
	while (frame_reader_fill(&other_reader, other_ends[0]) == IO_DONE)
		continue;
	cr_expect(takes(&down));
	frame_reader_release(&reader);
	reader = other_reader;
	cr_expect(takes(&up));
	close(other_ends[0]);
	frame_writer_release(&other_writer);
	wire_buffer_release(&down);
	wire_buffer_release(&up);
}

Test(frame_io, sends_what_is_queued_in_one_write)
{
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++)
		sample_encode(&writer.queue, type);
	size_t length = writer.queue.length;
	unsigned char bytes[4096];
	cr_assert(length < sizeof bytes);
	cr_assert_eq(frame_writer_flush(&writer, ends[1]), IO_DONE);
	cr_expect(frame_writer_is_idle(&writer));
	cr_expect_eq(read(ends[0], bytes, sizeof bytes), (ssize_t)length);
}

Test(frame_io, writes_nothing_when_nothing_is_queued)
{
	cr_expect(frame_writer_is_idle(&writer));
	cr_expect_eq(frame_writer_flush(&writer, -1), IO_DONE);
}

Test(frame_io, uses_the_queue_again_after_it_was_sent)
{
	struct wire_buffer frame = sample_bytes(FRAME_GRADIENT);
	for (int i = 0; i < 3; i++) {
		sample_encode(&writer.queue, FRAME_GRADIENT);
		cr_assert_eq(frame_writer_flush(&writer, ends[1]), IO_DONE);
		cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
		cr_expect(takes(&frame));
		cr_expect_eq(writer.queue.capacity, frame.length);
	}
	wire_buffer_release(&frame);
}

Test(frame_io, says_when_nothing_is_there_yet)
{
	make_non_blocking(ends[0]);
	cr_expect_eq(frame_reader_fill(&reader, ends[0]), IO_BLOCKED);
	cr_expect(!frame_reader_is_mid_frame(&reader));
}

Test(frame_io, tells_the_end_between_frames_from_the_end_inside_one)
{
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++) {
		struct wire_buffer frame = sample_bytes(type);
		for (size_t length = 0; length <= frame.length; length++) {
			close_pipe();
			open_pipe();
			put_bytes(frame.bytes, length);
			close(ends[1]);
			if (length > 0)
				cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
			cr_assert_eq(takes(&frame), length == frame.length);
			cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_CLOSED);
			cr_assert_eq(frame_reader_is_mid_frame(&reader), length > 0 && length < frame.length);
		}
		wire_buffer_release(&frame);
	}
}

Test(frame_io, is_not_at_the_end_when_the_buffer_is_full_of_frames_not_taken)
{
	struct wire_buffer stop = sample_bytes(FRAME_STOP);
	enum { FRAMES = 300 }; /* more than the first buffer holds */
	for (int i = 0; i < FRAMES; i++)
		put_bytes(stop.bytes, stop.length);
	close(ends[1]);
	while (frame_reader_fill(&reader, ends[0]) == IO_DONE)
		continue;
	int taken = 0;
	while (takes(&stop))
		taken++;
	cr_expect_eq(taken, FRAMES);
	wire_buffer_release(&stop);
}

Test(frame_io, reports_a_reader_that_is_gone)
{
	close(ends[0]);
	sample_encode(&writer.queue, FRAME_STOP);
	cr_expect_eq(frame_writer_flush(&writer, ends[1]), IO_CLOSED);
}

Test(frame_io, reports_a_reader_that_goes_in_the_middle_of_a_frame)
{
	make_non_blocking(ends[1]);
	writer.queue = long_frame(1);
	cr_assert_eq(frame_writer_flush(&writer, ends[1]), IO_BLOCKED);
	close(ends[0]);
	cr_expect_eq(frame_writer_flush(&writer, ends[1]), IO_CLOSED);
}

Test(frame_io, reports_what_else_fails_with_errno)
{
	errno = 0;
	cr_expect_eq(frame_reader_fill(&reader, -1), IO_FAILED);
	cr_expect_eq(errno, EBADF);
	sample_encode(&writer.queue, FRAME_STOP);
	errno = 0;
	cr_expect_eq(frame_writer_flush(&writer, -1), IO_FAILED);
	cr_expect_eq(errno, EBADF);
}

Test(frame_io, knows_garbage_before_a_header_of_it_has_come)
{
	put_bytes((const unsigned char *)"F", 1);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	cr_expect_eq(next_status(), WIRE_SHORT);
	put_bytes((const unsigned char *)"T", 1);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	cr_expect_eq(next_status(), WIRE_BAD_MAGIC);
}

/* Catches the mutation checksum_unchecked. */
Test(frame_io, finds_damage_only_when_the_frame_is_whole)
{
	struct wire_buffer frame = sample_bytes(FRAME_READY);
	frame.bytes[WIRE_HEADER_BYTES] ^= 1;
	put_bytes(frame.bytes, frame.length - 1);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	cr_expect_eq(next_status(), WIRE_SHORT);
	put_bytes(frame.bytes + frame.length - 1, 1);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	cr_expect_eq(next_status(), WIRE_BAD_CHECKSUM);
	wire_buffer_release(&frame);
}

/* Catches the mutation length_believed. */
Test(frame_io, allocates_nothing_for_a_length_beyond_the_limit)
{
	struct wire_buffer frame = sample_bytes(FRAME_READY);
	size_t before = reader.capacity;
	enum { AT_LENGTH = 8 };
	frame.bytes[AT_LENGTH + 2] = LIMIT >> 16;
	frame.bytes[AT_LENGTH] = 1; /* and little more than the limit */
	put_bytes(frame.bytes, frame.length);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	cr_expect_eq(next_status(), WIRE_OVERSIZED);
	put_bytes(frame.bytes, frame.length);
	cr_assert_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	cr_expect_eq(reader.capacity, before);
	wire_buffer_release(&frame);
}

static volatile sig_atomic_t ticks;

/* Interrupts a call at the first tick, and lets it end at the second. */
static void on_tick(int number)
{
	static const char byte = 'F';
	(void)number;
	if (++ticks == 2 && write(ends[1], &byte, 1) != 1)
		_exit(1);
}

Test(frame_io, reads_on_after_a_signal)
{
	struct sigaction action = {.sa_handler = on_tick}; /* without SA_RESTART: calls end with EINTR */
	struct itimerspec each_10_ms = {{0, 10000000}, {0, 10000000}};
	timer_t timer;
	cr_assert(sigaction(SIGALRM, &action, NULL) == 0 && timer_create(CLOCK_MONOTONIC, NULL, &timer) == 0);
	cr_assert(timer_settime(timer, 0, &each_10_ms, NULL) == 0);
	cr_expect_eq(frame_reader_fill(&reader, ends[0]), IO_DONE);
	timer_delete(timer);
	cr_expect(ticks >= 2);
	cr_expect_eq(reader.end, 1);
}
