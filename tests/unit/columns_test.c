#include "coordinator/columns.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(columns, .timeout = 10);

/* The columns of data.csv: letters say what each holds: number, text, empty. */
static struct csv_column file_columns[] = {
        {"carat", COLUMN_NUMBER, "0.23"},
        {"cut", COLUMN_TEXT, "Ideal"},
        {"depth", COLUMN_NUMBER, "61.5"},
        {"x", COLUMN_NUMBER, "3.95"},
        {"x", COLUMN_NUMBER, "3.98"},
        {"note", COLUMN_EMPTY, ""},
        {"price", COLUMN_NUMBER, "326"},
};

enum { COUNT = sizeof file_columns / sizeof *file_columns, FEATURES_MAX = 8 };

/* One reference of a configuration: a name, or with an empty name an index. */
struct reference {
	char name[16];
	uint32_t index;
};

struct choice {
	bool has_target;
	struct reference target;
	int features; /* how many are named; -1: none, the default */
	struct reference named[FEATURES_MAX];
};

static struct column_reference reference_of(struct reference *reference)
{
	return (struct column_reference){
	        .name = reference->name[0] != '\0' ? reference->name : NULL, .index = reference->index};
}

/* "2,3>6 note": places of features > target, and the note if there is one; or the error's message. */
static enum exit_code choose(
        struct choice *choice, const struct csv_column *columns, uint32_t count, char *shown, size_t size)
{
	struct column_reference named[FEATURES_MAX];
	struct config config = {.source = "run.json"};
	config.dataset.has_target = choice->has_target;
	config.dataset.target = reference_of(&choice->target);
	config.dataset.has_features = choice->features >= 0;
	config.dataset.feature_count = choice->features >= 0 ? (size_t)choice->features : 0;
	config.dataset.features = named;
	for (int i = 0; i < choice->features; i++)
		named[i] = reference_of(&choice->named[i]);

	struct error error;
	uint32_t features, *used;
	char *left_out;
	if (!columns_choose(&config, "data.csv", columns, count, &features, &used, &left_out, &error)) {
		snprintf(shown, size, "%.300s", error.message);
		return error.code;
	}
	size_t length = 0;
	for (uint32_t i = 0; i < features; i++)
		length += (size_t)snprintf(shown + length, size - length, "%s%u", i > 0 ? "," : "", used[i]);
	snprintf(shown + length, size - length, ">%u%s%s", used[features], left_out != NULL ? " " : "",
	        left_out != NULL ? left_out : "");
	free(used);
	free(left_out);
	return EXIT_OK;
}

struct example {
	struct choice choice;
	enum exit_code code;
	char shown[192];
};

static void expect_examples(struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char shown[512];
		enum exit_code code = choose(&examples[i].choice, file_columns, COUNT, shown, sizeof shown);
		cr_expect_str_eq(shown, examples[i].shown, "example %zu: %s", i, shown);
		cr_expect_eq(code, examples[i].code, "example %zu", i);
	}
}

#define NOTE " columns left out because they are not numeric: cut, note"

Test(columns, are_all_that_are_numeric_with_the_last_as_target_by_default)
{
	static struct example examples[] = {
	        {{.features = -1}, EXIT_OK, "0,2,3,4>6" NOTE},
	        {{true, {"depth", 0}, .features = -1}, EXIT_OK, "0,3,4,6>2" NOTE},
	        {{true, {"", 0}, .features = -1}, EXIT_OK, "2,3,4,6>0" NOTE},
	};
	expect_examples(examples, sizeof examples / sizeof *examples);
}

Test(columns, are_those_that_are_named_in_the_order_they_are_named)
{
	static struct example examples[] = {
	        {{.features = 2, .named = {{"depth", 0}, {"carat", 0}}}, EXIT_OK, "2,0>6"},
	        {{.features = 3, .named = {{"", 4}, {"carat", 0}, {"", 3}}}, EXIT_OK, "4,0,3>6"},
	        {{true, {"carat", 0}, 1, {{"price", 0}}}, EXIT_OK, "6>0"},
	        {{true, {"", 3}, 1, {{"", 4}}}, EXIT_OK, "4>3"},
	        {{.features = 1, .named = {{"note", 0}}}, EXIT_OK, "5>6"}, /* its first value may come later */
	};
	expect_examples(examples, sizeof examples / sizeof *examples);
}

