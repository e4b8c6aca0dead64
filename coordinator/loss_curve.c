#include "coordinator/loss_curve.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const blocks[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
enum { BLOCKS = sizeof blocks / sizeof *blocks };

static void thin_out(struct loss_curve *curve)
{
	for (size_t i = 0; i < LOSS_CURVE_POINTS / 2; i++)
		curve->points[i] = curve->points[2 * i];
	curve->count = LOSS_CURVE_POINTS / 2;
	curve->stride *= 2;
}

void loss_curve_add(struct loss_curve *curve, double loss)
{
	if (!isfinite(loss))
		return;
	if (curve->stride == 0)
		curve->stride = 1;
	if (curve->losses++ % curve->stride != 0)
		return;
	if (curve->count == LOSS_CURVE_POINTS) {
		thin_out(curve);
		if ((curve->losses - 1) % curve->stride != 0)
			return;
	}
	curve->points[curve->count++] = loss;
}

/* 0 for the lowest block: the losses above the least one, and each block up ten times as much. */
static size_t block_of(double above, double most)
{
	if (above <= 0.0)
		return 0;
	double decades = round(log10(above / most));
	return decades > -(BLOCKS - 1) ? (size_t)(BLOCKS - 1 + (int)decades) : 0;
}

void loss_curve_draw(const struct loss_curve *curve, char *text, size_t capacity)
{
	double least = INFINITY, greatest = -INFINITY;
	size_t length = 0;
	for (size_t i = 0; i < curve->count; i++) {
		least = fmin(least, curve->points[i]);
		greatest = fmax(greatest, curve->points[i]);
	}
	if (capacity > 0)
		text[0] = '\0';
	for (size_t i = 0; i < curve->count && length + strlen(blocks[0]) < capacity; i++) {
		size_t block = block_of(curve->points[i] - least, greatest - least);
		length += (size_t)snprintf(text + length, capacity - length, "%s", blocks[block]);
	}
}
