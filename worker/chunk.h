/*
 * A worker's chunk: a run of leaves of the dataset, of which nothing else is mapped. Rows are handed out leaf by leaf.
 *
 * An npy array's rows stay where they are, in the mapping. A CSV's numbers are parsed once into memory, as far as the
 * assignment allows; leaves beyond that are parsed again each time. Where the address space is too small (RLIMIT_AS),
 * the chunk is mapped window by window, and all of a CSV is parsed again each time.
 */
#ifndef FORKFIT_WORKER_CHUNK_H
#define FORKFIT_WORKER_CHUNK_H

#include "common/wire.h"
#include "worker/leaf_rows.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct chunk;

struct chunk_facts {
	uint64_t rows;
	uint64_t skipped;
	bool starts_doubted; /* see struct ready */
};

/*
 * Opens and loads the chunk. The assignment is borrowed for the chunk's life (its centre is not used). NULL: *error
 * says why.
 */
struct chunk *chunk_new(const struct assignment *assignment, struct chunk_facts *facts, struct worker_error *error);
void chunk_free(struct chunk *chunk);

/*
 * The rows of a leaf, of the chunk's run; they stay until the next call, and those that are said to follow as long as
 * leaves are asked for in order. Going through the leaves in order is fast.
 * False: *error says why.
 */
bool chunk_leaf(struct chunk *chunk, uint32_t leaf, struct leaf_rows *rows, struct worker_error *error);

/*
 * Looks for a number that is not finite (with skip_row: an infinity) and describes the first in *error. False: there
 * is none, or it cannot be had.
 */
bool chunk_find_not_finite(struct chunk *chunk, struct worker_error *error);

/* Fills *error (stage dataset or system) with errno's text behind the text; false, for `return`. */
bool chunk_fail(struct worker_error *error, enum error_stage stage, int system_error, const char *text);

#endif
