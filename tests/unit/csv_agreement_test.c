/*
 * The reader, the parser and the scanner each find fields and records in their own way. Here they are held against a
 * model that goes byte by byte, on random texts of the few characters that matter.
 */
#include "common/csv.h"
#include "common/utf8.h"

#include "tests/unit/guard_page.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

TestSuite(csv_agreement, .timeout = 60);

enum { TEXT_MAX = 96 };

struct model_field {
	size_t start, text, length; /* start is the quote's place where there is one */
	bool quoted, trailing_text;
};

/* A record, or a blank line: that has no fields. */
struct model_record {
	size_t start, next;
	size_t count;
	size_t first; /* of its fields */
	bool unclosed;
};

struct model {
	size_t records;
	struct model_record record[TEXT_MAX + 1];
	struct model_field field[TEXT_MAX + 1];
};

static bool record_ends(const char *text, size_t length, size_t at)
{
	return at == length || text[at] == '\n' ||
	       (text[at] == '\r' && (at + 1 == length || (at + 1 < length && text[at + 1] == '\n')));
}

static size_t behind_record(const char *text, size_t length, size_t at)
{
	if (at < length && text[at] == '\r')
		at++;
	return at < length ? at + 1 : length;
}

/* Reads one field at `at`, and returns where it ends. */
static size_t model_read_field(
        const char *text, size_t length, char delimiter, size_t at, struct model_field *field, bool *unclosed)
{
	*field = (struct model_field){.start = at, .text = at};
	if (at < length && text[at] == '"') {
		field->quoted = true;
		field->text = ++at;
		while (at < length && (text[at] != '"' || (at + 1 < length && text[at + 1] == '"')))
			at += text[at] == '"' ? 2 : 1;
		field->length = at - field->text;
		if (at == length) {
			*unclosed = true;
			return at;
		}
		at++;
	}
	for (; !record_ends(text, length, at) && text[at] != delimiter; at++)
		field->trailing_text |= field->quoted && text[at] != ' ' && text[at] != '\t';
	if (!field->quoted)
		field->length = at - field->text;
	return at;
}

static void model_read(struct model *model, const char *text, size_t length, char delimiter)
{
	size_t fields = 0;
	model->records = 0;
	for (size_t at = 0; at < length;) {
		struct model_record *record = &model->record[model->records++];
		*record = (struct model_record){.start = at, .first = fields};
		if (!record_ends(text, length, at)) {
			at = model_read_field(text, length, delimiter, at, &model->field[fields++], &record->unclosed);
			while (!record_ends(text, length, at))
				at = model_read_field(
				        text, length, delimiter, at + 1, &model->field[fields++], &record->unclosed);
		}
		record->count = fields - record->first;
		record->next = at = behind_record(text, length, at);
	}
}

/* A random text with a page behind it that must not be touched, and what it should be read as. */
struct sample {
	struct guard_page guard;
	const char *text;
	size_t length;
	char delimiter;
	struct model model;
	char shown[5 * TEXT_MAX + 8];
};

static void sample_draw(struct sample *sample, uint64_t *state)
{
	/* Delimiters that are white space are the ones to get wrong. */
	sample->delimiter = ",,,,\t "[random_below(state, 6)];
	const char alphabet[] = {'a', '1', sample->delimiter, '"', '\n', '\r', ' ', '\t'};
	char text[TEXT_MAX];
	/* Short texts meet every combination; long ones reach the code that takes many bytes at once. */
	bool long_text = random_below(state, 8) == 0;
	sample->length = random_below(state, long_text ? TEXT_MAX : 16);
	for (size_t i = 0; i < sample->length; i++)
		text[i] =
		        long_text && random_below(state, 3) != 0 ? '1' : alphabet[random_below(state, sizeof alphabet)];
	sample->text = guard_page_place(&sample->guard, text, sample->length);
	model_read(&sample->model, sample->text, sample->length, sample->delimiter);
	utf8_excerpt(sample->shown, sizeof sample->shown, sample->text, sample->length);
}

