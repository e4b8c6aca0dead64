#include "coordinator/loader.h"

#include "common/csv.h"
#include "common/npy.h"
#include "common/wire.h"
#include "coordinator/columns.h"
#include "coordinator/csv_header.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Enough for a header and for the first values of nearly all columns. */
enum { HEAD_BYTES = 1 << 20 };
/* A piece of the file in one read(2). */
enum { PIECE_BYTES = 1 << 16 };
/* A CSV field's length with its delimiter, to guess at the rows from. */
enum { BYTES_PER_FIELD = 6 };
/*
 * From twice this much on a second worker is worth its round trip, or costs nothing: with 8,192 × 16 numbers, 1 MB, an
 * epoch took one worker 50 µs and two 31 on an Intel Xeon, and 39 and 41 on an AMD EPYC (family 26).
 */
enum { BYTES_PER_WORKER = 1 << 19 };

bool loader_read_at(
        const struct loader *loader, uint64_t offset, char *bytes, size_t length, size_t *got, struct error *error)
{
	*got = 0;
	while (*got < length) {
		ssize_t part = pread(loader->descriptor, bytes + *got, length - *got, (off_t)(offset + *got));
		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return error_set_errno(error, EXIT_OS_ERROR, "cannot read %s", loader->name);
		if (part == 0)
			break;
		*got += (size_t)part;
	}
	return true;
}

static struct file_identity identity_of(const struct stat *status)
{
	return (struct file_identity){
	        .bytes = (uint64_t)status->st_size,
	        .inode = status->st_ino,
	        .modified_ns = (int64_t)status->st_mtim.tv_sec * 1000000000 + status->st_mtim.tv_nsec,
	};
}

