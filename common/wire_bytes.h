/*
 * How numbers become bytes of a frame and bytes become numbers: for common/wire*.c alone. Little-endian throughout.
 */
#ifndef FORKFIT_COMMON_WIRE_BYTES_H
#define FORKFIT_COMMON_WIRE_BYTES_H

#include "common/wire.h"

#include <string.h>

/* Writing: each put returns the place behind what it wrote. The caller has reserved the room. */

static inline unsigned char *wire_put_u8(unsigned char *at, uint8_t value)
{
	*at = value;
	return at + 1;
}

static inline unsigned char *wire_put_u32(unsigned char *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (unsigned char)(value >> 8 * i);
	return at + 4;
}

static inline unsigned char *wire_put_u64(unsigned char *at, uint64_t value)
{
	return wire_put_u32(wire_put_u32(at, (uint32_t)value), (uint32_t)(value >> 32));
}

static inline unsigned char *wire_put_doubles(unsigned char *at, const double *values, size_t count)
{
	_Static_assert(sizeof(double) == 8, "binary64");
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	if (count > 0)
		memcpy(at, values, 8 * count);
	return at + 8 * count;
#else
	for (size_t i = 0; i < count; i++) {
		uint64_t bits;
		memcpy(&bits, &values[i], 8);
		at = wire_put_u64(at, bits);
	}
	return at;
#endif
}

enum { TIMES_BYTES = 3 * 8 };

static inline unsigned char *wire_put_times(unsigned char *at, const struct worker_times *times)
{
	at = wire_put_u64(at, times->waiting_ns);
	at = wire_put_u64(at, times->received_ns);
	return wire_put_u64(at, times->finished_ns);
}

/* Reading: a cursor that goes bad, and stays so, at the first read beyond the payload's end. */

struct cursor {
	const unsigned char *at;
	size_t left;
	bool bad;
};

static inline const unsigned char *take(struct cursor *cursor, size_t length)
{
	if (cursor->bad || length > cursor->left) {
		cursor->bad = true;
		return NULL;
	}
	const unsigned char *at = cursor->at;
	cursor->at += length;
	cursor->left -= length;
	return at;
}

static inline uint8_t wire_get_u8(struct cursor *cursor)
{
	const unsigned char *at = take(cursor, 1);
	return at == NULL ? 0 : *at;
}

static inline uint32_t load_u32(const unsigned char *at)
{
	return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static inline uint32_t wire_get_u32(struct cursor *cursor)
{
	const unsigned char *at = take(cursor, 4);
	return at == NULL ? 0 : load_u32(at);
}

static inline uint64_t wire_get_u64(struct cursor *cursor)
{
	uint64_t low = wire_get_u32(cursor);
	return low | (uint64_t)wire_get_u32(cursor) << 32;
}

static inline struct worker_times wire_get_times(struct cursor *cursor)
{
	struct worker_times times;
	times.waiting_ns = wire_get_u64(cursor);
	times.received_ns = wire_get_u64(cursor);
	times.finished_ns = wire_get_u64(cursor);
	return times;
}

static inline void wire_get_doubles(struct cursor *cursor, double *values, size_t count)
{
	if (count > cursor->left / 8) {
		cursor->bad = true;
		return;
	}
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	const unsigned char *at = take(cursor, 8 * count);
	if (at != NULL && count > 0)
		memcpy(values, at, 8 * count);
#else
	for (size_t i = 0; i < count; i++) {
		uint64_t bits = wire_get_u64(cursor);
		memcpy(&values[i], &bits, 8);
	}
#endif
}

static inline bool wire_get_bool(struct cursor *cursor)
{
	uint8_t value = wire_get_u8(cursor);
	if (value > 1)
		cursor->bad = true;
	return value == 1;
}

/* A value of an enum with `count` members. */
static inline uint32_t wire_get_choice(struct cursor *cursor, uint32_t value, uint32_t count)
{
	if (value >= count)
		cursor->bad = true;
	return cursor->bad ? 0 : value;
}

static inline enum wire_status finish_decoding(const struct cursor *cursor)
{
	return cursor->bad || cursor->left != 0 ? WIRE_BAD_PAYLOAD : WIRE_OK;
}

/* The fixed part of a PREDICTIONS payload, before its numbers. */
enum { PREDICTIONS_BYTES = 8 + TIMES_BYTES + 4 + 4 };

/* Room for a frame; returns where its payload goes, NULL without memory. wire_finish_frame completes it. */
unsigned char *wire_begin_frame(struct wire_buffer *buffer, size_t payload_length);
bool wire_finish_frame(
        struct wire_buffer *buffer, const struct frame_header *header, enum frame_type type, size_t payload_length);

#endif