static void check_reader(const struct sample *sample)
{
	const char *end = sample->text + sample->length;
	const char *at = sample->text;
	struct csv_field fields[TEXT_MAX + 1];
	size_t count;
	bool unclosed;
	for (size_t i = 0; i < sample->model.records; i++) {
		const struct model_record *record = &sample->model.record[i];
		if (record->count == 0)
			continue;
		at = csv_read_record(at, end, sample->delimiter, fields, TEXT_MAX + 1, &count, &unclosed);
		cr_assert_eq(at, sample->text + record->next, "'%s', record %zu", sample->shown, i);
		cr_assert_eq(count, record->count, "'%s', record %zu", sample->shown, i);
		cr_assert_eq(unclosed, record->unclosed, "'%s', record %zu", sample->shown, i);
		for (size_t j = 0; j < count; j++) {
			const struct model_field *field = &sample->model.field[record->first + j];
			cr_assert(fields[j].text == sample->text + field->text && fields[j].length == field->length &&
			                  fields[j].quoted == field->quoted,
			        "'%s', record %zu, field %zu", sample->shown, i, j);
		}
	}
	if (at < end) {
		at = csv_read_record(at, end, sample->delimiter, fields, TEXT_MAX + 1, &count, &unclosed);
		cr_assert(at == end && count == 0, "'%s', behind the last record", sample->shown);
	}
}

Test(csv_agreement, the_reader_finds_what_the_model_finds)
{
	struct sample sample = {.guard = guard_page_new(TEXT_MAX)};
	uint64_t state = 1;
	for (int i = 0; i < 200000; i++) {
		sample_draw(&sample, &state);
		check_reader(&sample);
	}
	guard_page_free(&sample.guard);
}

/* Where the first record at or behind an offset starts; a blank line counts. */
static size_t model_start(const struct sample *sample, size_t offset)
{
	for (size_t i = 0; i < sample->model.records; i++) {
		if (sample->model.record[i].start >= offset)
			return sample->model.record[i].start;
	}
	return sample->length;
}

static void check_scanner(const struct sample *sample, size_t piece)
{
	const uint64_t file_offset = 1000;
	uint64_t boundaries[TEXT_MAX + 2], starts[TEXT_MAX + 2];
	size_t count = sample->length + 2;
	for (size_t i = 0; i < count; i++) {
		boundaries[i] = file_offset + i; /* the last is behind the end */
		starts[i] = 0;
	}
	struct csv_scanner scanner;
	csv_scanner_init(&scanner, sample->delimiter, file_offset);
	for (size_t at = 0; at < sample->length; at += piece) {
		size_t rest = sample->length - at;
		csv_scanner_feed(&scanner, sample->text + at, rest < piece ? rest : piece, boundaries, starts, count);
	}
	csv_scanner_feed(&scanner, NULL, 0, boundaries, starts, count);
	for (size_t i = 0; i < count; i++)
		cr_assert_eq(starts[i], file_offset + model_start(sample, i), "'%s' in pieces of %zu, boundary %zu",
		        sample->shown, piece, i);
}

Test(csv_agreement, the_scanner_finds_the_records_of_the_model_in_pieces_of_every_size)
{
	struct sample sample = {.guard = guard_page_new(TEXT_MAX)};
	uint64_t state = 2;
	for (int i = 0; i < 20000; i++) {
		sample_draw(&sample, &state);
		for (size_t piece = 1; piece <= sample.length + 1; piece++)
			check_scanner(&sample, piece);
	}
	guard_page_free(&sample.guard);
}

struct outcome {
	enum csv_status status;
	bool kept, skipped;
	size_t next;       /* of the bytes that were parsed */
	size_t problem_at; /* if status is CSV_BAD */
	int64_t field;
};

