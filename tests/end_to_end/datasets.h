/*
 * Datasets for the tests: tables made from a formula, the same on every run, written in the formats that the program
 * reads. Every number is exactly a binary32, so that f4, f8 and CSV files of a table hold the same numbers.
 */
#ifndef FORKFIT_TESTS_END_TO_END_DATASETS_H
#define FORKFIT_TESTS_END_TO_END_DATASETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct table {
	size_t rows;
	size_t features;
	double *values; /* rows × (features + 1), row-major; the last column is the target */
};

/*
 * Features are independent and uniform, each with a mean and a width of its own; the target is w·x + b and uniform
 * noise in [-noise, noise]. The seed chooses the numbers, not the truth.
 */
struct table table_new(size_t rows, size_t features, double noise, uint64_t seed);
void table_release(struct table *table);
double *table_at(const struct table *table, size_t row, size_t column);

/* The w and b that tables are made with. */
double table_true_weight(size_t feature);
double table_true_intercept(void);

struct npy_style {
	int version; /* of the format; 0: 1 */
	bool narrow; /* f4, else f8 */
	bool fortran;
	size_t repeat; /* the table's rows so many times, one after the other; 0: once */
};

/* Columns are c0, c1, … to the program. */
void table_write_npy(const struct table *table, const char *path, struct npy_style style);

/* Zero is the plainest file: header, commas, LF. */
struct csv_style {
	char delimiter; /* 0: comma */
	bool without_header;
	bool byte_order_mark;
	bool crlf;
	bool quoted; /* every field */
	bool without_last_newline;
	unsigned blank_lines; /* behind the last record */
	size_t repeat;        /* as above */
};

/* Columns are x0, x1, … and y. */
void table_write_csv(const struct table *table, const char *path, struct csv_style style);

/* Writes bytes that may hold NUL. */
void bytes_write(const char *path, const void *bytes, size_t length);

#endif
