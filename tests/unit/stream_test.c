#include "worker/stream.h"

#include "tests/unit/guard_page.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(stream, .timeout = 10);

static uint64_t sum_of_words(const unsigned char *bytes, size_t count)
{
	uint64_t sum = 0;
	for (size_t at = 0; at < count; at += 8) {
		uint64_t word = 0;
		memcpy(&word, bytes + at, count - at < 8 ? count - at : 8);
		sum ^= word;
	}
	return sum;
}

/* A byte that is not read, or read twice, changes the sum. */
Test(stream, reads_every_byte_of_every_length_at_every_place)
{
	static unsigned char bytes[600];
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (unsigned char)(i * 37 + i / 256 + 1);
	for (size_t begin = 0; begin < 33; begin++)
		for (size_t count = 0; begin + count <= sizeof bytes; count++)
			cr_assert_eq(stream_bytes(bytes + begin, count), sum_of_words(bytes + begin, count));
}

enum { ROWS = 37, COLUMNS = 5 };

/* The leaf's last byte is the last that may be touched. */
static void stream_at_the_end(enum element_type element, bool by_columns)
{
	size_t size = element == ELEMENT_F8 ? 8 : 4, bytes = ROWS * COLUMNS * size;
	struct guard_page guard = guard_page_new(bytes);
	size_t step = by_columns ? ROWS * size : size;
	const size_t offsets[] = {4 * step, 1 * step, 3 * step};
	struct leaf_rows leaf = {
	        .base = (const unsigned char *)guard.memory + guard.size - bytes,
	        .offsets = offsets,
	        .row_stride = by_columns ? size : COLUMNS * size,
	        .rows = ROWS,
	        .element = element,
	};
	stream_leaf(&leaf, 2);
	leaf.rows = 0;
	stream_leaf(&leaf, 2);
	guard_page_free(&guard);
}

Test(stream, stays_within_the_leaf)
{
	stream_at_the_end(ELEMENT_F8, false);
	stream_at_the_end(ELEMENT_F8, true);
	stream_at_the_end(ELEMENT_F4, false);
	stream_at_the_end(ELEMENT_F4, true);
}