static bool open_file(struct loader *loader, const struct config *config, struct error *error)
{
	struct stat status;
	loader->descriptor = open(config->dataset.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (loader->descriptor < 0 || fstat(loader->descriptor, &status) != 0)
		return error_set_errno(error, EXIT_INPUT_MISSING, "cannot open the dataset %s", loader->name);
	if (!S_ISREG(status.st_mode))
		return error_set(
		        error, EXIT_INPUT_MISSING, "cannot map the dataset %s: it is not a regular file", loader->name);
	loader->dataset.path = strdup(config->dataset.path);
	if (loader->dataset.path == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	if (strlen(loader->dataset.path) > WIRE_PATH_MAX)
		return error_set(
		        error, EXIT_INPUT_MISSING, "the dataset's path is longer than %u bytes", WIRE_PATH_MAX);
	loader->dataset.identity = identity_of(&status);
	return true;
}

static bool has_npy_magic(const char *bytes, size_t length)
{
	return length >= 6 && memcmp(bytes, "\x93NUMPY", 6) == 0;
}

static bool detect_format(
        struct loader *loader, const struct config *config, const char *head, size_t length, struct error *error)
{
	bool magic = has_npy_magic(head, length);
	size_t name_length = strlen(loader->name);
	bool npy_name = name_length >= 4 && strcmp(loader->name + name_length - 4, ".npy") == 0;
	switch (config->dataset.format) {
	case FORMAT_DETECT:
		loader->dataset.format = magic || npy_name ? DATASET_NPY : DATASET_CSV;
		return true;
	case FORMAT_NPY:
		loader->dataset.format = DATASET_NPY;
		return true;
	case FORMAT_CSV:
		break;
	}
	loader->dataset.format = DATASET_CSV;
	if (magic)
		return error_set(error, EXIT_BAD_DATASET, "%s: this is an npy file, but dataset.format is \"csv\"",
		        loader->name);
	return true;
}

static bool name_columns(struct loader *loader, const struct csv_column *columns, struct error *error)
{
	uint32_t count = loader->dataset.file_columns;
	loader->column_names = calloc(count, sizeof *loader->column_names);
	if (loader->column_names == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	for (uint32_t i = 0; i < count; i++) {
		loader->column_names[i] = strdup(columns[i].name);
		if (loader->column_names[i] == NULL)
			return error_set(error, EXIT_OS_ERROR, "out of memory");
	}
	return true;
}

/* Resolves features and target, once it is known which columns there are. */
static bool choose_columns(struct loader *loader, const struct column_chooser *chooser,
        const struct csv_column *columns, bool named, struct error *error)
{
	struct dataset *dataset = &loader->dataset;
	return chooser->choose(chooser->context, loader->name, columns, dataset->file_columns, named,
	               &dataset->features, &dataset->columns, &loader->left_out, error) &&
	       name_columns(loader, columns, error);
}

/* Text has no NUL; archives, compressed files and UTF-16 have them from the first line on. */
static bool is_text(const char *head, size_t length)
{
	const char *newline = memchr(head, '\n', length);
	return memchr(head, '\0', newline != NULL ? (size_t)(newline - head) : length) == NULL;
}

static bool is_blank(const char *text, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (text[i] != '\r' && text[i] != '\n')
			return false;
	return true;
}

static bool read_csv_head(struct loader *loader, const struct config *config, const struct column_chooser *chooser,
        const char *head, size_t length, struct error *error)
{
	struct dataset *dataset = &loader->dataset;
	struct csv_header header;
	bool whole = length == dataset->identity.bytes;
	if (!csv_header_read(loader->name, head, length, whole, config->dataset.header, config->dataset.delimiter,
	            &header, error))
		return false;
	dataset->delimiter = header.delimiter;
	dataset->data_offset = header.data_offset;
	dataset->file_columns = header.fields;
	uint64_t units = dataset->identity.bytes - dataset->data_offset;
	/* At least one row if there is a byte; a guess too low only makes longer leaves. */
	loader->leaf_count = leaves_count(units / dataset->file_columns / BYTES_PER_FIELD + 1);
	bool chosen = false;
	if (!is_text(head, length))
		error_set(error, EXIT_BAD_DATASET, "%s: this is not UTF-8 text: there are NUL bytes in the first line",
		        loader->name);
	else if (whole && is_blank(head + header.data_offset, length - header.data_offset))
		error_set(error, EXIT_BAD_DATASET, "%s: there are no rows below the header", loader->name);
	else
		chosen = choose_columns(loader, chooser, header.columns, header.has_header, error);
	csv_header_release(&header);
	return chosen;
}

/* The dtypes that are read as they are; for the others, the numpy call that makes them so. */
static bool read_dtype(struct loader *loader, const struct npy_header *header, struct error *error)
{
	if (strcmp(header->descr, "<f8") == 0) {
		loader->dataset.element = ELEMENT_F8;
		return true;
	}
	if (strcmp(header->descr, "<f4") == 0) {
		loader->dataset.element = ELEMENT_F4;
		return true;
	}
	if (header->descr[0] == '\0')
		return error_set(error, EXIT_BAD_DATASET,
		        "%s: the dtype is structured; convert it with numpy: "
		        "np.save(path, numpy.lib.recfunctions.structured_to_unstructured(a).astype('<f8'))",
		        loader->name);
	return error_set(error, EXIT_BAD_DATASET,
	        "%s: the dtype is '%s', and only '<f8' and '<f4' can be read; convert it with numpy: "
	        "np.save(path, a.astype('<f8'))",
	        loader->name, header->descr);
}

static bool read_shape(struct loader *loader, const struct npy_header *header, struct error *error)
{
	struct dataset *dataset = &loader->dataset;
	if (header->dimensions != 2)
		return error_set(error, EXIT_BAD_DATASET,
		        "%s: the array has %" PRIu32 " dimension%s, and rows × columns are needed; with numpy: "
		        "np.save(path, a.reshape(rows, columns))",
		        loader->name, header->dimensions, header->dimensions == 1 ? "" : "s");
	if (header->shape[1] > WIRE_COLUMNS_MAX)
		return error_set(error, EXIT_BAD_DATASET, "%s: %" PRIu64 " columns are more than the %u there may be",
		        loader->name, header->shape[1], WIRE_COLUMNS_MAX);
	dataset->rows = header->shape[0];
	dataset->file_columns = (uint32_t)header->shape[1];
	dataset->fortran_order = header->fortran_order;
	dataset->data_offset = header->data_offset;
	if (dataset->rows == 0 || dataset->file_columns == 0)
		return error_set(error, EXIT_BAD_DATASET, "%s: the array has no %s", loader->name,
		        dataset->rows == 0 ? "rows" : "columns");
	uint64_t row_bytes = dataset->file_columns * (dataset->element == ELEMENT_F8 ? 8U : 4U);
	uint64_t data_bytes = dataset->identity.bytes - dataset->data_offset;
	if (dataset->rows > UINT64_MAX / row_bytes || dataset->rows * row_bytes != data_bytes)
		return error_set(error, EXIT_BAD_DATASET,
		        "%s: %" PRIu64 " × %" PRIu32 " numbers of '%s' do not fill the %" PRIu64
		        " bytes behind the header%s",
		        loader->name, dataset->rows, dataset->file_columns, header->descr, data_bytes,
		        dataset->rows > data_bytes / row_bytes ? ": the file is cut short" : ": the file is too long");
	return true;
}

/* npy columns have no names: c0, c1, …, as those of a CSV without a header. */
static bool choose_npy_columns(struct loader *loader, const struct column_chooser *chooser, struct error *error)
{
	enum { NAME_BYTES = 8 };
	uint32_t count = loader->dataset.file_columns;
	struct csv_column *columns = calloc(count, sizeof *columns);
	char(*names)[NAME_BYTES] = calloc(count, sizeof *names);
	bool chosen = false;
	if (columns != NULL && names != NULL) {
		for (uint32_t i = 0; i < count; i++) {
			snprintf(names[i], NAME_BYTES, "c%u", (unsigned)(i % 100000));
			columns[i] = (struct csv_column){.name = names[i], .kind = COLUMN_NUMBER};
		}
		chosen = choose_columns(loader, chooser, columns, false, error);
	} else {
		error_set(error, EXIT_OS_ERROR, "out of memory");
	}
	free(names);
	free(columns);
	return chosen;
}

static bool read_npy_head(struct loader *loader, const struct column_chooser *chooser, const char *head, size_t length,
        struct error *error)
{
	struct npy_header header;
	size_t needed;
	const char *problem = npy_header_parse((const unsigned char *)head, length, &header, &needed);
	if (problem != NULL && needed > HEAD_BYTES)
		problem = "the header is longer than a mebibyte";
	if (problem != NULL)
		return error_set(error, EXIT_BAD_DATASET, "%s: %s", loader->name, problem);
	if (!read_dtype(loader, &header, error) || !read_shape(loader, &header, error))
		return false;
	loader->leaf_count = leaves_count(loader->dataset.rows);
	return choose_npy_columns(loader, chooser, error);
}

bool loader_open_for(
        struct loader *loader, const struct config *config, const struct column_chooser *chooser, struct error *error)
{
	*loader = (struct loader){.descriptor = -1, .name = config->dataset.given_path};
	loader->dataset.missing = config->dataset.missing;
	char *head = NULL;
	size_t length;
	bool opened = false;
	if (!open_file(loader, config, error))
		goto done;
	head = malloc(HEAD_BYTES);
	if (head == NULL) {
		error_set(error, EXIT_OS_ERROR, "out of memory");
		goto done;
	}
	if (!loader_read_at(loader, 0, head, HEAD_BYTES, &length, error) ||
	        !detect_format(loader, config, head, length, error))
		goto done;
	if (loader->dataset.format == DATASET_CSV)
		opened = read_csv_head(loader, config, chooser, head, length, error);
	else
		opened = read_npy_head(loader, chooser, head, length, error);
done:
	free(head);
	if (!opened)
		loader_release(loader);
	return opened;
}

static bool fail_with_one_column(const struct loader *loader, struct error *error)
{
	char delimiter[32] = "";
	if (loader->dataset.format == DATASET_CSV && loader->dataset.delimiter == '\t')
		snprintf(delimiter, sizeof delimiter, " where tabs delimit");
	else if (loader->dataset.format == DATASET_CSV)
		snprintf(delimiter, sizeof delimiter, " where '%c' delimits", loader->dataset.delimiter);
	return error_set(error, EXIT_BAD_DATASET, "%s: there is only one column%s; a feature and a target are needed",
	        loader->name, delimiter);
}

/* What the configuration says. */
struct configured {
	const struct config *config;
	const struct loader *loader;
};

static bool choose_configured(void *context, const char *file, const struct csv_column *columns, uint32_t count,
        bool named, uint32_t *features, uint32_t **used, char **left_out, struct error *error)
{
	const struct configured *configured = context;
	(void)named;
	if (count < 2)
		return fail_with_one_column(configured->loader, error);
	return columns_choose(configured->config, file, columns, count, features, used, left_out, error);
}

bool loader_open(struct loader *loader, const struct config *config, struct error *error)
{
	struct configured configured = {config, loader};
	const struct column_chooser chooser = {choose_configured, &configured};
	return loader_open_for(loader, config, &chooser, error);
}

void loader_release(struct loader *loader)
{
	for (uint32_t i = 0; loader->column_names != NULL && i < loader->dataset.file_columns; i++)
		free(loader->column_names[i]);
	free(loader->column_names);
	free(loader->dataset.path);
	free(loader->dataset.columns);
	free(loader->left_out);
	free(loader->leaf_starts);
	if (loader->descriptor >= 0)
		close(loader->descriptor);
	*loader = (struct loader){.descriptor = -1};
}

const char *loader_used_name(const struct loader *loader, uint32_t column)
{
	return loader->column_names[loader->dataset.columns[column]];
}

/* The first byte of a leaf, or the file's end for the one behind the last. */
static uint64_t leaf_offset(const struct loader *loader, uint64_t leaf)
{
	const struct dataset *dataset = &loader->dataset;
	if (leaf == loader->leaf_count)
		return dataset->identity.bytes;
	uint64_t units = dataset->identity.bytes - dataset->data_offset;
	return dataset->data_offset + leaves_units(units, loader->leaf_count, (uint32_t)leaf).begin;
}

/* The first record start at or behind a leaf's first byte, in a file without quotes: it follows a newline. */
static bool find_record_start(const struct loader *loader, uint64_t leaf, uint64_t *start, struct error *error)
{
	char piece[PIECE_BYTES];
	size_t got;
	uint64_t offset = leaf_offset(loader, leaf);
	*start = offset;
	if (leaf == 0 || leaf == loader->leaf_count)
		return true;
	for (offset--;; offset += got) {
		if (!loader_read_at(loader, offset, piece, sizeof piece, &got, error))
			return false;
		const char *newline = memchr(piece, '\n', got);
		if (newline != NULL) {
			*start = offset + (uint64_t)(newline - piece) + 1;
			return true;
		}
		if (got < sizeof piece) {
			*start = loader->dataset.identity.bytes;
			return true;
		}
	}
}

bool loader_chunk_bytes(struct loader *loader, struct range leaves, struct range *bytes, struct error *error)
{
	*bytes = (struct range){0, 0};
	if (loader->dataset.format != DATASET_CSV)
		return true;
	if (loader->leaf_starts != NULL) {
		*bytes = (struct range){loader->leaf_starts[leaves.begin], loader->leaf_starts[leaves.end]};
		return true;
	}
	return find_record_start(loader, leaves.begin, &bytes->begin, error) &&
	       find_record_start(loader, leaves.end, &bytes->end, error);
}

bool loader_find_quoted_records(struct loader *loader, struct error *error)
{
	size_t count = (size_t)loader->leaf_count + 1;
	uint64_t *boundaries = malloc(count * sizeof *boundaries);
	uint64_t *starts = malloc(count * sizeof *starts);
	char *piece = malloc(PIECE_BYTES);
	bool found = false;
	if (boundaries == NULL || starts == NULL || piece == NULL) {
		error_set(error, EXIT_OS_ERROR, "out of memory");
		goto done;
	}
	for (size_t leaf = 0; leaf < count; leaf++)
		boundaries[leaf] = leaf_offset(loader, leaf);
	struct csv_scanner scanner;
	uint64_t offset = loader->dataset.data_offset;
	csv_scanner_init(&scanner, loader->dataset.delimiter, offset);
	size_t got;
	do {
		if (!loader_read_at(loader, offset, piece, PIECE_BYTES, &got, error))
			goto done;
		csv_scanner_feed(&scanner, piece, got, boundaries, starts, count);
		offset += got;
	} while (got > 0);
	free(loader->leaf_starts);
	loader->leaf_starts = starts;
	starts = NULL;
	found = true;
done:
	free(boundaries);
	free(starts);
	free(piece);
	return found;
}

bool loader_locate(struct loader *loader, uint64_t offset, uint64_t *line, uint64_t *column, struct error *error)
{
	char piece[PIECE_BYTES];
	uint64_t line_start = 0;
	*line = 1;
	for (uint64_t at = 0; at < offset;) {
		size_t got, wanted = offset - at < sizeof piece ? (size_t)(offset - at) : sizeof piece;
		if (!loader_read_at(loader, at, piece, wanted, &got, error))
			return false;
		if (got == 0)
			break;
		const char *end = piece + got;
		for (const char *newline = piece; (newline = memchr(newline, '\n', (size_t)(end - newline))) != NULL;) {
			newline++;
			(*line)++;
			line_start = at + (uint64_t)(newline - piece);
		}
		at += got;
	}
	*column = offset - line_start + 1;
	size_t got;
	if (*line > 1)
		return true;
	/* A byte order mark is no part of the first line. */
	if (!loader_read_at(loader, 0, piece, 3, &got, error))
		return false;
	if (got == 3 && memcmp(piece, "\xef\xbb\xbf", 3) == 0 && *column > 3)
		*column -= 3;
	return true;
}

bool loader_was_cut_short(const struct loader *loader)
{
	struct stat status;
	return fstat(loader->descriptor, &status) == 0 && (uint64_t)status.st_size < loader->dataset.identity.bytes;
}

bool loader_is_unchanged(const struct loader *loader, struct error *error)
{
	const struct file_identity *before = &loader->dataset.identity;
	struct stat status;
	if (fstat(loader->descriptor, &status) != 0)
		return true; /* nothing is known against it, and a result is at stake */
	const struct file_identity now = identity_of(&status);
	return (now.bytes == before->bytes && now.modified_ns == before->modified_ns) ||
	       error_set(error, EXIT_BAD_DATASET,
	               "%s: the file was changed during the run: its size or the time of its last change is another",
	               loader->name);
}

unsigned loader_number_bytes(const struct loader *loader)
{
	return loader->dataset.format == DATASET_NPY && loader->dataset.element == ELEMENT_F4 ? 4 : 8;
}

uint32_t loader_useful_workers(const struct loader *loader, uint32_t cpus)
{
	uint64_t useful = loader->dataset.identity.bytes / BYTES_PER_WORKER;
	if (useful > cpus)
		useful = cpus;
	if (loader->dataset.format == DATASET_NPY && useful > loader->dataset.rows)
		useful = loader->dataset.rows;
	return useful > 1 ? (uint32_t)useful : 1;
}
