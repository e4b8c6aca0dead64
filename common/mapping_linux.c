#define _GNU_SOURCE
#include "common/mapping.h"

#include <sys/mman.h>

void mapping_prefer_huge_pages(void *memory, size_t length)
{
	madvise(memory, length, MADV_HUGEPAGE);
}
