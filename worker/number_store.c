#include "worker/number_store.h"

#include "common/mapping.h"

#include <stdlib.h>

/* A huge page of x86-64. */
enum { HUGE_PAGE = 2 << 20 };

/* A block as large as this costs next to nothing beside what is parsed into it, and is no great loss half used. */
enum { BLOCK_BYTES_MAX = 16 * HUGE_PAGE };

/* Numbers begin at a line of the cache. */
enum { BLOCK_HEAD = 64 };

struct number_block {
	struct number_block *older;
};

void number_store_init(struct number_store *store, uint64_t bytes_max)
{
	*store = (struct number_store){.bytes_left = bytes_max};
}

void number_store_release(struct number_store *store)
{
	while (store->blocks != NULL) {
		struct number_block *older = store->blocks->older;
		free(store->blocks);
		store->blocks = older;
	}
	store->next = NULL;
	store->free = 0;
}

static size_t smaller(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

/* Whole huge pages, if it is more than one of them, so that none is touched for a rest of a block. */
static struct number_block *allocate(size_t bytes)
{
	void *memory;
	if (bytes < HUGE_PAGE)
		return malloc(bytes);
	if (posix_memalign(&memory, HUGE_PAGE, bytes) != 0)
		return NULL;
	mapping_prefer_huge_pages(memory, bytes);
	return memory;
}

static int add_block(struct number_store *store, size_t count, size_t likely_more)
{
	size_t numbers_max = (BLOCK_BYTES_MAX - BLOCK_HEAD) / sizeof(double);
	size_t wanted = count >= numbers_max ? count : count + smaller(likely_more, numbers_max - count);
	if (wanted > (SIZE_MAX - HUGE_PAGE) / sizeof(double))
		return -1;
	size_t needed = BLOCK_HEAD + count * sizeof(double);
	size_t bytes = BLOCK_HEAD + wanted * sizeof(double);
	if (bytes > HUGE_PAGE)
		bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
	bytes = smaller(bytes, store->bytes_left);
	if (bytes < needed)
		return -1;
	struct number_block *block = allocate(bytes);
	if (block == NULL && bytes > needed)
		block = allocate(bytes = needed);
	if (block == NULL)
		return -1;
	block->older = store->blocks;
	store->blocks = block;
	store->bytes_left -= bytes;
	store->next = (double *)(void *)((char *)block + BLOCK_HEAD);
	store->free = (bytes - BLOCK_HEAD) / sizeof(double);
	return 0;
}

double *number_store_take(struct number_store *store, size_t count, size_t likely_more)
{
	if (count > store->free && add_block(store, count, likely_more) != 0)
		return NULL;
	double *numbers = store->next;
	store->next += count;
	store->free -= count;
	return numbers;
}
