#include "coordinator/model_file.h"

#include "coordinator/version.h"

#include <criterion/criterion.h>
#include <float.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(model_file, .timeout = 10);

enum { FEATURES = 9 };

/* Numbers of all kinds: their text must read back to the same bits. */
static double parameters[FEATURES + 1] = {
        0.1, -0.0, 5e-324, DBL_MAX, 1e22, 123456789, -3, 1.0 / 3, 0.1 + 0.2, -2.2250738585072014e-308};

static char *names[] = {"größe", "\"q\"", "c", "d", "e", "f", "g", "h", "i", "price"};
static uint32_t columns[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};

static json_t *model_of(const struct training_result *result)
{
	struct config config = {.source = "run.json"};
	struct loader loader = {.name = "../d.csv",
	        .dataset = {.features = FEATURES, .columns = columns, .identity.bytes = 987654321},
	        .column_names = names};
	json_error_t error;
	char *text = model_file_text(&config, &loader, result);
	cr_assert(text != NULL);
	cr_expect(strlen(text) > 2 && strcmp(text + strlen(text) - 2, "}\n") == 0);
	json_t *model = json_loads(text, JSON_REJECT_DUPLICATES, &error);
	cr_assert(model != NULL, "%s: %s", error.text, text);
	free(text);
	return model;
}

static struct training_result a_result(void)
{
	return (struct training_result){.features = FEATURES,
	        .parameters = parameters,
	        .rows = 100,
	        .skipped = 3,
	        .mse = 0.25,
	        .rmse = 0.5,
	        .mae = 1.0 / 7,
	        .r2 = -0.75,
	        .epochs = 4294967295,
	        .stop_reason = STOP_TOLERANCE,
	        .learning_rate = 0.1 / 3,
	        .loss = 0.26};
}

static void expect_number(const json_t *value, double expected)
{
	double found = json_number_value(value);
	cr_expect(json_is_number(value) && memcmp(&found, &expected, sizeof found) == 0, "%.17g, not %.17g", found,
	        expected);
}

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));
	return text != NULL ? text : "(no string)";
}

static void expect_keys(const json_t *object, const char *expected)
{
	char keys[256] = "";
	for (void *at = json_object_iter((json_t *)(uintptr_t)object); at != NULL;
	        at = json_object_iter_next((json_t *)(uintptr_t)object, at)) {
		strcat(keys, keys[0] != '\0' ? " " : "");
		strcat(keys, json_object_iter_key(at));
	}
	cr_expect_str_eq(keys, expected);
}

Test(model_file, has_the_documented_keys)
{
	struct training_result result = a_result();
	json_t *model = model_of(&result);
	expect_keys(model, "format target features w b metrics training dataset version");
	expect_keys(json_object_get(model, "metrics"), "rows mse rmse mae r2");
	expect_keys(json_object_get(model, "training"), "optimizer epochs stop_reason learning_rate loss");
	expect_keys(json_object_get(model, "dataset"), "path bytes rows");
	json_decref(model);
}

Test(model_file, holds_the_parameters_to_the_bit)
{
	struct training_result result = a_result();
	json_t *model = model_of(&result);
	const json_t *w = json_object_get(model, "w");
	cr_assert_eq(json_array_size(w), FEATURES);
	for (size_t j = 0; j < FEATURES; j++)
		expect_number(json_array_get(w, j), parameters[j]);
	expect_number(json_object_get(model, "b"), parameters[FEATURES]);
	json_decref(model);
}

Test(model_file, says_what_was_fitted)
{
	struct training_result result = a_result();
	json_t *model = model_of(&result);
	const json_t *features = json_object_get(model, "features");
	const json_t *dataset = json_object_get(model, "dataset");
	cr_expect_str_eq(text_at(model, "format"), "forkfit-model-1");
	cr_expect_str_eq(text_at(model, "version"), version_text());
	cr_expect_str_eq(text_at(model, "target"), "price");
	cr_assert_eq(json_array_size(features), FEATURES);
	for (size_t j = 0; j < FEATURES; j++)
		cr_expect_str_eq(json_string_value(json_array_get(features, j)), names[j]);
	cr_expect_str_eq(text_at(dataset, "path"), "../d.csv");
	expect_number(json_object_get(dataset, "bytes"), 987654321);
	expect_number(json_object_get(dataset, "rows"), 103); /* with those that were skipped */
	json_decref(model);
}

Test(model_file, says_how_well_and_how)
{
	struct training_result result = a_result();
	json_t *model = model_of(&result);
	const json_t *metrics = json_object_get(model, "metrics"), *training = json_object_get(model, "training");
	expect_number(json_object_get(metrics, "rows"), 100);
	expect_number(json_object_get(metrics, "mse"), 0.25);
	expect_number(json_object_get(metrics, "rmse"), 0.5);
	expect_number(json_object_get(metrics, "mae"), 1.0 / 7);
	expect_number(json_object_get(metrics, "r2"), -0.75);
	cr_expect_str_eq(text_at(training, "optimizer"), "gradient_descent");
	expect_number(json_object_get(training, "epochs"), 4294967295);
	expect_number(json_object_get(training, "learning_rate"), 0.1 / 3);
	expect_number(json_object_get(training, "loss"), 0.26);
	json_decref(model);
}

Test(model_file, says_why_training_stopped)
{
	static const char reasons[][16] = {"tolerance", "epochs", "interrupted"};
	for (int reason = STOP_TOLERANCE; reason <= STOP_INTERRUPTED; reason++) {
		struct training_result result = a_result();
		result.stop_reason = (enum stop_reason)reason;
		json_t *model = model_of(&result);
		cr_expect_str_eq(text_at(json_object_get(model, "training"), "stop_reason"), reasons[reason]);
		json_decref(model);
	}
}

Test(model_file, has_null_for_what_is_not_a_number)
{
	struct training_result result = a_result();
	result.r2 = result.loss = NAN;
	result.mse = INFINITY;
	json_t *model = model_of(&result);
	cr_expect(json_is_null(json_object_get(json_object_get(model, "metrics"), "r2")));
	cr_expect(json_is_null(json_object_get(json_object_get(model, "metrics"), "mse")));
	cr_expect(json_is_null(json_object_get(json_object_get(model, "training"), "loss")));
	json_decref(model);
}
