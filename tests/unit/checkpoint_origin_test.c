#include "coordinator/checkpoint_origin.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(checkpoint_origin, .timeout = 60);

enum { COLUMNS = 4 };

/* A run over a CSV of four columns, and what it is made of. */
struct example {
	struct config config;
	struct loader loader;
	uint32_t workers;
	uint32_t columns[COLUMNS];
	char *names[COLUMNS];
	char texts[COLUMNS][32];
	double initial_w[2];
};

static void example_init(struct example *example)
{
	static const char *const names[COLUMNS] = {"id", "carat", "depth", "price"};
	*example = (struct example){.workers = 4, .columns = {1, 2, 3}};
	for (size_t i = 0; i < COLUMNS; i++) {
		strcpy(example->texts[i], names[i]);
		example->names[i] = example->texts[i];
	}
	example->loader = (struct loader){
	        .dataset =
	                {
	                        .identity = {.bytes = 1000, .inode = 7, .modified_ns = 8},
	                        .format = DATASET_CSV,
	                        .data_offset = 21,
	                        .file_columns = COLUMNS,
	                        .features = 2,
	                        .columns = example->columns,
	                        .delimiter = ',',
	                },
	        .leaf_count = 16,
	        .column_names = example->names,
	};
	example->config.training.automatic_rate = true;
	example->config.training.standardize = true;
	example->config.training.epochs = 100;
	example->config.training.initial_w = example->initial_w;
}

static char *origin_of(const struct example *example)
{
	char *text = checkpoint_origin_text(&example->config, &example->loader, example->workers);
	cr_assert(text != NULL);
	return text;
}

/* The difference that a change makes; empty: none. To be freed. */
static char *difference(void (*before)(struct example *), void (*change)(struct example *))
{
	struct example then, now;
	struct phrase words = {.length = 0};
	example_init(&then);
	example_init(&now);
	if (before != NULL) {
		before(&then);
		before(&now);
	}
	change(&now);
	char *origin_then = origin_of(&then);
	char *origin_now = origin_of(&now);
	bool same = checkpoint_origin_same(origin_now, origin_then, &words);
	cr_expect_eq(same, words.length == 0);
	free(origin_now);
	free(origin_then);
	return strdup(words.text);
}

#define CHANGE(name, statement)                   \
	static void name(struct example *example) \
	{                                         \
		statement;                        \
	}

CHANGE(grow, example->loader.dataset.identity.bytes = 1001)
CHANGE(be_an_npy, example->loader.dataset.format = DATASET_NPY)
CHANGE(have_tabs, example->loader.dataset.delimiter = '\t')
CHANGE(have_semicolons, example->loader.dataset.delimiter = ';')
CHANGE(have_no_header, example->loader.dataset.data_offset = 0)
CHANGE(skip_rows, example->loader.dataset.missing = MISSING_SKIP_ROW)
CHANGE(have_more_columns, example->loader.dataset.file_columns = 5)
CHANGE(predict_another, example->columns[2] = 0)
CHANGE(use_another, example->columns[1] = 0)
CHANGE(use_fewer, (example->loader.dataset.features = 1, example->columns[1] = 3))
CHANGE(rename_column, strcpy(example->texts[2], "de\npth"))
CHANGE(have_more_leaves, example->loader.leaf_count = 17)
CHANGE(fix_the_rate, (example->config.training.automatic_rate = false, example->config.training.learning_rate = 0.1))
CHANGE(not_standardize, example->config.training.standardize = false)
CHANGE(average, example->config.training.aggregation = AGGREGATE_AVERAGE)
CHANGE(start_elsewhere, example->config.training.initial_b = -0.0)
CHANGE(start_with_weights, example->config.training.initial_count = 2)
CHANGE(start_with_other_weights, (example->config.training.initial_count = 2, example->initial_w[1] = 0.1))
CHANGE(be_single, example->loader.dataset.element = ELEMENT_F4)
CHANGE(be_by_columns, example->loader.dataset.fortran_order = true)
CHANGE(be_moved, (example->loader.dataset.identity.inode = 9, example->loader.dataset.identity.modified_ns = 10))
CHANGE(have_more_epochs, (example->config.training.epochs = 1000, example->config.training.tolerance = 1e-3))
CHANGE(have_more_workers, example->workers = 5)
CHANGE(recover_otherwise, (example->config.recovery.replicas = 3, example->config.recovery.policy = RECOVERY_DROP))
CHANGE(rename_unused_column, strcpy(example->texts[0], "number"))

