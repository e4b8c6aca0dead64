#include "tests/unit/dataset_files.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The place in the file that is not used. */
enum { UNUSED = 1 };

/* An odd offset, so that no number of an array is aligned. */
enum { NPY_DATA_OFFSET = 67 };

/* What the loader takes a field of a CSV for. */
enum { BYTES_PER_FIELD = 6 };

void dataset_identify(struct dataset *dataset)
{
	struct stat status;
	cr_assert_eq(stat(dataset->path, &status), 0, "%s", dataset->path);
	dataset->identity = (struct file_identity){
	        .bytes = (uint64_t)status.st_size,
	        .inode = status.st_ino,
	        .modified_ns = (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec,
	};
}

static void init(struct dataset_file *file, const char *path, size_t rows, uint32_t features)
{
	size_t columns = (size_t)features + 1;
	*file = (struct dataset_file){.rows = rows};
	file->dataset.path = strdup(path);
	file->dataset.features = features;
	file->dataset.file_columns = features + 2;
	file->dataset.columns = calloc(columns, sizeof *file->dataset.columns);
	file->table = calloc(rows * columns + 1, sizeof *file->table);
	file->kept = calloc(rows + 1, sizeof *file->kept);
	file->starts = calloc(rows + 1, sizeof *file->starts);
	file->centre = calloc(columns, sizeof *file->centre);
	cr_assert(file->dataset.path && file->dataset.columns && file->table && file->kept && file->starts &&
	          file->centre);
	/* From the last column to the first. */
	for (uint32_t j = 0; j < columns; j++) {
		uint32_t place = features - j;
		file->dataset.columns[j] = place < UNUSED ? place : place + 1;
	}
	for (size_t r = 0; r < rows; r++) {
		file->kept[r] = true;
		for (size_t j = 0; j < columns; j++)
			file->table[r * columns + j] = (double)(r * columns + j) * 0.25 - 1000;
	}
}

/* The number in a place of the file. */
static double number_in(const struct dataset_file *file, size_t row, uint32_t place)
{
	size_t columns = (size_t)file->dataset.features + 1;
	if (place == UNUSED)
		return -1;
	return file->table[row * columns + columns - 1 - (place < UNUSED ? place : place - 1)];
}

static void write_number(FILE *out, double value, enum element_type element)
{
	float narrow = (float)value;
	if (element == ELEMENT_F8)
		fwrite(&value, sizeof value, 1, out);
	else
		fwrite(&narrow, sizeof narrow, 1, out);
}

void dataset_file_init_npy(struct dataset_file *file, const char *path, size_t rows, uint32_t features,
        enum element_type element, bool fortran_order)
{
	init(file, path, rows, features);
	struct dataset *dataset = &file->dataset;
	dataset->format = DATASET_NPY;
	dataset->data_offset = NPY_DATA_OFFSET;
	dataset->rows = rows;
	dataset->element = element;
	dataset->fortran_order = fortran_order;
	file->leaf_count = leaves_count(rows);
	FILE *out = fopen(path, "w");
	cr_assert_not_null(out);
	fprintf(out, "%*s", NPY_DATA_OFFSET, "header"); /* which workers do not read */
	if (fortran_order)
		for (uint32_t place = 0; place < dataset->file_columns; place++)
			for (size_t r = 0; r < rows; r++)
				write_number(out, number_in(file, r, place), element);
	else
		for (size_t r = 0; r < rows; r++)
			for (uint32_t place = 0; place < dataset->file_columns; place++)
				write_number(out, number_in(file, r, place), element);
	cr_assert_eq(fclose(out), 0);
	dataset_identify(dataset);
}

static void write_filling(FILE *out, size_t row, enum csv_filling filling)
{
	enum { LONG_FIELD = 100000 };
	switch (filling) {
	case CSV_PLAIN:
		fputs("word", out);
		break;
	case CSV_QUOTED:
		fprintf(out, "\"a, \"\"%zu\"\"\n7,8,9\n\"", row);
		break;
	case CSV_LONG:
		fprintf(out, "%0*d", row % 100 == 99 ? LONG_FIELD : 1, 0);
		break;
	}
}

void dataset_file_init_csv(struct dataset_file *file, const char *path, size_t rows, uint32_t features,
        enum csv_filling filling, size_t missing_every)
{
	init(file, path, rows, features);
	struct dataset *dataset = &file->dataset;
	dataset->format = DATASET_CSV;
	dataset->delimiter = ',';
	dataset->missing = missing_every > 0 ? MISSING_SKIP_ROW : MISSING_ERROR;
	FILE *out = fopen(path, "w");
	cr_assert_not_null(out);
	fputs("the,names,of,columns\n", out);
	dataset->data_offset = (uint64_t)ftell(out);
	for (size_t r = 0; r < rows; r++) {
		file->kept[r] = missing_every == 0 || r % missing_every != 0;
		file->starts[r] = (uint64_t)ftell(out);
		for (uint32_t place = 0; place < dataset->file_columns; place++) {
			if (place > 0)
				putc(',', out);
			if (place == UNUSED)
				write_filling(out, r, filling);
			else if (place == UNUSED + 1 && !file->kept[r])
				fputs("NA", out);
			else
				fprintf(out, "%.17g", number_in(file, r, place));
		}
		putc('\n', out);
	}
	file->starts[rows] = (uint64_t)ftell(out);
	cr_assert_eq(fclose(out), 0);
	dataset_identify(dataset);
	uint64_t fields = (dataset->identity.bytes - dataset->data_offset) / BYTES_PER_FIELD;
	file->leaf_count = leaves_count(fields / dataset->file_columns + 1);
}

void dataset_file_release(struct dataset_file *file)
{
	free(file->dataset.path);
	free(file->dataset.columns);
	free(file->table);
	free(file->kept);
	free(file->starts);
	free(file->centre);
}

/* The first byte of a leaf of a CSV, or the file's end behind the last. */
static uint64_t leaf_start(const struct dataset_file *file, uint64_t leaf)
{
	uint64_t units = file->dataset.identity.bytes - file->dataset.data_offset;
	return file->dataset.data_offset + leaves_units(units, file->leaf_count, (uint32_t)leaf).begin;
}

/* The first row that starts at or behind an offset. */
static size_t row_from(const struct dataset_file *file, uint64_t offset)
{
	size_t low = 0, high = file->rows;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (file->starts[middle] < offset)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct assignment dataset_file_assign(const struct dataset_file *file, uint32_t workers, uint32_t worker)
{
	struct assignment assignment = {
	        .dataset = file->dataset,
	        .leaf_count = file->leaf_count,
	        .leaves = leaves_chunk(file->leaf_count, workers, worker),
	        .quotes = true,
	        .cache_bytes = UINT64_MAX,
	        .centre = file->centre,
	};
	if (file->dataset.format == DATASET_CSV) {
		assignment.bytes.begin = file->starts[row_from(file, leaf_start(file, assignment.leaves.begin))];
		assignment.bytes.end = file->starts[row_from(file, leaf_start(file, assignment.leaves.end))];
	}
	return assignment;
}

/* The rows of a leaf, by the definition of leaves. */
static struct range rows_of_leaf(const struct dataset_file *file, uint64_t leaf)
{
	if (file->dataset.format == DATASET_NPY)
		return leaves_units(file->rows, file->leaf_count, (uint32_t)leaf);
	return (struct range){row_from(file, leaf_start(file, leaf)), row_from(file, leaf_start(file, leaf + 1))};
}

static double number_at(const struct leaf_rows *rows, size_t row, size_t column)
{
	const unsigned char *at = rows->base + rows->offsets[column] + row * rows->row_stride;
	double wide;
	float narrow;
	if (rows->element == ELEMENT_F8) {
		memcpy(&wide, at, sizeof wide);
		return wide;
	}
	memcpy(&narrow, at, sizeof narrow);
	return (double)narrow;
}

/* So many first columns lie as if they were one number behind the other, and not one more. */
static size_t side_by_side(const struct leaf_rows *rows, size_t columns)
{
	size_t bytes = rows->element == ELEMENT_F8 ? sizeof(double) : sizeof(float), count = 1;
	while (count < columns && rows->row_stride > bytes && rows->offsets[count] == rows->offsets[count - 1] + bytes)
		count++;
	return count;
}

/* Is what lies behind a leaf's rows what follows in the table? */
static bool rest_is_shown(const struct dataset_file *file, uint64_t row, const struct leaf_rows *rows)
{
	const size_t columns = (size_t)file->dataset.features + 1;
	for (size_t i = 0; i < rows->following; i++)
		for (size_t j = 0; j < columns; j++)
			if (number_at(rows, rows->rows + i, j) != file->table[(row + i) * columns + j])
				return false;
	return true;
}

static bool leaf_is_shown(const struct dataset_file *file, uint64_t leaf, const struct leaf_rows *rows)
{
	size_t columns = (size_t)file->dataset.features + 1, shown = 0;
	struct range expected = rows_of_leaf(file, leaf);
	if (rows->side_by_side != side_by_side(rows, columns))
		return false;
	for (uint64_t row = expected.begin; row < expected.end; row++) {
		if (!file->kept[row])
			continue;
		if (shown == rows->rows)
			return false;
		for (size_t j = 0; j < columns; j++)
			if (number_at(rows, shown, j) != file->table[row * columns + j])
				return false;
		shown++;
	}
	return shown == rows->rows && rest_is_shown(file, expected.end, rows);
}

bool dataset_file_is_shown(const struct dataset_file *file, const struct assignment *assignment, struct chunk *chunk)
{
	for (uint64_t leaf = assignment->leaves.begin; leaf < assignment->leaves.end; leaf++) {
		struct leaf_rows rows;
		struct worker_error error;
		if (!chunk_leaf(chunk, (uint32_t)leaf, &rows, &error) || !leaf_is_shown(file, leaf, &rows))
			return false;
	}
	return true;
}

bool dataset_file_is_read(const struct dataset_file *file, uint32_t workers, uint64_t cache_bytes)
{
	bool good = true;
	for (uint32_t worker = 0; good && worker < workers; worker++) {
		struct assignment assignment = dataset_file_assign(file, workers, worker);
		struct chunk_facts facts;
		struct worker_error error;
		assignment.cache_bytes = cache_bytes;
		struct chunk *chunk = chunk_new(&assignment, &facts, &error);
		good = chunk != NULL && dataset_file_is_shown(file, &assignment, chunk) &&
		       dataset_file_is_shown(file, &assignment, chunk);
		chunk_free(chunk);
	}
	return good;
}
