/* decimal_plain_read as the AVX2 clone of the CSV parser has it. Only for processors that have that. */
#ifndef FORKFIT_TESTS_DECIMAL_PLAIN_AVX2_H
#define FORKFIT_TESTS_DECIMAL_PLAIN_AVX2_H

#include <stdbool.h>

bool decimal_plain_read_avx2(const char *first, const char *stop, double *value);

#endif
