#include "worker/predict.h"

double *predict_rows(const struct leaf_rows *leaf, size_t first, size_t count, uint32_t features,
        const double *parameters, bool with_target, double *out)
{
	for (size_t row = first; row < first + count; row++) {
		double y = parameters[features];
		for (uint32_t j = 0; j < features; j++)
			y += parameters[j] * leaf_number(leaf, row, j);
		*out++ = y;
		if (with_target)
			*out++ = leaf_number(leaf, row, features);
	}
	return out;
}