/* What should come of a record whose used fields are those with a slot. Of numbers there are only 1, 11, … */
static struct outcome model_outcome(
        const struct sample *sample, const struct model_record *record, const struct csv_plan *plan)
{
	const struct model_field *fields = &sample->model.field[record->first];
	struct outcome bad = {.status = CSV_BAD, .next = record->start, .problem_at = record->start, .field = -1};
	struct outcome good = {.status = CSV_OK, .kept = true, .next = record->next};
	if (record->count == 0)
		return (struct outcome){.status = CSV_OK, .next = record->next};
	for (size_t i = 0; i < record->count; i++) {
		if (fields[i].quoted && !plan->quotes)
			return (struct outcome){.status = CSV_QUOTE, .next = record->start};
	}
	if (record->unclosed) {
		bad.field = (int64_t)record->count - 1;
		bad.problem_at = fields[bad.field].start;
		return bad;
	}
	if (record->count != plan->fields)
		return bad;
	for (size_t i = 0; i < record->count; i++) {
		const char *text = sample->text + fields[i].text;
		size_t length = fields[i].length;
		for (; length > 0 && strchr(" \t", *text) != NULL; length--)
			text++;
		while (length > 0 && strchr(" \t", text[length - 1]) != NULL)
			length--;
		bool number = length > 0 && !fields[i].trailing_text;
		for (size_t j = 0; j < length; j++)
			number &= text[j] == '1';
		bool missing = length == 0 && !fields[i].trailing_text;
		if (plan->slot[i] < 0 || number)
			continue;
		if (!missing || plan->missing == MISSING_ERROR) {
			bad.field = (int64_t)i;
			bad.problem_at = fields[i].start;
			return bad;
		}
		good.kept = false;
		good.skipped = true;
	}
	return good;
}

static struct outcome parse(const struct sample *sample, const struct model_record *record, const struct csv_plan *plan)
{
	double rows[TEXT_MAX + 1];
	size_t kept = 0, skipped = 0;
	struct csv_problem problem = {0};
	const char *at = sample->text + record->start;
	struct outcome outcome = {0};
	outcome.status =
	        csv_parse_records(plan, &at, at + 1, sample->text + sample->length, rows, &kept, &skipped, &problem);
	outcome.kept = kept == 1;
	outcome.skipped = skipped == 1;
	outcome.next = (size_t)(at - sample->text);
	if (outcome.status == CSV_BAD) {
		outcome.problem_at = (size_t)(problem.at - sample->text);
		outcome.field = problem.field;
	}
	return outcome;
}

Test(csv_agreement, the_parser_ends_and_judges_every_record_as_the_model_does)
{
	struct sample sample = {.guard = guard_page_new(TEXT_MAX)};
	uint64_t state = 3;
	for (int i = 0; i < 200000; i++) {
		sample_draw(&sample, &state);
		for (size_t r = 0; r < sample.model.records; r++) {
			const struct model_record *record = &sample.model.record[r];
			int32_t slot[TEXT_MAX + 1];
			struct csv_plan plan = {.delimiter = sample.delimiter, .slot = slot};
			/* Mostly the right number of fields; of those some are used, or all or none. */
			plan.fields = record->count > 0 && random_below(&state, 8) != 0 ? (uint32_t)record->count
			                                                                : 1 + random_below(&state, 3);
			unsigned used = random_below(&state, 4);
			for (uint32_t j = 0; j < plan.fields; j++)
				slot[j] = random_below(&state, 3) < used ? (int32_t)plan.width++ : -1;
			plan.missing = random_below(&state, 2) ? MISSING_ERROR : MISSING_SKIP_ROW;
			plan.quotes = random_below(&state, 8) != 0;
			plan.clone = (enum csv_clone)random_below(&state, csv_best_clone() + 1);
			struct outcome expected = model_outcome(&sample, record, &plan);
			struct outcome found = parse(&sample, record, &plan);
			cr_assert(found.status == expected.status && found.kept == expected.kept &&
			                  found.skipped == expected.skipped && found.next == expected.next &&
			                  found.problem_at == expected.problem_at && found.field == expected.field,
			        "'%s', record %zu, %u fields: status %d, next %zu, problem at %zu, field %d",
			        sample.shown, r, plan.fields, found.status, found.next, found.problem_at,
			        (int)found.field);
		}
	}
	guard_page_free(&sample.guard);
}
