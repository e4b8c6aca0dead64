#include "common/csv.h"

#include "common/csv_field.h"

#include <string.h>
#include <strings.h>

static bool is_white(char byte)
{
	return byte == ' ' || byte == '\t';
}

const char *csv_trim(const char *text, size_t *length)
{
	const char *end = text + *length;
	while (text < end && is_white(*text))
		text++;
	while (text < end && is_white(end[-1]))
		end--;
	*length = (size_t)(end - text);
	return text;
}

/* The quote that closes the field whose text starts at `at`, behind its opening quote; NULL if there is none. */
static const char *find_closing_quote(const char *at, const char *end)
{
	while (at < end) {
		const char *quote = memchr(at, '"', (size_t)(end - at));
		if (quote == NULL || quote + 1 == end || quote[1] != '"')
			return quote;
		at = quote + 2; /* a doubled quote */
	}
	return NULL;
}

static const char *find_field_end(const char *at, const char *end, char delimiter)
{
	const char *separator = csv_find_or_newline(at, end, delimiter);
	bool record_ends = separator == end || *separator == '\n';
	return record_ends && separator > at && separator[-1] == '\r' ? separator - 1 : separator;
}

static void cut_quoted_field(const char *at, const char *end, char delimiter, struct csv_cut *cut)
{
	const char *closing = find_closing_quote(at + 1, end);
	cut->field.text = at + 1;
	cut->field.quoted = true;
	cut->unclosed = closing == NULL;
	if (cut->unclosed) {
		cut->field.length = (size_t)(end - cut->field.text);
		cut->after = end;
		cut->trailing_text = false;
		return;
	}
	cut->field.length = (size_t)(closing - cut->field.text);
	cut->after = find_field_end(closing + 1, end, delimiter);
	size_t rest = (size_t)(cut->after - (closing + 1));
	csv_trim(closing + 1, &rest);
	cut->trailing_text = rest > 0;
}

void csv_cut_field(const char *at, const char *end, char delimiter, struct csv_cut *cut)
{
	if (at < end && *at == '"') {
		cut_quoted_field(at, end, delimiter, cut);
		return;
	}
	cut->after = find_field_end(at, end, delimiter);
	cut->field.text = at;
	cut->field.length = (size_t)(cut->after - at);
	cut->field.quoted = false;
	cut->unclosed = false;
	cut->trailing_text = false;
}

const char *csv_read_record(const char *at, const char *end, char delimiter, struct csv_field *fields, size_t capacity,
        size_t *count, bool *unclosed)
{
	*count = 0;
	*unclosed = false;
	while (at < end && csv_ends_record(at, end))
		at = csv_next_record(at, end);
	if (at == end)
		return end;
	for (;;) {
		struct csv_cut cut;
		csv_cut_field(at, end, delimiter, &cut);
		if (*count < capacity)
			fields[*count] = cut.field;
		*count += 1;
		*unclosed = cut.unclosed;
		if (csv_ends_record(cut.after, end))
			return csv_next_record(cut.after, end);
		at = cut.after + 1;
	}
}

bool csv_is_missing(const char *text, size_t length)
{
	static const char words[][5] = {"", "NA", "NaN", "null"};
	text = csv_trim(text, &length);
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (length == strlen(words[i]) && strncasecmp(text, words[i], length) == 0)
			return true;
	}
	return false;
}

/* What the next byte is to the scanner. */
enum scanner_state {
	AT_RECORD, /* the first of a record */
	AT_FIELD,  /* the first of a field that is not a record's first */
	IN_TEXT,   /* not the first of a field: of all quotes only one behind a delimiter means anything */
	IN_QUOTES, /* in a quoted field */
	AT_QUOTE,  /* behind a quote in a quoted field: another quote, or the text behind the closing one */
};

void csv_scanner_init(struct csv_scanner *scanner, char delimiter, uint64_t start)
{
	*scanner = (struct csv_scanner){.delimiter = delimiter, .state = AT_RECORD, .offset = start};
}

/* Goes on from `at` (< end) to where the state changes. */
static const char *scan(struct csv_scanner *scanner, const char *at, const char *end)
{
	switch ((enum scanner_state)scanner->state) {
	case AT_RECORD:
	case AT_FIELD:
		scanner->state = *at == '"' ? IN_QUOTES : IN_TEXT;
		return *at == '"' ? at + 1 : at;
	case IN_TEXT: {
		const char *mark = csv_find_or_newline(at, end, '"');
		bool field_starts = mark > at && mark[-1] == scanner->delimiter;
		if (mark < end && *mark == '\n')
			scanner->state = AT_RECORD;
		else if (field_starts)
			scanner->state = AT_FIELD;
		return mark < end && scanner->state != AT_FIELD ? mark + 1 : mark;
	}
	case IN_QUOTES:
		at = memchr(at, '"', (size_t)(end - at));
		if (at == NULL)
			return end;
		scanner->state = AT_QUOTE;
		return at + 1;
	case AT_QUOTE:
		scanner->state = *at == '"' ? IN_QUOTES : IN_TEXT;
		return *at == '"' ? at + 1 : at;
	}
	return end;
}

void csv_scanner_feed(struct csv_scanner *scanner, const char *bytes, size_t length, const uint64_t *boundaries,
        uint64_t *starts, size_t count)
{
	if (length == 0) {
		while (scanner->next < count)
			starts[scanner->next++] = scanner->offset;
		return;
	}
	const char *at = bytes;
	const char *end = bytes + length;
	while (scanner->next < count) {
		uint64_t offset = scanner->offset + (uint64_t)(at - bytes);
		if (scanner->state == AT_RECORD) {
			while (scanner->next < count && boundaries[scanner->next] <= offset)
				starts[scanner->next++] = offset;
		}
		if (at == end)
			break;
		at = scan(scanner, at, end);
	}
	scanner->offset += length;
}
