/* What the beginning of a CSV file tells: byte order mark, delimiter, header, columns and what they hold. Pure. */
#ifndef FORKFIT_COORDINATOR_CSV_HEADER_H
#define FORKFIT_COORDINATOR_CSV_HEADER_H

#include "common/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum header_mode { HEADER_DETECT, HEADER_PRESENT, HEADER_ABSENT };

enum column_kind {
	COLUMN_NUMBER, /* its first value that is not missing is a number */
	COLUMN_TEXT,   /* … is something else */
	COLUMN_EMPTY,  /* no value in the bytes looked at */
};

struct csv_column {
	char *name; /* from the header, unquoted, as UTF-8 (other bytes become \xNN); if that is empty c0, c1, … */
	enum column_kind kind;
	char sample[32]; /* the value that decided, cut to fit and fit to print; empty for COLUMN_EMPTY */
};

struct csv_header {
	char delimiter;
	bool has_header;
	size_t data_offset; /* the first byte behind byte order mark and header */
	uint32_t fields;
	struct csv_column *columns; /* `fields` entries, owned */
};

/*
 * bytes: the first `length` bytes of the file `name` (all of it if whole). delimiter: 0 to detect it among comma,
 * semicolon, tab and bar, as the one that divides the first records into the same number of fields. A header is
 * detected when no field of the first record is a number and at least one is text (a missing value is neither). On
 * failure *error has code EXIT_BAD_DATASET and a message that starts with name:line:column (or EXIT_OS_ERROR where
 * there is no memory), and nothing is to be released.
 */
bool csv_header_read(const char *name, const char *bytes, size_t length, bool whole, enum header_mode header,
        char delimiter, struct csv_header *result, struct error *error);
void csv_header_release(struct csv_header *header);

/* The column whose name someone most likely meant, or NULL: see spelling.h. */
const char *csv_header_nearest(const struct csv_column *columns, uint32_t count, const char *name);

#endif
