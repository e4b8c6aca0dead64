/*
 * The data loader: from a path to a described dataset, and from leaves to the bytes of a chunk. It looks at the header
 * and at the places between chunks only; the rows are the workers' to read.
 */
#ifndef FORKFIT_COORDINATOR_LOADER_H
#define FORKFIT_COORDINATOR_LOADER_H

#include "common/dataset.h"
#include "common/error.h"
#include "common/leaves.h"
#include "coordinator/config.h"
#include "coordinator/csv_header.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loader {
	struct dataset dataset; /* owned */
	const char *name;       /* the path as the user gave it; borrowed from the configuration */
	int descriptor;
	uint32_t leaf_count;
	char **column_names;   /* dataset.file_columns, owned */
	char *left_out;        /* a note on columns that were left out; NULL: none */
	uint64_t *leaf_starts; /* CSV with quotes: the true record start at or behind each leaf's first byte, and the
	                          end */
};

/* Says which of a file's columns are used, and as what. */
struct column_chooser {
	/* As columns_choose; it may leave *left_out NULL. named: the file itself names its columns. */
	bool (*choose)(void *context, const char *file, const struct csv_column *columns, uint32_t count, bool named,
	        uint32_t *features, uint32_t **used, char **left_out, struct error *error);
	void *context;
};

/*
 * Opens the dataset and reads its header. On failure *error has code EXIT_INPUT_MISSING, EXIT_BAD_DATASET,
 * EXIT_BAD_CONFIGURATION (columns that are not there) or EXIT_OS_ERROR, and nothing is to be released.
 */
bool loader_open(struct loader *loader, const struct config *config, struct error *error);
/* The same, where not the configuration says which columns are used. */
bool loader_open_for(
        struct loader *loader, const struct config *config, const struct column_chooser *chooser, struct error *error);
void loader_release(struct loader *loader);

/* The name of a used column: features 0 … d - 1, the target d. */
const char *loader_used_name(const struct loader *loader, uint32_t column);

/*
 * CSV: the bytes from the first record that belongs to leaf leaves.begin to the first that belongs to leaves.end. They
 * hold for fields with quotes once loader_find_quoted_records has been called. npy: nothing, {0, 0}.
 */
bool loader_chunk_bytes(struct loader *loader, struct range leaves, struct range *bytes, struct error *error);

/* CSV: one scan of the whole file for the true record starts, since a field holds a quote. */
bool loader_find_quoted_records(struct loader *loader, struct error *error);

/* CSV: the line of a byte, and its place in it, both from 1. */
bool loader_locate(struct loader *loader, uint64_t offset, uint64_t *line, uint64_t *column, struct error *error);

/* Reads up to `length` bytes at an offset; fewer only at the file's end. */
bool loader_read_at(
        const struct loader *loader, uint64_t offset, char *bytes, size_t length, size_t *got, struct error *error);

/* Has the file become shorter than it was? Then a worker dies of SIGBUS. */
bool loader_was_cut_short(const struct loader *loader);

/*
 * Has nobody written to the file since it was opened? Workers read it in place, so what they calculated may be of no
 * one state of it. What has become of its name does not matter. False: *error has code EXIT_BAD_DATASET.
 */
bool loader_is_unchanged(const struct loader *loader, struct error *error);

/* Of a number as the workers read it in each round: in place, or parsed to a double. */
unsigned loader_number_bytes(const struct loader *loader);

/* How many workers serve: as many as the CPUs, but no more than the data keeps busy. */
uint32_t loader_useful_workers(const struct loader *loader, uint32_t cpus);

#endif
