/*
 * The loop over a chunk's records, which is compiled once for each instruction set there is a clone for: what is
 * included here takes the wider instructions where the compiler may use them. Private to common/csv_rows.c and the
 * clones.
 */
#ifndef FORKFIT_COMMON_CSV_RECORDS_H
#define FORKFIT_COMMON_CSV_RECORDS_H

#include "common/csv.h"
#include "common/csv_field.h"
#include "common/csv_marks.h"
#include "common/decimal_plain.h"

/* Left to the compiler, some of it becomes calls, and they are felt. */
#define INLINE static inline __attribute__((always_inline))

/* csv_parse_records, but for the explanation: false, at a record that is not good. */
typedef bool csv_records_taker(const struct csv_plan *plan, const char **at, const char *limit, const char *end,
        double *rows, size_t *kept, size_t *skipped);

csv_records_taker csv_take_records_avx2;

/* The end of a field that is used and may be written in any way; NULL: explain it. In common/csv_rows.c. */
const char *csv_take_any_number(
        const struct csv_plan *plan, const char *at, const char *end, double *value, bool *missing);

/* What the loop goes by, in registers where they suffice. */
struct csv_records {
	const struct csv_plan *plan;
	const char *first_plain; /* a number that ends before is too near to the text's beginning to be read as plain */
	const char *end;
	struct csv_marks marks;
};

/* From the end of a field to the start of the next, in this record or the one behind it. */
INLINE const char *next_field(const char *at, const char *end)
{
	return csv_ends_record(at, end) ? csv_next_record(at, end) : at + 1;
}

/*
 * The end of a field that is used, where a mark says where the field ends. What the marks do not reach (the text's
 * first and last bytes) and what is not a plain number is left to csv_take_any_number.
 */
INLINE const char *take_number(struct csv_records *records, const char *at, double *value, bool *missing)
{
	const char *stop = csv_marks_next(&records->marks);
	if (__builtin_expect(stop != NULL && stop >= records->first_plain, 1)) {
		if (__builtin_expect(stop[-1] == '\r', 0)) /* a branch: the next field does not wait for the byte */
			stop--;
		if (__builtin_expect(decimal_plain_read(at, stop, value), 1))
			return stop;
	}
	const char *after = csv_take_any_number(records->plan, at, records->end, value, missing);
	if (after != NULL && after != stop) /* inside quotes a delimiter is none */
		csv_marks_seek(&records->marks, next_field(after, records->end));
	return after;
}

/* The same for a field that is passed over; NULL: explain it. */
INLINE const char *skip_field(struct csv_records *records, const char *at)
{
	const char *end = records->end;
	if (at == end || *at != '"') {
		const char *stop = csv_marks_next(&records->marks);
		return stop != NULL ? stop : csv_find_or_newline(at, end, records->plan->delimiter);
	}
	struct csv_cut cut;
	csv_cut_field(at, end, records->plan->delimiter, &cut);
	if (cut.unclosed || !records->plan->quotes)
		return NULL;
	csv_marks_seek(&records->marks, next_field(cut.after, end));
	return cut.after;
}

/* Parses the record at `at` into row and returns where the next one starts; NULL: explain it. */
INLINE const char *parse_record(struct csv_records *records, const char *at, double *row, bool *missing)
{
	const uint32_t fields = records->plan->fields;
	const int32_t *slots = records->plan->slot;
	for (uint32_t place = 0;; at++) {
		int32_t slot = slots[place];
		at = __builtin_expect(slot < 0, 0) ? skip_field(records, at)
		                                   : take_number(records, at, &row[slot], missing);
		if (at == NULL)
			return NULL;
		if (++place == fields)
			break;
		if (at == records->end || *at != records->marks.delimiter)
			return NULL;
	}
	return csv_ends_record(at, records->end) ? csv_next_record(at, records->end) : NULL;
}

INLINE bool csv_take_records(const struct csv_plan *plan, const char **at, const char *limit, const char *end,
        double *rows, size_t *kept, size_t *skipped)
{
	double *row = rows;
	/* One byte more: before what is read as a number, a CR may go. */
	struct csv_records records = {.plan = plan, .first_plain = *at + DECIMAL_PLAIN_REACH + 1, .end = end};
	csv_marks_init(&records.marks, plan->delimiter, *at, end);
	while (*at < limit) {
		if (csv_ends_record(*at, end)) { /* a blank line */
			*at = csv_next_record(*at, end);
			csv_marks_seek(&records.marks, *at);
			continue;
		}
		bool missing = false;
		const char *next = parse_record(&records, *at, row, &missing);
		if (next == NULL)
			return false;
		*at = next;
		if (missing && plan->missing != MISSING_KEEP_ROW) {
			*skipped += 1;
		} else {
			*kept += 1;
			row += plan->width;
		}
	}
	return true;
}

#endif
