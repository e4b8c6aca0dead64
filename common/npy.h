/*
 * The header of an .npy file, versions 1 to 3 (NumPy Enhancement Proposal 1, and numpy.lib.format). Pure: bytes in,
 * facts out; what forkfit can use of them is the loader's business.
 */
#ifndef FORKFIT_COMMON_NPY_H
#define FORKFIT_COMMON_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* More dimensions than NumPy has. */
#define NPY_DIMENSIONS_MAX 64U

struct npy_header {
	char descr[64]; /* the dtype, such as "<f8"; empty for a structured one */
	bool fortran_order;
	uint32_t dimensions;
	uint64_t shape[NPY_DIMENSIONS_MAX];
	uint64_t data_offset;
};

/*
 * Reads a header from the first `length` bytes of a file. *needed: how many bytes the whole header takes, once that
 * is known (length may have been too small: call again with more). NULL: read; otherwise what is wrong.
 */
const char *npy_header_parse(const unsigned char *bytes, size_t length, struct npy_header *header, size_t *needed);

#endif
