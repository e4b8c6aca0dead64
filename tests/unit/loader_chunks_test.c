#include "coordinator/loader.h"

#include "tests/unit/config_reading.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(loader_chunks, .init = scratch_enter, .fini = scratch_leave, .timeout = 60);

/* A CSV's text, and where its records start by the rules themselves, character by character. */
struct text {
	char *bytes;
	size_t length;
	size_t capacity;
	bool *starts; /* length + 1: is there a record start, or the end? */
};

static void add(struct text *text, const char *more)
{
	size_t length = strlen(more);
	if (text->length + length + 1 > text->capacity) {
		text->capacity = 2 * text->capacity + length + 1;
		text->bytes = realloc(text->bytes, text->capacity);
		cr_assert(text->bytes != NULL);
	}
	memcpy(text->bytes + text->length, more, length + 1);
	text->length += length;
}

static void add_zeros(struct text *text, size_t count)
{
	while (count-- > 0)
		add(text, "0");
}

static void find_starts(struct text *text, char delimiter)
{
	bool quoted = false, field_start = true;
	free(text->starts);
	text->starts = calloc(text->length + 1, sizeof *text->starts);
	cr_assert(text->starts != NULL);
	text->starts[0] = text->starts[text->length] = true;
	for (size_t i = 0; i < text->length; i++) {
		char byte = text->bytes[i];
		if (quoted) {
			if (byte == '"' && i + 1 < text->length && text->bytes[i + 1] == '"')
				i++;
			else if (byte == '"')
				quoted = false;
			continue;
		}
		quoted = byte == '"' && field_start;
		field_start = byte == delimiter || byte == '\n';
		text->starts[i + 1] |= byte == '\n';
	}
}

static void text_release(struct text *text)
{
	free(text->bytes);
	free(text->starts);
	*text = (struct text){0};
}

static struct loader open_text(struct text *text)
{
	struct config config = {.source = "run.json"};
	struct loader loader;
	struct error error = {0};
	config.dataset.path = config.dataset.given_path = "d.csv";
	write_file("d.csv", text->bytes, text->length);
	cr_assert(loader_open(&loader, &config, &error), "%s", error.message);
	loader.name = "d.csv"; /* the configuration does not live on */
	find_starts(text, loader.dataset.delimiter);
	return loader;
}

/* Where the chunk that begins with a leaf must begin: at the first record start at or behind the leaf's first byte. */
static uint64_t expected_start(const struct loader *loader, const struct text *text, uint64_t leaf)
{
	uint64_t at = text->length;
	if (leaf < loader->leaf_count) {
		uint64_t units = text->length - loader->dataset.data_offset;
		at = loader->dataset.data_offset + leaves_units(units, loader->leaf_count, (uint32_t)leaf).begin;
	}
	while (!text->starts[at])
		at++;
	return at;
}

static void expect_leaf_bytes(struct loader *loader, const struct text *text)
{
	struct error error;
	struct range bytes;
	for (uint64_t leaf = 0; leaf < loader->leaf_count; leaf++) {
		cr_assert(loader_chunk_bytes(loader, (struct range){leaf, leaf + 1}, &bytes, &error));
		cr_assert_eq(bytes.begin, expected_start(loader, text, leaf), "leaf %lu of %u, %zu bytes: %lu",
		        (unsigned long)leaf, loader->leaf_count, text->length, (unsigned long)bytes.begin);
		cr_assert_eq(bytes.end, expected_start(loader, text, leaf + 1));
	}
}

/* For every number of workers the chunks lie end to end and cover the data. */
static void expect_chunks_cover(struct loader *loader, const struct text *text)
{
	uint32_t most = loader->leaf_count < 70 ? loader->leaf_count + 2 : 70;
	for (uint32_t workers = 1; workers <= most; workers++) {
		uint64_t at = loader->dataset.data_offset;
		for (uint32_t worker = 0; worker < workers; worker++) {
			struct error error;
			struct range bytes, leaves = leaves_chunk(loader->leaf_count, workers, worker);
			cr_assert(loader_chunk_bytes(loader, leaves, &bytes, &error));
			cr_assert_eq(bytes.begin, at, "worker %u of %u", worker, workers);
			cr_assert(bytes.end >= bytes.begin && text->starts[bytes.end]);
			at = bytes.end;
		}
		cr_assert_eq(at, text->length, "%u workers", workers);
	}
}