Test(checkpoint_origin, names_what_differs)
{
	static const struct {
		void (*before)(struct example *);
		void (*change)(struct example *);
		const char *words;
	} cases[] = {
	        {NULL, grow, "dataset.bytes is 1001, and was 1000"},
	        {NULL, be_an_npy, "dataset.format is npy, and was csv"},
	        {be_an_npy, be_single, "dataset.dtype is <f4, and was <f8"},
	        {be_an_npy, be_by_columns, "dataset.fortran_order is true, and was false"},
	        {NULL, have_tabs, "dataset.delimiter is tab, and was ,"},
	        {NULL, have_semicolons, "dataset.delimiter is ;, and was ,"},
	        {NULL, have_no_header, "dataset.header_bytes is 0, and was 21"},
	        {NULL, have_more_columns, "dataset.columns is 5, and was 4"},
	        {NULL, skip_rows, "dataset.missing is skip_row, and was error"},
	        {NULL, predict_another, "dataset.target is 0 \"id\", and was 3 \"price\""},
	        {NULL, use_fewer, "dataset.features is 1, and was 2"},
	        {NULL, use_another, "dataset.features[1] is 0 \"id\", and was 2 \"depth\""},
	        {NULL, rename_column, "dataset.features[1] is 2 \"de\\x0apth\", and was 2 \"depth\""},
	        {NULL, have_more_leaves, "dataset.leaves is 17, and was 16"},
	        {NULL, fix_the_rate, "training.learning_rate is 0.1, and was auto"},
	        {NULL, not_standardize, "training.standardize is false, and was true"},
	        {NULL, average, "training.aggregation is average, and was mean"},
	        {average, have_more_workers, "workers is 5, and was 4"},
	        {NULL, start_elsewhere, "training.initial.b is -0, and was 0"},
	        {NULL, start_with_weights, "training.initial.w is 2, and was 0"},
	        {start_with_weights, start_with_other_weights, "training.initial.w[1] is 0.1, and was 0"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *words = difference(cases[i].before, cases[i].change);
		cr_expect_str_eq(words, cases[i].words);
		free(words);
	}
}

Test(checkpoint_origin, ignores_what_does_not_change_the_numbers)
{
	static void (*const changes[])(struct example *) = {
	        be_moved, have_more_epochs, have_more_workers, recover_otherwise, rename_unused_column};
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		char *words = difference(NULL, changes[i]);
		cr_expect_str_eq(words, "", "change %zu: %s", i, words);
		free(words);
	}
}

Test(checkpoint_origin, tells_texts_of_different_length_apart)
{
	static const struct {
		const char *now, *then, *words;
	} cases[] = {
	        {"a 1\nb 2\n", "a 1\n", "b is known of only one of them"},
	        {"a 1\n", "a 1\nb 2\n", "b is known of only one of them"},
	        {"a 1\n", "", "a is known of only one of them"},
	        {"a 1\nc 3\n", "a 1\nb 2\n", "c is known of only one of them"},
	        {"a 12\n", "a 1\n", "a is 12, and was 1"},
	        {"ab 1\n", "a 1\n", "ab is known of only one of them"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct phrase words = {.length = 0};
		cr_expect(!checkpoint_origin_same(cases[i].now, cases[i].then, &words));
		cr_expect_str_eq(words.text, cases[i].words);
	}
}
