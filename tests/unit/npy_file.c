#include "tests/unit/npy_file.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

/* Magic, version and length, then the dictionary, spaces and a newline: all of it a multiple of 64 bytes. */
enum { HEADER_BYTES = 256, PREFIX_BYTES = 10 };

void npy_file_write(const char *path, const char *dictionary, const void *data, size_t data_bytes)
{
	char header[HEADER_BYTES];
	size_t length = strlen(dictionary);
	FILE *file = fopen(path, "w");
	cr_assert(file != NULL && length < HEADER_BYTES - PREFIX_BYTES);
	memset(header, ' ', sizeof header);
	memcpy(header, "\x93NUMPY\x01\x00", 8);
	header[8] = (char)(HEADER_BYTES - PREFIX_BYTES);
	header[9] = 0;
	memcpy(header + PREFIX_BYTES, dictionary, length);
	header[HEADER_BYTES - 1] = '\n';
	cr_assert_eq(fwrite(header, 1, sizeof header, file), sizeof header);
	cr_assert_eq(fwrite(data, 1, data_bytes, file), data_bytes);
	cr_assert_eq(fclose(file), 0, "cannot write %s", path);
}

void npy_file_write_doubles(const char *path, const double *numbers, size_t rows, size_t columns)
{
	char dictionary[128];
	snprintf(dictionary, sizeof dictionary, "{'descr': '<f8', 'fortran_order': False, 'shape': (%zu, %zu), }", rows,
	        columns);
	npy_file_write(path, dictionary, numbers, rows * columns * sizeof *numbers);
}
