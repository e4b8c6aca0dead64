/*
 * CSV after RFC 4180, as bytes in memory. Pure: no system calls, and no allocation while records are read.
 *
 * A record ends with LF or CRLF or the end of the bytes (or with a CR right before that); any other CR is an ordinary
 * character. A quote opens a quoted field only as the field's first character; anywhere else it is an ordinary
 * character. Behind the closing quote the field goes on to the next delimiter or the record's end.
 *
 * The beginning of the bytes is a record start, and so is the byte behind every record. Empty records (blank lines) are
 * passed over.
 *
 * A delimiter is any byte but a quote, CR, LF and what numbers are written with.
 */
#ifndef FORKFIT_COMMON_CSV_H
#define FORKFIT_COMMON_CSV_H

#include "common/dataset.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct csv_field {
	const char *text; /* of a quoted field what is between its quotes; doubled ones are still doubled */
	size_t length;
	bool quoted;
};

/*
 * Reads the record at `at` (at < end), or if that is empty, the first behind it that is not, and returns where the
 * record behind it starts (end, if none). The first `capacity` fields go to `fields`; *count is how many the record
 * has: 0 only if nothing but empty records is left. A quoted field that is never closed runs to `end` and sets
 * *unclosed.
 */
const char *csv_read_record(const char *at, const char *end, char delimiter, struct csv_field *fields, size_t capacity,
        size_t *count, bool *unclosed);

/* The text without spaces and tabs around it; *length becomes its length. */
const char *csv_trim(const char *text, size_t *length);

/* Is this the text of a missing value: empty, or NA, NaN, null in any case, white space around it ignored? */
bool csv_is_missing(const char *text, size_t length);

/* Instruction sets for which the parser is compiled, narrowest first. What it makes of the bytes is the same. */
enum csv_clone { CSV_CLONE_BASELINE, CSV_CLONE_AVX2, CSV_CLONE_COUNT };

/* The best one that this processor runs. */
enum csv_clone csv_best_clone(void);

/* What to take from each record. The arrays are borrowed. */
struct csv_plan {
	char delimiter;
	uint32_t fields;     /* a record has exactly this many */
	const int32_t *slot; /* for each field: its place in the row of numbers, or -1 to pass over it unjudged */
	uint32_t width;      /* numbers in a row: d features and the target; each has exactly one field */
	enum missing_policy missing;
	bool quotes; /* false: stop at the first quote that opens a field, with CSV_QUOTE */
	enum csv_clone clone;
};

/*
 * The plan for the first `width` of a dataset's columns. slots: file_columns places, which are filled, and borrowed by
 * the plan.
 */
struct csv_plan csv_plan_for(const struct dataset *dataset, uint32_t width, int32_t *slots, bool quotes);

enum csv_status {
	CSV_OK,
	CSV_QUOTE, /* plan.quotes is false and a field opens with a quote */
	CSV_BAD,   /* *problem says where and what */
};

struct csv_problem {
	const char *at;    /* the first byte of the bad field (its quote, if it has one), or of the record */
	int64_t field;     /* zero-based place of the field in its record, or -1: the record as a whole */
	char message[256]; /* such as: 'abc' is not a number */
};

/*
 * Parses the records whose first byte lies in [*at, limit); *at must be a record start, and the last record may run
 * beyond limit, up to end. A field is a number as decimal_parse reads it, quoted or not, with spaces and tabs around
 * it. Writes rows of plan->width doubles to `rows` (row-major, from rows[0] on), which must have room for
 * csv_rows_at_most(plan, limit - *at) of them. Adds to *kept how many, and to *skipped the rows left out for
 * missing values (none if they are kept: then these are NaN). On CSV_OK *at is the first record start at or behind
 * limit (or end); otherwise it is the start of the record that stopped it, and what comes before that has been written
 * and counted.
 */
enum csv_status csv_parse_records(const struct csv_plan *plan, const char **at, const char *limit, const char *end,
        double *rows, size_t *kept, size_t *skipped, struct csv_problem *problem);

/* How many rows csv_parse_records can write for a range of so many bytes. */
size_t csv_rows_at_most(const struct csv_plan *plan, size_t bytes);

/*
 * Finds record starts in a file that is read piece by piece from a record start on: for files with quotes, where a
 * newline may lie inside a field. Feed the pieces in order.
 */
struct csv_scanner {
	char delimiter;
	int state;       /* private; zero is a record's first byte */
	uint64_t offset; /* of the next byte to be fed, in the file */
	size_t next;     /* boundaries found so far */
};

/* start: the file offset of the first byte that will be fed, which is a record start. */
void csv_scanner_init(struct csv_scanner *scanner, char delimiter, uint64_t start);

/*
 * boundaries: count file offsets, ascending. For each, starts[i] becomes the first record start at or behind
 * boundaries[i]. Call with length 0 at the end of the file: boundaries not yet met become the file's end.
 */
void csv_scanner_feed(struct csv_scanner *scanner, const char *bytes, size_t length, const uint64_t *boundaries,
        uint64_t *starts, size_t count);

#endif
