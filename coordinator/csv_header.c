#include "coordinator/csv_header.h"

#include "common/csv.h"
#include "common/decimal.h"
#include "common/utf8.h"
#include "coordinator/spelling.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	SAMPLE_RECORDS = 20, /* enough to tell a delimiter from a character that happens to be in the text */
	FIELDS_MAX = 65535,  /* more is a file of another kind, or a wrong delimiter */
};

/* The beginning of the file, behind the byte order mark. */
struct head {
	const char *name;
	const char *start;
	const char *end;
	bool whole; /* end is the end of the file */
};

/* Fails with "name:line:column: message" for the byte at `at`. */
static bool fail_at(const struct head *head, const char *at, struct error *error, const char *message)
{
	size_t line = 1;
	const char *line_start = head->start;
	for (const char *byte = head->start; byte < at; byte++) {
		if (*byte == '\n') {
			line++;
			line_start = byte + 1;
		}
	}
	return error_set(
	        error, EXIT_BAD_DATASET, "%s:%zu:%zu: %s", head->name, line, (size_t)(at - line_start) + 1, message);
}

static bool skip_byte_order_mark(struct head *head, struct error *error)
{
	size_t length = (size_t)(head->end - head->start);
	if (length >= 2 && (memcmp(head->start, "\xFF\xFE", 2) == 0 || memcmp(head->start, "\xFE\xFF", 2) == 0))
		return fail_at(head, head->start, error, "the file is UTF-16; convert it to UTF-8");
	if (length >= 3 && memcmp(head->start, "\xEF\xBB\xBF", 3) == 0)
		head->start += 3;
	return true;
}

/* Reads the record at *at and moves on; false where no record is left that ends within the bytes. */
static bool next_record(const struct head *head, const char **at, char delimiter, struct csv_field *fields,
        size_t capacity, size_t *count)
{
	bool unclosed;
	if (*at == head->end)
		return false;
	const char *next = csv_read_record(*at, head->end, delimiter, fields, capacity, count, &unclosed);
	if (*count == 0 || unclosed || (!head->whole && next[-1] != '\n'))
		return false;
	*at = next;
	return true;
}

/* What the records look like if they have a certain delimiter. */
struct shape {
	size_t fields;    /* in half of them or more; 0: there is no such number */
	size_t deviating; /* records that have another */
};

static struct shape find_shape(const struct head *head, char delimiter)
{
	size_t counts[SAMPLE_RECORDS] = {0};
	size_t records = 0;
	const char *at = head->start;
	while (records < SAMPLE_RECORDS && next_record(head, &at, delimiter, NULL, 0, &counts[records]))
		records++;
	/* Not even one record is whole: if nothing fits better, the error will be about this one. */
	if (records == 0)
		return (struct shape){.fields = counts[0], .deviating = 1};
	for (size_t i = 0; i < records; i++) {
		size_t deviating = 0;
		for (size_t j = 0; j < records; j++)
			deviating += counts[j] != counts[i];
		if (2 * deviating <= records)
			return (struct shape){.fields = counts[i], .deviating = deviating};
	}
	return (struct shape){.deviating = SIZE_MAX};
}

/*
 * A delimiter is there to divide. One that gives all records the same number of fields is the right one, but a record
 * or two may spoil that, and it is for the parser to say so. Of several, the one that gives more fields.
 */
static bool fits_better(const struct shape *shape, const struct shape *other)
{
	if ((shape->fields > 1) != (other->fields > 1))
		return shape->fields > 1;
	if (shape->deviating != other->deviating)
		return shape->deviating < other->deviating;
	return shape->fields > other->fields;
}

static char detect_delimiter(const struct head *head)
{
	static const char candidates[] = {',', ';', '\t', '|'};
	char best = candidates[0];
	struct shape best_shape = find_shape(head, best);
	for (size_t i = 1; i < sizeof candidates; i++) {
		struct shape shape = find_shape(head, candidates[i]);
		if (fits_better(&shape, &best_shape)) {
			best = candidates[i];
			best_shape = shape;
		}
	}
	return best;
}

