/*
 * The cut of a dataset into leaves, and of the leaves into chunks. Pure.
 *
 * Leaves depend on the dataset alone, never on the number of workers: they are the terms of the canonical sum
 * (common/tree.h). A chunk is a contiguous run of leaves, the share of one worker.
 */
#ifndef FORKFIT_COMMON_LEAVES_H
#define FORKFIT_COMMON_LEAVES_H

#include <stdint.h>

/*
 * At most this many leaves: with as many as 64 workers chunks then differ in length by 2 %, and the tree above the
 * leaves still costs nothing beside a dataset that fills a cache.
 */
#define LEAVES_MAX 4096U

struct range {
	uint64_t begin;
	uint64_t end; /* exclusive */
};

/*
 * How many leaves a dataset of so many rows has (of a CSV, whose rows are not known beforehand: about so many). Small
 * datasets get fewer, so that a leaf has work for more than one vector of rows.
 */
uint32_t leaves_count(uint64_t rows);

/* The units of leaf `leaf`, one of `count`, in a dataset of so many units: rows of an npy array, bytes of a CSV file.
 * Leaves differ in length by at most one unit; a leaf can be empty. */
struct range leaves_units(uint64_t units, uint32_t count, uint32_t leaf);

/* The leaves of worker `worker`, one of `workers`. Empty where there are more workers than leaves. */
struct range leaves_chunk(uint32_t count, uint32_t workers, uint32_t worker);

#endif
