#include "coordinator/divergence.h"

#include <math.h>

/* Ten rises in a row by chance alone would take a thousand epochs of noise around the minimum … */
enum { RISES = 10 };
/* … and noise does not add up to this part of the loss, nor to this part of the mean square of the target. */
static const double relative_rise = 1e-9;
static const double rounding = 1e-24;

void divergence_init(struct divergence *divergence, double target_square)
{
	*divergence = (struct divergence){
	        .floor = target_square * rounding,
	        .previous = INFINITY,
	        .start = INFINITY,
	};
}

bool divergence_seen(struct divergence *divergence, double loss)
{
	if (!isfinite(loss))
		return true;
	if (loss > divergence->previous) {
		if (divergence->rising == 0)
			divergence->start = divergence->previous;
		divergence->rising++;
	} else {
		divergence->rising = 0;
	}
	divergence->previous = loss;
	return divergence->rising >= RISES && loss - divergence->start > relative_rise * divergence->start &&
	       loss - divergence->start > divergence->floor;
}
