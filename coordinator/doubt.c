#include "coordinator/doubt.h"

#include "common/crc32c.h"

#include <math.h>

static bool are_finite(const double *sums, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!isfinite(sums[i]))
			return false;
	return true;
}

enum doubt_outcome doubt_take(struct doubt *doubt, const double *sums, size_t count)
{
	if (are_finite(sums, count)) {
		bool refuted = doubt->raised;
		doubt->raised = false; /* other replicas' numbers refute nothing more */
		return refuted ? DOUBT_REFUTED : DOUBT_NONE;
	}
	uint32_t checksum = crc32c(0, sums, count * sizeof *sums);
	if (doubt->raised && doubt->checksum == checksum)
		return DOUBT_CONFIRMED;
	*doubt = (struct doubt){true, checksum};
	return DOUBT_RAISED;
}
