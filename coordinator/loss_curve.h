/*
 * The losses of a run, thinned out to what a line of text can show. Pure.
 */
#ifndef FORKFIT_COORDINATOR_LOSS_CURVE_H
#define FORKFIT_COORDINATOR_LOSS_CURVE_H

#include <stddef.h>
#include <stdint.h>

/* When all places are taken every second one is given up, so half of them and more are always in use. */
enum { LOSS_CURVE_POINTS = 64 };

struct loss_curve { /* all zero: empty */
	double points[LOSS_CURVE_POINTS];
	size_t count;
	uint64_t losses; /* that were added */
	uint64_t stride; /* one point for so many of them; 0: none was added yet */
};

/* Adds the loss of the next epoch. One that is not finite leaves the curve as it is. */
void loss_curve_add(struct loss_curve *curve, double loss);

/*
 * Draws the curve in at most LOSS_CURVE_POINTS characters, blocks of eight heights: how far each loss lies above the
 * least one so far, where each height is ten times the one below. Gradient descent comes down in a straight line, and
 * losses within 10^-7 of the least lie at the bottom. In UTF-8; cut where `capacity` bytes end, behind a whole
 * character.
 */
void loss_curve_draw(const struct loss_curve *curve, char *text, size_t capacity);

#endif