static void expect_good_chunks(struct text *text, bool quotes)
{
	struct loader loader = open_text(text);
	struct error error;
	if (quotes)
		cr_assert(loader_find_quoted_records(&loader, &error));
	expect_leaf_bytes(&loader, text);
	expect_chunks_cover(&loader, text);
	loader_release(&loader);
}

static const char *const endings[] = {"\n", "\r\n"};

Test(loader_chunks, cover_the_records_wherever_the_leaves_are_cut)
{
	for (size_t e = 0; e < 2; e++) {
		/* A longer first record moves all others along the leaves. */
		for (size_t pad = 0; pad < 40; pad++) {
			struct text text = {0};
			add(&text, "a,b");
			add(&text, endings[e]);
			add_zeros(&text, pad);
			add(&text, "1,2");
			for (int i = 0; i < 30; i++) {
				char record[32];
				snprintf(record, sizeof record, "%s%d,%d", endings[e], i * i * i, i);
				add(&text, record);
			}
			expect_good_chunks(&text, false); /* without a newline at the end, */
			add(&text, endings[e]);
			expect_good_chunks(&text, false);
			add(&text, endings[e]); /* and with a blank line */
			expect_good_chunks(&text, false);
			text_release(&text);
		}
	}
}

Test(loader_chunks, leave_a_leaf_empty_inside_a_long_record)
{
	struct text text = {0};
	struct range bytes, previous;
	struct error error;
	add(&text, "1,2\n");
	add_zeros(&text, 200);
	add(&text, "3,4\n5,6\n");
	struct loader loader = open_text(&text);
	cr_assert_gt(loader.leaf_count, 10);
	cr_assert(loader_chunk_bytes(&loader, (struct range){5, 6}, &bytes, &error));
	cr_assert(loader_chunk_bytes(&loader, (struct range){4, 5}, &previous, &error));
	cr_expect(bytes.begin == bytes.end && previous.begin == previous.end && bytes.begin == previous.end);
	expect_leaf_bytes(&loader, &text);
	loader_release(&loader);
	text_release(&text);
}

Test(loader_chunks, start_behind_a_byte_order_mark)
{
	struct text text = {0};
	add(&text, "\xEF\xBB\xBF");
	add(&text, "1,2\n3,4\n5,6\n7,8\n9,10\n11,12\n");
	struct loader loader = open_text(&text);
	struct range bytes;
	struct error error;
	cr_assert(loader_chunk_bytes(&loader, (struct range){0, loader.leaf_count}, &bytes, &error));
	cr_expect(bytes.begin == 3 && bytes.end == text.length);
	loader_release(&loader);
	text_release(&text);
}

/* The file is read in pieces of 65536 bytes: a newline may be the last byte of one or the first of the next. */
Test(loader_chunks, find_a_newline_far_behind_the_leafs_first_byte)
{
	for (size_t length = 65500; length < 65560; length++) {
		struct text text = {0};
		add(&text, "1,2\n");
		text.bytes = realloc(text.bytes, text.capacity = 300000);
		cr_assert(text.bytes != NULL);
		memset(text.bytes + 4, '0', 2 * length);
		text.length += 2 * length;
		text.bytes[text.length] = '\0';
		add(&text, "3,4\n5,6\n");
		struct loader loader = open_text(&text);
		/* Leaves that begin in the long record: find its end from each of some. */
		for (uint64_t leaf = 1; leaf < loader.leaf_count; leaf += 97) {
			struct range bytes;
			struct error error;
			cr_assert(loader_chunk_bytes(&loader, (struct range){leaf, leaf + 1}, &bytes, &error));
			cr_assert_eq(bytes.begin, expected_start(&loader, &text, leaf));
		}
		loader_release(&loader);
		text_release(&text);
	}
}

