/* Writes .npy files, good and bad ones. */
#ifndef FORKFIT_TESTS_NPY_FILE_H
#define FORKFIT_TESTS_NPY_FILE_H

#include <stddef.h>

/* Version 1.0, with that dictionary as header. Failing to write it fails the test. */
void npy_file_write(const char *path, const char *dictionary, const void *data, size_t data_bytes);

/* rows × columns doubles, row-major, as numpy.save writes them. */
void npy_file_write_doubles(const char *path, const double *numbers, size_t rows, size_t columns);

#endif
