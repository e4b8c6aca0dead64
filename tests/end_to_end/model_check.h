/* Models against what the tests have computed themselves. */
#ifndef FORKFIT_TESTS_END_TO_END_MODEL_CHECK_H
#define FORKFIT_TESTS_END_TO_END_MODEL_CHECK_H

#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/harness.h"

/* The model's parameters and R² are those of the least-squares fit of the table, to 1e-6. */
void expect_least_squares(json_t *model, const struct table *table, const char *what);

/* The names of the features, and that of the target last, with a bar between them: "x0|x1|y". */
void expect_names(json_t *model, const char *names, const char *what);

#endif
