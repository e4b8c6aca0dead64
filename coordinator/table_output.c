#include "coordinator/table_output.h"

#include "coordinator/number_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "doubles lie in memory as '<f8' says");

/* Magic, version 1.0, the length of what follows, a dictionary, blanks and a newline: a multiple of 64 in all. */
enum { HEADER_BYTES = 128, PREFIX_BYTES = 10 };

bool table_format_of(const char *path, enum table_format *format)
{
	const char *end = strrchr(path, '.');
	if (end == NULL || (strcmp(end, ".npy") != 0 && strcmp(end, ".csv") != 0))
		return false;
	*format = strcmp(end, ".npy") == 0 ? TABLE_NPY : TABLE_CSV;
	return true;
}

static void put_npy_header(const struct table_output *output)
{
	static const char prefix[] = "\x93NUMPY\x01\x00\x76";
	char header[HEADER_BYTES], shape[64];
	_Static_assert(HEADER_BYTES - PREFIX_BYTES == 0x76, "the length in the prefix");
	if (output->columns == 1)
		snprintf(shape, sizeof shape, "(%" PRIu64 ",)", output->rows);
	else
		snprintf(shape, sizeof shape, "(%" PRIu64 ", %" PRIu32 ")", output->rows, output->columns);
	memset(header, ' ', sizeof header);
	memcpy(header, prefix, PREFIX_BYTES);
	int length = snprintf(header + PREFIX_BYTES, sizeof header - PREFIX_BYTES,
	        "{'descr': '<f8', 'fortran_order': False, 'shape': %s, }", shape);
	header[PREFIX_BYTES + length] = ' ';
	header[sizeof header - 1] = '\n';
	fwrite(header, 1, sizeof header, output->file);
}

void table_output_begin(
        struct table_output *output, FILE *file, enum table_format format, const char *const *names, uint32_t columns)
{
	*output = (struct table_output){.file = file, .format = format, .columns = columns};
	if (format == TABLE_NPY) {
		put_npy_header(output);
		return;
	}
	for (uint32_t j = 0; j < columns; j++)
		fprintf(file, "%s%s", j > 0 ? "," : "", names[j]);
	fputc('\n', file);
}

static void put_number(FILE *file, double value)
{
	char text[NUMBER_TEXT_BYTES];
	if (isnan(value))
		return;
	number_text(value, text);
	fputs(text, file);
}

void table_output_rows(struct table_output *output, const double *rows, size_t count)
{
	output->rows += count;
	if (output->format == TABLE_NPY) {
		fwrite(rows, sizeof *rows, count * output->columns, output->file);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		for (uint32_t j = 0; j < output->columns; j++) {
			if (j > 0)
				fputc(',', output->file);
			put_number(output->file, rows[i * output->columns + j]);
		}
		fputc('\n', output->file);
	}
}

void table_output_end(struct table_output *output)
{
	if (output->format == TABLE_NPY && fseek(output->file, 0, SEEK_SET) == 0)
		put_npy_header(output);
}