static enum column_kind kind_of(const struct csv_field *field)
{
	size_t length = field->length;
	const char *text = csv_trim(field->text, &length);
	double value;
	const char *after;
	if (csv_is_missing(text, length))
		return COLUMN_EMPTY;
	enum decimal_status status = decimal_parse(text, text + length, &value, &after);
	bool number = status != DECIMAL_NOT_A_NUMBER && after == text + length;
	return number ? COLUMN_NUMBER : COLUMN_TEXT;
}

static bool looks_like_header(const struct csv_field *fields, size_t count)
{
	bool text = false;
	for (size_t i = 0; i < count; i++) {
		enum column_kind kind = kind_of(&fields[i]);
		if (kind == COLUMN_NUMBER)
			return false;
		text |= kind == COLUMN_TEXT;
	}
	return text;
}

/* The name in a header field, as valid UTF-8 without NUL: other bytes become \xNN. NULL: no memory. */
static char *name_of(const struct csv_field *field, uint32_t place)
{
	size_t length = field->length;
	const char *at = csv_trim(field->text, &length);
	const char *end = at + length;
	char *name = malloc(4 * length + sizeof "c65535");
	if (name == NULL)
		return NULL;
	char *out = name;
	if (length == 0)
		out += sprintf(out, "c%u", place);
	while (at < end) {
		size_t bytes = utf8_sequence_length(at, end);
		if (bytes == 0 || *at == '\0') {
			out += sprintf(out, "\\x%02X", (unsigned)(unsigned char)*at++);
			continue;
		}
		memcpy(out, at, bytes);
		out += bytes;
		/* All quotes inside a quoted field are doubled. */
		at += field->quoted && *at == '"' ? 2 : bytes;
	}
	*out = '\0';
	return name;
}

