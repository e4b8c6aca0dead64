#include "coordinator/optimizer.h"

void optimizer_step(const struct optimizer *optimizer, double *parameters, const double *gradient, size_t count)
{
	switch (optimizer->kind) {
	case OPTIMIZER_GRADIENT_DESCENT:
		for (size_t i = 0; i < count; i++)
			parameters[i] -= optimizer->learning_rate * gradient[i];
		break;
	}
}
