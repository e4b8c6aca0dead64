#include "tests/end_to_end/datasets.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The finalizer of splitmix64: a bijection that leaves no pattern of its input. */
static uint64_t mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
	return x ^ (x >> 31);
}

/* In [-1, 1), a function of the seed and the place. */
static double uniform(uint64_t seed, size_t row, size_t column)
{
	uint64_t bits = mix(mix(mix(seed) + row) + column);
	return (double)(bits >> 11) / 4503599627370496.0 - 1.0;
}

double table_true_weight(size_t feature)
{
	return ((double)(feature % 7) - 3.0) / 4.0;
}

double table_true_intercept(void)
{
	return 2.5;
}

double *table_at(const struct table *table, size_t row, size_t column)
{
	return &table->values[row * (table->features + 1) + column];
}

struct table table_new(size_t rows, size_t features, double noise, uint64_t seed)
{
	struct table table = {rows, features, malloc((rows * (features + 1) + 1) * sizeof(double))};
	cr_assert(table.values != NULL);
	for (size_t i = 0; i < rows; i++) {
		double y = table_true_intercept() + noise * uniform(seed, i, features);
		for (size_t j = 0; j < features; j++) {
			double mean = (double)(j % 5) / 2.0;
			double width = (double)(1 + j % 3);
			double x = (float)(mean + width * uniform(seed, i, j));
			*table_at(&table, i, j) = x;
			y += table_true_weight(j) * x;
		}
		*table_at(&table, i, features) = (float)y;
	}
	return table;
}

void table_release(struct table *table)
{
	free(table->values);
	table->values = NULL;
}

static FILE *create(const char *path)
{
	FILE *file = fopen(path, "w");
	cr_assert(file != NULL, "cannot create %s: %s", path, strerror(errno));
	return file;
}

static void finish(FILE *file, const char *path)
{
	bool written = !ferror(file);
	cr_assert(fclose(file) == 0 && written, "cannot write %s: %s", path, strerror(errno));
}

void bytes_write(const char *path, const void *bytes, size_t length)
{
	FILE *file = create(path);
	fwrite(bytes, 1, length, file);
	finish(file, path);
}

static size_t times(size_t repeat)
{
	return repeat > 0 ? repeat : 1;
}

static void write_npy_header(FILE *file, const struct table *table, struct npy_style style)
{
	char text[256];
	int version = style.version > 0 ? style.version : 1;
	size_t prefix = version == 1 ? 10 : 12;
	int length = snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': (%zu, %zu), }",
	        style.narrow ? "<f4" : "<f8", style.fortran ? "True" : "False", table->rows * times(style.repeat),
	        table->features + 1);
	/* As NumPy does: blanks and a newline, so that the data begin at a multiple of 64 bytes. */
	size_t padded = (prefix + (size_t)length + 1 + 63) / 64 * 64 - prefix;
	fwrite("\x93NUMPY", 1, 6, file);
	fputc(version, file);
	fputc(0, file);
	for (size_t i = 8; i < prefix; i++)
		fputc((int)(padded >> (8 * (i - 8)) & 0xff), file);
	fprintf(file, "%s%*s\n", text, (int)padded - length - 1, "");
}

/* The host is little-endian, as the format asks. */
static void write_number(FILE *file, double value, bool narrow)
{
	float single = (float)value;
	if (narrow)
		fwrite(&single, sizeof single, 1, file);
	else
		fwrite(&value, sizeof value, 1, file);
}

static void write_column(FILE *file, const struct table *table, size_t column, bool narrow)
{
	for (size_t i = 0; i < table->rows; i++)
		write_number(file, *table_at(table, i, column), narrow);
}

static void write_rows(FILE *file, const struct table *table, bool narrow)
{
	for (size_t i = 0; i < table->rows * (table->features + 1); i++)
		write_number(file, table->values[i], narrow);
}

void table_write_npy(const struct table *table, const char *path, struct npy_style style)
{
	FILE *file = create(path);
	write_npy_header(file, table, style);
	if (style.fortran)
		for (size_t j = 0; j <= table->features; j++)
			for (size_t i = 0; i < times(style.repeat); i++)
				write_column(file, table, j, style.narrow);
	else
		for (size_t i = 0; i < times(style.repeat); i++)
			write_rows(file, table, style.narrow);
	finish(file, path);
}

static void end_line(FILE *file, struct csv_style style)
{
	fputs(style.crlf ? "\r\n" : "\n", file);
}

static void end_field(FILE *file, const struct table *table, struct csv_style style, size_t column)
{
	if (style.quoted)
		fputc('"', file);
	if (column < table->features)
		fputc(style.delimiter != 0 ? style.delimiter : ',', file);
}

static void print_header(FILE *file, const struct table *table, struct csv_style style)
{
	for (size_t j = 0; j <= table->features; j++) {
		fputs(style.quoted ? "\"" : "", file);
		if (j < table->features)
			fprintf(file, "x%zu", j);
		else
			fputc('y', file);
		end_field(file, table, style, j);
	}
	end_line(file, style);
}

static void print_record(FILE *file, const struct table *table, struct csv_style style, size_t row)
{
	for (size_t j = 0; j <= table->features; j++) {
		fprintf(file, "%s%.17g", style.quoted ? "\"" : "", *table_at(table, row, j));
		end_field(file, table, style, j);
	}
}

/* All records, to be freed. A large file repeats them, since numbers take long to print. */
static char *records_text(const struct table *table, struct csv_style style, size_t *length)
{
	char *text = NULL;
	FILE *file = open_memstream(&text, length);
	cr_assert(file != NULL);
	for (size_t i = 0; i < table->rows; i++) {
		print_record(file, table, style, i);
		end_line(file, style);
	}
	cr_assert(fclose(file) == 0);
	return text;
}

void table_write_csv(const struct table *table, const char *path, struct csv_style style)
{
	size_t length;
	char *records = records_text(table, style, &length);
	FILE *file = create(path);
	if (style.byte_order_mark)
		fputs("\xEF\xBB\xBF", file);
	if (!style.without_header)
		print_header(file, table, style);
	for (size_t i = 1; i < times(style.repeat); i++)
		fwrite(records, 1, length, file);
	if (style.without_last_newline)
		length -= style.crlf ? 2 : 1;
	fwrite(records, 1, length, file);
	for (unsigned i = 0; i < style.blank_lines; i++)
		end_line(file, style);
	finish(file, path);
	free(records);
}
