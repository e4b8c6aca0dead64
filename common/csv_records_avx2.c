/* The clone of common/csv_records.h for processors that have AVX2. The Makefile compiles it for them. */
#include "common/csv_records.h"

bool csv_take_records_avx2(const struct csv_plan *plan, const char **at, const char *limit, const char *end,
        double *rows, size_t *kept, size_t *skipped)
{
	return csv_take_records(plan, at, limit, end, rows, kept, skipped);
}
