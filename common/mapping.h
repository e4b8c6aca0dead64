/* Read-only windows on a file, memory that forked processes share, and the only owner of mmap(2). */
#ifndef FORKFIT_COMMON_MAPPING_H
#define FORKFIT_COMMON_MAPPING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct mapping {
	const unsigned char *bytes; /* the byte at the (first) offset asked for; NULL: nothing is mapped */
	void *base;                 /* the first page, */
	size_t mapped;              /* and the length of all pages */
};

/*
 * Maps length > 0 bytes from `offset` on, and the rest of the pages they lie in, between two pages that may not be
 * touched. The file must be that long. False: errno says why; ENOMEM also where the process may not map so much
 * (RLIMIT_AS).
 */
bool mapping_open(struct mapping *mapping, int descriptor, uint64_t offset, size_t length);

/*
 * Maps `length` bytes from each of `count` offsets. places[i] becomes the distance from mapping->bytes to the i-th
 * window's first byte. Windows of 4 MiB in all and more get the whole of each huge page (2 MiB) that they have a part
 * of, in whatever order they are, from the foremost one's begin in the file to the hindmost one's end, and lie where
 * huge pages fit; smaller ones, and those of a process that may not map so much, get nothing of what is between them
 * but the rest of their pages.
 */
bool mapping_open_windows(
        struct mapping *mapping, int descriptor, const uint64_t *offsets, size_t count, size_t length, size_t *places);

/* Does nothing where nothing is mapped. */
void mapping_close(struct mapping *mapping);

/* Zeroed memory that this process and those it forks from now on have in common. NULL: errno says why. */
void *mapping_share(size_t length);
void mapping_unshare(void *memory, size_t length);

/*
 * Asks for huge pages where this memory, or window on a file (page-aligned, not touched yet) is going to be touched; a
 * system that has none gives ordinary ones.
 */
void mapping_prefer_huge_pages(void *memory, size_t length);

#endif