/* fields: the header's, or NULL where there is none. */
static bool name_columns(struct csv_header *result, const struct csv_field *fields, struct error *error)
{
	const struct csv_field none = {.text = "", .length = 0};
	result->columns = calloc(result->fields, sizeof *result->columns);
	if (result->columns == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	for (uint32_t i = 0; i < result->fields; i++) {
		struct csv_column *column = &result->columns[i];
		column->kind = COLUMN_EMPTY;
		column->name = name_of(fields != NULL ? &fields[i] : &none, i);
		if (column->name == NULL)
			return error_set(error, EXIT_OS_ERROR, "out of memory");
	}
	return true;
}

/* Looks at records from `at` on until every column has shown a value. */
static void find_kinds(const struct head *head, const char *at, struct csv_field *fields, struct csv_header *result)
{
	size_t count;
	uint32_t unknown = result->fields;
	while (unknown > 0 && next_record(head, &at, result->delimiter, fields, result->fields, &count)) {
		for (uint32_t i = 0; i < result->fields && i < count; i++) {
			struct csv_column *column = &result->columns[i];
			if (column->kind != COLUMN_EMPTY)
				continue;
			column->kind = kind_of(&fields[i]);
			if (column->kind == COLUMN_EMPTY)
				continue;
			size_t length = fields[i].length;
			const char *text = csv_trim(fields[i].text, &length);
			utf8_excerpt(column->sample, sizeof column->sample, text, length);
			unknown--;
		}
	}
}

/* The first record, and where the next one starts. */
struct first_record {
	struct csv_field *fields;
	size_t count;
	bool unclosed;
	const char *next;
};

static bool check_first_record(const struct head *head, const struct first_record *record, struct error *error)
{
	char message[128];
	size_t bytes = (size_t)(head->end - head->start);
	if (record->count == 0) {
		if (head->whole)
			return fail_at(head, head->start, error, "the file holds nothing but blank lines");
		snprintf(message, sizeof message, "the first %zu bytes are blank lines", bytes);
		return fail_at(head, head->start, error, message);
	}
	const struct csv_field *field = &record->fields[record->unclosed ? record->count - 1 : 0];
	const char *at = field->quoted ? field->text - 1 : field->text;
	if (record->unclosed && head->whole)
		return fail_at(head, at, error, "this quoted field is never closed");
	if (record->unclosed || (!head->whole && record->next[-1] != '\n')) {
		snprintf(message, sizeof message, "this %s does not end within the first %zu bytes of the file",
		        record->unclosed ? "quoted field" : "record", bytes);
		return fail_at(head, at, error, message);
	}
	return true;
}

/*
 * Are lines ended by CR alone, as on old Macintoshes? To the reader the file is then one record, whose first and last
 * fields might even be numbers. A CR in quotes, or before the end, tells nothing.
 */
static const char *find_lone_return(const struct head *head)
{
	bool quoted = false;
	if (memchr(head->start, '\n', (size_t)(head->end - head->start)) != NULL)
		return NULL;
	for (const char *at = head->start; at < head->end; at++) {
		quoted ^= *at == '"';
		if (*at == '\r' && !quoted && at + 1 < head->end)
			return at;
	}
	return NULL;
}

/* On success the fields are the caller's to free. */
static bool read_first_record(const struct head *head, char delimiter, struct first_record *record, struct error *error)
{
	if (head->start == head->end)
		return fail_at(head, head->start, error, "the file is empty");
	const char *lone_return = find_lone_return(head);
	if (lone_return != NULL)
		return fail_at(head, lone_return, error,
		        "lines end with CR alone, and must end with LF or CRLF: tr '\\r' '\\n' makes them so");
	csv_read_record(head->start, head->end, delimiter, NULL, 0, &record->count, &record->unclosed);
	if (record->count > FIELDS_MAX) {
		char message[128];
		snprintf(message, sizeof message, "the first record has %zu fields; more than %d are not supported",
		        record->count, FIELDS_MAX);
		return fail_at(head, head->start, error, message);
	}
	record->fields = malloc((record->count + 1) * sizeof *record->fields);
	if (record->fields == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	record->next = csv_read_record(
	        head->start, head->end, delimiter, record->fields, record->count, &record->count, &record->unclosed);
	if (check_first_record(head, record, error))
		return true;
	free(record->fields);
	return false;
}

bool csv_header_read(const char *name, const char *bytes, size_t length, bool whole, enum header_mode header,
        char delimiter, struct csv_header *result, struct error *error)
{
	struct head head = {.name = name, .start = bytes, .end = bytes + length, .whole = whole};
	struct first_record first;
	*result = (struct csv_header){0};
	if (!skip_byte_order_mark(&head, error))
		return false;
	result->delimiter = delimiter != 0 ? delimiter : detect_delimiter(&head);
	if (!read_first_record(&head, result->delimiter, &first, error))
		return false;

	result->has_header =
	        header == HEADER_PRESENT || (header == HEADER_DETECT && looks_like_header(first.fields, first.count));
	const char *data = result->has_header ? first.next : head.start;
	result->data_offset = (size_t)(data - bytes);
	result->fields = (uint32_t)first.count;
	bool named = name_columns(result, result->has_header ? first.fields : NULL, error);
	if (named)
		find_kinds(&head, data, first.fields, result);
	else
		csv_header_release(result);
	free(first.fields);
	return named;
}

void csv_header_release(struct csv_header *header)
{
	for (uint32_t i = 0; header->columns != NULL && i < header->fields; i++)
		free(header->columns[i].name);
	free(header->columns);
	*header = (struct csv_header){0};
}

const char *csv_header_nearest(const struct csv_column *columns, uint32_t count, const char *name)
{
	const char **names = malloc(count * sizeof *names);
	if (names == NULL)
		return NULL;
	for (uint32_t i = 0; i < count; i++)
		names[i] = columns[i].name;
	const char *near = spelling_nearest(name, names, count);
	free(names);
	return near;
}
