#include "tests/end_to_end/model_check.h"

#include "tests/end_to_end/reference.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void expect_close(double found, long double expected, const char *name, const char *what)
{
	cr_expect(fabsl(found - expected) <= 1e-6L, "%s: %s is %.12g, not %.12Lg", what, name, found, expected);
}

void expect_least_squares(json_t *model, const struct table *table, const char *what)
{
	long double expected[REFERENCE_FEATURES_MAX + 1];
	size_t d = table->features;
	reference_fit(table, expected);
	cr_assert(json_array_size(json_at(model, "w")) == d, "%s: %zu weights", what,
	        json_array_size(json_at(model, "w")));
	for (size_t j = 0; j < d; j++) {
		char name[32];
		snprintf(name, sizeof name, "w[%zu]", j);
		expect_close(json_number_at(model, name), expected[j], name, what);
	}
	expect_close(json_number_at(model, "b"), expected[d], "b", what);
	expect_close(json_number_at(model, "metrics.r2"), reference_r2(table, expected), "R²", what);
	cr_expect(json_number_at(model, "metrics.rows") == (double)table->rows, "%s: %g rows", what,
	        json_number_at(model, "metrics.rows"));
}

void expect_names(json_t *model, const char *names, const char *what)
{
	char found[512] = "";
	json_t *features = json_at(model, "features");
	for (size_t j = 0; j < json_array_size(features); j++) {
		const char *name = json_string_value(json_array_get(features, j));
		cr_assert(strlen(found) + strlen(name) + 2 < sizeof found);
		strcat(strcat(found, name), "|");
	}
	cr_assert(strlen(found) + strlen(json_string_at(model, "target")) < sizeof found);
	strcat(found, json_string_at(model, "target"));
	cr_expect(strcmp(found, names) == 0, "%s: the columns are %s, not %s", what, found, names);
}
