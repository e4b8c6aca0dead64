/*
 * Rows of numbers as a file: CSV with a header, or an .npy of doubles. Numbers are written so that reading them back
 * gives the same bits; what is not a number is an empty field of a CSV, and a NaN of an .npy.
 */
#ifndef FORKFIT_COORDINATOR_TABLE_OUTPUT_H
#define FORKFIT_COORDINATOR_TABLE_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum table_format { TABLE_CSV, TABLE_NPY };

/* By the name's end: ".npy" or ".csv". False: neither. */
bool table_format_of(const char *path, enum table_format *format);

struct table_output {
	FILE *file;
	enum table_format format;
	uint32_t columns;
	uint64_t rows; /* so many were written */
};

/*
 * Begins with the header. names: of the columns, for a CSV; plain words, which need no quotes. An .npy of one column
 * has one dimension, and its file must be one in which fseek works. Whether all went well the FILE knows (ferror).
 */
void table_output_begin(
        struct table_output *output, FILE *file, enum table_format format, const char *const *names, uint32_t columns);
/* rows: count × columns, row-major. */
void table_output_rows(struct table_output *output, const double *rows, size_t count);
/* Tells an .npy's header how many there were. */
void table_output_end(struct table_output *output);

#endif
