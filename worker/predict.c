#include "worker/predict.h"

#include <math.h>

/* What came to NaN: of a feature that is missing, or as the difference of two products that were infinite. */
static double settle_nan(const struct leaf_rows *leaf, size_t row, uint32_t features)
{
	for (uint32_t j = 0; j < features; j++)
		if (isnan(leaf_number(leaf, row, j)))
			return NAN;
	return INFINITY;
}

double *predict_rows(const struct leaf_rows *leaf, size_t first, size_t count, uint32_t features,
        const double *parameters, bool with_target, double *out)
{
	for (size_t row = first; row < first + count; row++) {
		double y = parameters[features];
		for (uint32_t j = 0; j < features; j++)
			y += parameters[j] * leaf_number(leaf, row, j);
		*out++ = isnan(y) ? settle_nan(leaf, row, features) : y;
		if (with_target)
			*out++ = leaf_number(leaf, row, features);
	}
	return out;
}
