/* What chunk.c knows of the formats. Both keep the descriptor and close it when they need it no more. */
#ifndef FORKFIT_WORKER_CHUNK_FORMATS_H
#define FORKFIT_WORKER_CHUNK_FORMATS_H

#include "worker/chunk.h"

struct npy_chunk;
struct npy_chunk *npy_chunk_new(const struct assignment *assignment, int descriptor, struct worker_error *error);
void npy_chunk_free(struct npy_chunk *chunk);
bool npy_chunk_leaf(struct npy_chunk *chunk, uint32_t leaf, struct leaf_rows *rows, struct worker_error *error);

struct csv_chunk;
struct csv_chunk *csv_chunk_new(
        const struct assignment *assignment, int descriptor, struct chunk_facts *facts, struct worker_error *error);
void csv_chunk_free(struct csv_chunk *chunk);
bool csv_chunk_leaf(struct csv_chunk *chunk, uint32_t leaf, struct leaf_rows *rows, struct worker_error *error);

#endif
