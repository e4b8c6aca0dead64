/* The fits of the sample data, against the exact ones in configs/data/README.md. */
#include "tests/end_to_end/harness.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <math.h>
#include <string.h>

enum { FEATURES_MAX = 6 };

/* Half a unit in the sixth significant digit. */
static const double six_digits = 5e-7;

struct exact_fit {
	char config[32];
	size_t features;
	char names[FEATURES_MAX][8];
	double w[FEATURES_MAX];
	double b;
};

TestSuite(fit, .timeout = 600);

ParameterizedTestParameters(fit, reaches_the_exact_coefficients_to_six_digits)
{
	static struct exact_fit fits[] = {
	        {"configs/textbook.json", 1, {"speed"}, {3.9324087591240868}, -17.5790948905109339},
	        {"configs/quickstart.json", 6, {"carat", "depth", "table", "x", "y", "z"},
	                {10686.309080630529934, -203.154052395548320, -102.445652128185600, -1315.667841803531473,
	                        66.321602321179569, 41.627697014825841},
	                20849.316413045980880},
	};
	return cr_make_param_array(struct exact_fit, fits, sizeof fits / sizeof fits[0]);
}

static void expect_close(const char *name, double found, double exact)
{
	cr_expect(fabs(found - exact) <= six_digits * fabs(exact), "%s is %.17g, not %.17g", name, found, exact);
}

ParameterizedTest(struct exact_fit *exact, fit, reaches_the_exact_coefficients_to_six_digits)
{
	/* A sanitizer makes the many epochs slow. */
	struct run_options options = {.timeout_s = 500};
	struct run_result result =
	        run_program(RUN_ARGV(coordinator_path(), "--config", exact->config, "--json"), &options);
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	json_t *model = json_from_text(result.out);
	cr_assert_eq(json_array_size(json_at(model, "w")), exact->features);
	cr_assert_eq(json_array_size(json_at(model, "features")), exact->features);
	for (size_t j = 0; j < exact->features; j++) {
		cr_expect_str_eq(json_string_value(json_array_get(json_at(model, "features"), j)), exact->names[j]);
		expect_close(exact->names[j], json_number_value(json_array_get(json_at(model, "w"), j)), exact->w[j]);
	}
	expect_close("b", json_number_at(model, "b"), exact->b);
	cr_expect_str_eq(json_string_at(model, "training.stop_reason"), "tolerance");
	json_decref(model);
	run_result_release(&result);
}
