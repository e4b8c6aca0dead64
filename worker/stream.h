/*
 * Reading a leaf's pages and nothing else: what the memory can do, beside which the kernels are measured. Where columns
 * lie one behind the other, those that are used are read; where rows do, whole rows from the first used column to the
 * last. Pure.
 */
#ifndef FORKFIT_WORKER_STREAM_H
#define FORKFIT_WORKER_STREAM_H

#include "worker/leaf_rows.h"

#include <stdint.h>

/* features: d, without the target. */
void stream_leaf(const struct leaf_rows *leaf, uint32_t features);

/* The exclusive or of the bytes in words of eight, the last one filled up with zeros: what stream_leaf reads with. */
uint64_t stream_bytes(const unsigned char *bytes, size_t count);

#endif
