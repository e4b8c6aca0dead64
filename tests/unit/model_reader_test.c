#include "coordinator/model_reader.h"

#include "tests/unit/config_reading.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(model_reader, .init = scratch_enter, .fini = scratch_leave, .timeout = 10);

static bool read_text(const char *text, struct model *model, struct error *error)
{
	write_file("m.json", text, strlen(text));
	return model_read("m.json", model, error);
}

Test(model_reader, takes_names_and_numbers_to_the_bit)
{
	struct model model;
	struct error error;
	cr_assert(read_text("{\"format\": \"forkfit-model-1\", \"target\": \"y\\n\", \"features\": [\"größe\", \"b\"],"
	                    " \"w\": [0.1, 5e-324], \"b\": -0.0, \"whatever\": {\"else\": []}}",
	                  &model, &error),
	        "%s", error.message);
	const double expected[] = {0.1, 5e-324, -0.0};
	cr_expect_str_eq(model.source, "m.json");
	cr_assert_eq(model.features, 2);
	cr_expect_str_eq(model.names[0], "größe");
	cr_expect_str_eq(model.names[1], "b");
	cr_expect_str_eq(model.names[2], "y\n");
	cr_expect_arr_eq(model.parameters, expected, sizeof expected);
	model_release(&model);
	cr_expect_null(model.names);
}

/* Integers, as other programs write them, are numbers too. */
Test(model_reader, takes_integers)
{
	struct model model;
	struct error error;
	cr_assert(read_text(
	        "{\"format\": \"forkfit-model-1\", \"target\": \"y\", \"features\": [\"a\"], \"w\": [3], \"b\": 0}",
	        &model, &error));
	cr_expect(model.parameters[0] == 3.0 && model.parameters[1] == 0.0);
	model_release(&model);
}

#define MODEL(MEMBERS) "{\"format\": \"forkfit-model-1\"" MEMBERS "}"
#define NONE "; this is no model as output.model or --json gives it"

Test(model_reader, says_what_is_wrong_with_others)
{
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
	        {"{}", "m.json: format: expected \"forkfit-model-1\"" NONE},
	        {"[1]", "m.json:1: expected an object, found [1]"},
	        {"{\"format\": 1}", "m.json: format: expected \"forkfit-model-1\"" NONE},
	        {"{\"format\": \"forkfit-model-2\"}", "m.json: format: expected \"forkfit-model-1\"" NONE},
	        {MODEL(""), "m.json: features: expected the names of the features" NONE},
	        {MODEL(", \"features\": []"), "m.json: features: expected the names of the features" NONE},
	        {MODEL(", \"features\": {\"a\": 1}"), "m.json: features: expected the names of the features" NONE},
	        {MODEL(", \"features\": [\"a\"]"), "m.json: w: expected a number for each feature" NONE},
	        {MODEL(", \"features\": [\"a\"], \"w\": [1, 2]"), "m.json: w: expected a number for each feature" NONE},
	        {MODEL(", \"features\": [7], \"w\": [1]"), "m.json: features: expected a column's name" NONE},
	        {MODEL(", \"features\": [\"a\"], \"w\": [null]"), "m.json: w: expected a number" NONE},
	        {MODEL(", \"features\": [\"a\"], \"w\": [\"1\"]"), "m.json: w: expected a number" NONE},
	        {MODEL(", \"features\": [\"a\"], \"w\": [1]"), "m.json: target: expected a column's name" NONE},
	        {MODEL(", \"features\": [\"a\"], \"w\": [1], \"target\": \"y\""), "m.json: b: expected a number" NONE},
	        {MODEL(", \"features\": [\"a\", \"a\"], \"w\": [1, 2], \"target\": \"y\", \"b\": 0"),
	                "m.json: two of the features and the target have the name \"a\""},
	        {MODEL(", \"features\": [\"a\", \"y\\n\"], \"w\": [1, 2], \"target\": \"y\\n\", \"b\": 0"),
	                "m.json: two of the features and the target have the name \"y\\n\""},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct model model;
		struct error error = {0};
		cr_expect(!read_text(cases[i].text, &model, &error), "%s", cases[i].text);
		cr_expect_eq(error.code, EXIT_BAD_CONFIGURATION);
		cr_expect_str_eq(error.message, cases[i].words, "%s: %s", cases[i].text, error.message);
		cr_expect_null(model.names);
	}
}

Test(model_reader, says_where_a_text_is_no_json)
{
	struct model model;
	struct error error = {0};
	cr_expect(!read_text("{\n  \"format\": forkfit\n}", &model, &error));
	cr_expect_eq(error.code, EXIT_BAD_CONFIGURATION);
	cr_expect_eq(strncmp(error.message, "m.json:2:", 9), 0, "%s", error.message);
	cr_expect(!model_read("none.json", &model, &error));
	cr_expect_eq(error.code, EXIT_INPUT_MISSING);
}
