/*
 * A stable step for gradient descent on a quadratic: bounds on the largest eigenvalue L of its Hessian H, from a few
 * products H·v. Pure: the caller does the products (one round with the curvature kernel each).
 *
 * The Lanczos process with full reorthogonalisation gives Ritz values θ_1 ≥ θ_2 ≥ …, of which θ_1 ≤ L. Upper bounds:
 *   - L ≤ trace(H) - Σ_{i≥2} θ_i, since H has no negative eigenvalues and θ_i ≤ λ_i (Cauchy's interlacing theorem). It
 *     is exact after as many products as there are dimensions.
 *   - L ≤ θ_1/(1 - ε) but with a probability of 10⁻⁹ at most over start vectors drawn evenly from the sphere, for
 *     ε = (ln(1.648·√n/10⁻⁹)/(2k - 1))² after k products in n dimensions (Kuczyński and Woźniakowski, "Estimating the
 *     largest eigenvalue by the power and Lanczos algorithms with a random start", SIAM J. Matrix Anal. Appl. 13(4),
 *     1992). The start vector is drawn with a fixed seed, so that a run is repeatable.
 * A step of 1/L or less lets no component of the error grow; above 2/L one does.
 */
#ifndef FORKFIT_COORDINATOR_STEP_SIZE_H
#define FORKFIT_COORDINATOR_STEP_SIZE_H

#include <stdbool.h>
#include <stddef.h>

struct step_size;

/* For n dimensions. NULL: out of memory. */
struct step_size *step_size_new(size_t dimensions);
void step_size_free(struct step_size *step);

/* The next vector v (n doubles, of length 1) to be multiplied, or NULL: enough. */
const double *step_size_direction(const struct step_size *step);

/* Takes H·v of that direction. */
void step_size_take_product(struct step_size *step, const double *product);

struct step_bounds {
	double lower; /* θ_1 ≤ L */
	double upper; /* ≥ L */
};

/* From the products taken so far (at least one). trace: of H; a little rounding in it does no harm. */
struct step_bounds step_size_bounds(const struct step_size *step, double trace);

#endif