Test(columns, that_are_not_there_are_an_error)
{
	static struct example examples[] = {
	        {{true, {"prize", 0}, .features = -1}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.target: data.csv has no column \"prize\"; did you mean \"price\"?"},
	        {{true, {"volume", 0}, .features = -1}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.target: data.csv has no column \"volume\"; its columns are \"carat\", "
	                "\"cut\", \"depth\", \"x\", \"x\", \"note\", \"price\""},
	        {{true, {"", 7}, .features = -1}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.target: data.csv has 7 columns, so there is no column 7"},
	        {{.features = 2, .named = {{"carat", 0}, {"Depth", 0}}}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.features[1]: data.csv has no column \"Depth\"; did you mean \"depth\"?"},
	        {{.features = 1, .named = {{"", 4000000000}}}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.features[0]: data.csv has 7 columns, so there is no column 4000000000"},
	};
	expect_examples(examples, sizeof examples / sizeof *examples);
}

Test(columns, are_named_on_one_line_and_not_all_if_they_are_many)
{
	enum { MANY = 12 };
	struct csv_column many[MANY];
	static char names[MANY][8] = {"a\nb", "c\td", "e\"f"};
	struct choice choice = {true, {"volume", 0}, .features = -1};
	char shown[400];
	for (int i = 0; i < MANY; i++) {
		if (i > 2)
			snprintf(names[i], sizeof names[i], "z%d", i);
		many[i] = (struct csv_column){names[i], COLUMN_NUMBER, "1"};
	}
	choose(&choice, many, MANY, shown, sizeof shown);
	cr_expect_str_eq(shown,
	        "run.json: dataset.target: data.csv has no column \"volume\"; its columns are \"a\\nb\", \"c\\td\", "
	        "\"e\\\"f\", \"z3\", \"z4\", \"z5\", \"z6\", \"z7\" and 4 more");
}

Test(columns, of_one_name_are_an_error_where_the_name_is_used)
{
	static struct example examples[] = {
	        {{true, {"x", 0}, .features = -1}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.target: data.csv has 2 columns named \"x\"; name the one you mean by its "
	                "index"},
	        {{.features = 1, .named = {{"x", 0}}}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.features[0]: data.csv has 2 columns named \"x\"; name the one you mean by "
	                "its index"},
	};
	expect_examples(examples, sizeof examples / sizeof *examples);
}

Test(columns, that_are_named_twice_are_an_error)
{
	static struct example examples[] = {
	        {{.features = 3, .named = {{"carat", 0}, {"depth", 0}, {"", 0}}}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.features[2]: column \"carat\" is listed twice"},
	        {{.features = 2, .named = {{"carat", 0}, {"price", 0}}}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.features[1]: column \"price\" is the target"},
	        {{true, {"depth", 0}, 1, {{"", 2}}}, EXIT_BAD_CONFIGURATION,
	                "run.json: dataset.features[0]: column \"depth\" is the target"},
	};
	expect_examples(examples, sizeof examples / sizeof *examples);
}

Test(columns, of_text_are_an_error_when_named)
{
	static struct example examples[] = {
	        {{true, {"cut", 0}, .features = -1}, EXIT_BAD_DATASET,
	                "data.csv: column \"cut\" (dataset.target in run.json) is not numeric: it holds 'Ideal'"},
	        {{.features = 2, .named = {{"carat", 0}, {"", 1}}}, EXIT_BAD_DATASET,
	                "data.csv: column \"cut\" (dataset.features[1] in run.json) is not numeric: it holds 'Ideal'"},
	};
	expect_examples(examples, sizeof examples / sizeof *examples);
}

Test(columns, of_text_are_an_error_as_default_target)
{
	static struct choice defaults = {.features = -1};
	char shown[512];
	enum exit_code code = choose(&defaults, file_columns, 2, shown, sizeof shown);
	cr_expect_eq(code, EXIT_BAD_DATASET);
	cr_expect_str_eq(shown, "data.csv: column \"cut\" (the target, as last column, in run.json) is not numeric: it "
	                        "holds 'Ideal'");
}

Test(columns, need_a_feature)
{
	static const struct csv_column columns[] = {{"cut", COLUMN_TEXT, "Ideal"}, {"price", COLUMN_NUMBER, "326"}};
	static struct choice defaults = {.features = -1};
	char shown[512];
	enum exit_code code = choose(&defaults, columns, 2, shown, sizeof shown);
	cr_expect_eq(code, EXIT_BAD_DATASET);
	cr_expect_str_eq(
	        shown, "data.csv: no column is left to learn from: besides the target \"price\" none is numeric");
}

Test(columns, are_all_used_without_a_note_where_all_are_numeric)
{
	static const struct csv_column columns[] = {{"a", COLUMN_NUMBER, "1"}, {"b", COLUMN_NUMBER, "2"}};
	static struct choice defaults = {.features = -1};
	char shown[512];
	cr_expect_eq(choose(&defaults, columns, 2, shown, sizeof shown), EXIT_OK);
	cr_expect_str_eq(shown, "0>1");
}
