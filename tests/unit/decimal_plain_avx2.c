/* The Makefile compiles it for AVX2, as it does the clone. */
#include "tests/unit/decimal_plain_avx2.h"

#include "common/decimal_plain.h"

bool decimal_plain_read_avx2(const char *first, const char *stop, double *value)
{
	return decimal_plain_read(first, stop, value);
}