Test(loader_chunks, hold_no_half_record_with_quotes)
{
	for (size_t e = 0; e < 2; e++) {
		for (size_t pad = 0; pad < 30; pad++) {
			struct text text = {0};
			add(&text, "\"a\nb\",y\n");
			add_zeros(&text, pad);
			add(&text, "1,2");
			for (int i = 0; i < 20; i++) {
				char record[64];
				snprintf(
				        record, sizeof record, "%s\"%d\",\"%d\n\n\"\"\n,%d\"", endings[e], i * i, i, i);
				add(&text, record);
			}
			expect_good_chunks(&text, true);
			add(&text, endings[e]);
			expect_good_chunks(&text, true);
			text_release(&text);
		}
	}
}

Test(loader_chunks, hold_no_half_record_with_quotes_in_a_file_of_many_pieces)
{
	struct text text = {0};
	uint64_t state = 9;
	add(&text, "x,y\n1,2\n");
	while (text.length < 250000) {
		char record[96];
		unsigned kind = random_below(&state, 4), digits = 1 + random_below(&state, 20);
		if (kind == 0)
			snprintf(record, sizeof record, "\"%0*u\n\",%u\n", (int)digits, kind, digits);
		else if (kind == 1)
			snprintf(record, sizeof record, "%u,\"\"\"\n\"\"%0*u\"\n", kind, (int)digits, digits);
		else
			snprintf(record, sizeof record, "%u,%0*u\r\n", kind, (int)digits, digits);
		add(&text, record);
	}
	expect_good_chunks(&text, true);
	text_release(&text);
}

Test(loader_chunks, of_an_npy_need_no_bytes)
{
	struct loader loader = {.dataset.format = DATASET_NPY, .leaf_count = 10, .descriptor = -1};
	struct range bytes = {1, 2};
	struct error error;
	cr_assert(loader_chunk_bytes(&loader, (struct range){2, 4}, &bytes, &error));
	cr_expect(bytes.begin == 0 && bytes.end == 0);
}

Test(loader_chunks, locate_every_byte_of_a_file)
{
	struct text text = {0};
	add(&text, "a,b\n1,2\r\n\n\"3\n\",4\n5,6");
	struct loader loader = open_text(&text);
	uint64_t line = 1, column = 1;
	for (size_t offset = 0; offset <= text.length; offset++) {
		uint64_t found_line, found_column;
		struct error error;
		cr_assert(loader_locate(&loader, offset, &found_line, &found_column, &error));
		cr_expect(found_line == line && found_column == column, "byte %zu: %lu:%lu", offset,
		        (unsigned long)found_line, (unsigned long)found_column);
		column++;
		if (offset < text.length && text.bytes[offset] == '\n') {
			line++;
			column = 1;
		}
	}
	loader_release(&loader);
	text_release(&text);
}

Test(loader_chunks, locate_without_the_byte_order_mark)
{
	struct text text = {0};
	uint64_t line, column;
	struct error error;
	add(&text, "\xEF\xBB\xBF");
	add(&text, "1,2\n3,4\n");
	struct loader loader = open_text(&text);
	cr_assert(loader_locate(&loader, 5, &line, &column, &error));
	cr_expect(line == 1 && column == 3);
	cr_assert(loader_locate(&loader, 9, &line, &column, &error));
	cr_expect(line == 2 && column == 3);
	loader_release(&loader);
	text_release(&text);
}

Test(loader_chunks, locate_bytes_beyond_the_first_piece)
{
	struct text text = {0};
	for (int i = 0; i < 20000; i++) /* of 11 bytes each */
		add(&text, "12345,6789\n");
	struct loader loader = open_text(&text);
	static const uint64_t offsets[] = {65534, 65535, 65536, 65537, 131071, 131072, 199999, 220000};
	for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
		uint64_t line, column;
		struct error error;
		cr_assert(loader_locate(&loader, offsets[i], &line, &column, &error));
		cr_expect_eq(line, offsets[i] / 11 + 1);
		cr_expect_eq(column, offsets[i] % 11 + 1);
	}
	loader_release(&loader);
	text_release(&text);
}
