#include "coordinator/predict_columns.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(predict_columns, .timeout = 10);

enum { COLUMNS_MAX = 6 };

struct example {
	const char *model[COLUMNS_MAX]; /* the features, then the target */
	const char *file[COLUMNS_MAX];  /* the columns' names; one that begins with '#' holds text */
	bool unnamed;                   /* the file does not name them */
	const char *shown;              /* the places of the features > the target's; or the error's message */
};

static uint32_t length_of(const char *const names[COLUMNS_MAX])
{
	uint32_t length = 0;
	while (length < COLUMNS_MAX && names[length] != NULL)
		length++;
	return length;
}

/* Shows what comes of it. True: columns were chosen. */
static bool choose(const struct example *example, char *shown, size_t size)
{
	char *model_names[COLUMNS_MAX], *column_names[COLUMNS_MAX], *left_out = NULL;
	struct csv_column columns[COLUMNS_MAX];
	struct error error = {0};
	uint32_t count = length_of(example->file), named = length_of(example->model), features = 0, *used = NULL;
	for (uint32_t j = 0; j < named; j++)
		model_names[j] = strdup(example->model[j]);
	for (uint32_t i = 0; i < count; i++) {
		column_names[i] = strdup(example->file[i]);
		columns[i] = (struct csv_column){
		        column_names[i], column_names[i][0] == '#' ? COLUMN_TEXT : COLUMN_NUMBER, "red"};
	}
	struct model model = {"m.json", named - 1, model_names, NULL};
	bool chosen = predict_columns_choose(
	        &model, "new.csv", columns, count, !example->unnamed, &features, &used, &left_out, &error);
	size_t at = 0;
	if (!chosen)
		snprintf(shown, size, "%s%.300s", error.code == EXIT_BAD_DATASET ? "" : "wrong code: ", error.message);
	for (uint32_t j = 0; chosen && j <= features; j++)
		at += (size_t)snprintf(shown + at, size - at, "%s%u", j == 0 ? "" : j < features ? "," : ">", used[j]);
	cr_expect_eq(used != NULL, chosen);
	cr_expect_null(left_out);
	free(used);
	for (uint32_t j = 0; j < named; j++)
		free(model_names[j]);
	for (uint32_t i = 0; i < count; i++)
		free(column_names[i]);
	return chosen;
}

static void expect_examples(const struct example *examples, size_t count, bool chosen)
{
	for (size_t i = 0; i < count; i++) {
		char shown[400] = "";
		cr_expect_eq(choose(&examples[i], shown, sizeof shown), chosen, "%zu: %s", i, shown);
		cr_expect_str_eq(shown, examples[i].shown, "%zu: %s", i, shown);
	}
}

#define EXPECT(CHOSEN, ...)                                                              \
	do {                                                                             \
		static const struct example examples[] = {__VA_ARGS__};                  \
		expect_examples(examples, sizeof examples / sizeof *examples, (CHOSEN)); \
	} while (0)

Test(predict_columns, are_found_by_their_names_in_whatever_order)
{
	EXPECT(true, {{"a", "b", "y"}, {"a", "b", "y"}, false, "0,1>2"},
	        {{"a", "b", "y"}, {"y", "kind", "b", "a"}, false, "3,2>0"},
	        {{"größe", "y"}, {"y", "größe"}, false, "1>0"});
}

Test(predict_columns, need_no_target)
{
	/* Then the first feature has its place; so it has where the target is text, or not to be told from another. */
	EXPECT(true, {{"a", "b", "y"}, {"b", "a"}, false, "1,0>1"}, {{"a", "#y"}, {"a", "#y"}, false, "0>0"},
	        {{"a", "y"}, {"y", "a", "y"}, false, "1>1"});
}

Test(predict_columns, that_are_missing_or_not_clear_or_no_numbers_are_named)
{
	EXPECT(false,
	        {{"a", "b", "y"}, {"a", "y"}, false,
	                "new.csv: there is no column \"b\", which the model m.json needs as feature"},
	        {{"length", "width", "depth", "y"}, {"lenght", "y"}, false,
	                "new.csv: there is no column \"length\", nor 2 others, which the model m.json needs as "
	                "features; "
	                "is it \"lenght\"? Then rename it in the header"},
	        {{"a", "b", "y"}, {"c", "d"}, false,
	                "new.csv: there is no column \"a\", nor 1 other, which the model m.json needs as features"},
	        {{"a", "y"}, {"a", "y", "a"}, false,
	                "new.csv: there are 2 columns named \"a\", and the model m.json has one"},
	        {{"#a", "y"}, {"#a", "y"}, false,
	                "new.csv: column \"#a\", a feature of the model m.json, is not numeric: it holds 'red'"},
	        {{"a\nb", "y"}, {"y"}, false,
	                "new.csv: there is no column \"a\\nb\", which the model m.json needs as feature"});
}

Test(predict_columns, without_names_go_by_their_places)
{
	EXPECT(true, {{"a", "b", "y"}, {"c0", "c1", "c2"}, true, "0,1>2"},
	        {{"a", "b", "y"}, {"c0", "c1"}, true, "0,1>0"});
	EXPECT(false,
	        {{"a", "b", "y"}, {"c0", "c1", "c2", "c3"}, true,
	                "new.csv: the columns have no names, and there are 4 of them; the model m.json needs its 2 "
	                "features in order, and may have the target behind them"},
	        {{"a", "y"}, {"c0", "c1", "c2"}, true,
	                "new.csv: the columns have no names, and there are 3 of them; the model m.json needs its 1 "
	                "feature in order, and may have the target behind them"});
}

/* c0, c1, … are places of the data it was trained on, of which it may have left out some. */
Test(predict_columns, of_a_model_without_names_are_the_places_it_was_trained_on)
{
	EXPECT(true, {{"c0", "c3", "c1"}, {"c0", "c1", "c2", "c3"}, true, "0,3>1"},
	        {{"c2", "c0", "c7"}, {"c0", "c1", "c2"}, true, "2,0>2"});
	EXPECT(false, {{"c0", "c4", "c1"}, {"c0", "c1", "c2"}, true,
	                      "new.csv: there is no column \"c4\", which the model m.json needs as feature"});
}
