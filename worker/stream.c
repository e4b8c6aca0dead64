#include "worker/stream.h"

#include <string.h>

#define INLINE static inline __attribute__((always_inline))

/* Four words at any address. */
typedef uint64_t words4 __attribute__((vector_size(32), aligned(1), may_alias));

/* Four sums, so that no load waits for an addition; and in registers, for which the loop must be unrolled. */
INLINE uint64_t read_bytes(const unsigned char *bytes, size_t count)
{
	words4 sums[4] = {{0}};
	size_t at = 0;
	for (; at + sizeof sums <= count; at += sizeof sums) {
#pragma GCC unroll 4
		for (size_t i = 0; i < 4; i++)
			sums[i] ^= *(const words4 *)(bytes + at + i * sizeof(words4));
	}
	words4 all = (sums[0] ^ sums[1]) ^ (sums[2] ^ sums[3]);
	uint64_t sum = (all[0] ^ all[1]) ^ (all[2] ^ all[3]);
	while (at < count) {
		uint64_t word = 0;
		size_t left = count - at < sizeof word ? count - at : sizeof word;
		memcpy(&word, bytes + at, left);
		sum ^= word;
		at += left;
	}
	return sum;
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static uint64_t read_bytes_avx2(const unsigned char *bytes, size_t count)
{
	return read_bytes(bytes, count);
}
#endif

uint64_t stream_bytes(const unsigned char *bytes, size_t count)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("avx2"))
		return read_bytes_avx2(bytes, count);
#endif
	return read_bytes(bytes, count);
}

/* Nobody wants the sum; but without anybody who takes it, a compiler need not read. */
static void read_through(const unsigned char *bytes, size_t count)
{
	uint64_t sum = stream_bytes(bytes, count);
	__asm__ volatile("" : : "r"(sum));
}

void stream_leaf(const struct leaf_rows *leaf, uint32_t features)
{
	size_t size = element_bytes(leaf->element);
	if (leaf->rows == 0)
		return;
	if (leaf->row_stride == size) {
		for (size_t j = 0; j <= features; j++)
			read_through(leaf->base + leaf->offsets[j], leaf->rows * size);
		return;
	}
	size_t first = leaf->offsets[0], last = first;
	for (size_t j = 1; j <= features; j++) {
		first = leaf->offsets[j] < first ? leaf->offsets[j] : first;
		last = leaf->offsets[j] > last ? leaf->offsets[j] : last;
	}
	read_through(leaf->base + first, (leaf->rows - 1) * leaf->row_stride + (last - first) + size);
}
