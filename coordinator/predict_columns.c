#include "coordinator/predict_columns.h"

#include "coordinator/phrase.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct search {
	const struct model *model;
	const char *file;
	const struct csv_column *columns;
	uint32_t count;
};

/* How many columns have the name; *place: the first that has. */
static uint32_t find(const struct search *search, const char *name, uint32_t *place)
{
	uint32_t matches = 0;
	for (uint32_t i = search->count; i-- > 0;) {
		if (strcmp(search->columns[i].name, name) != 0)
			continue;
		*place = i;
		matches++;
	}
	return matches;
}

static bool is_placeholder(const char *name)
{
	return name[0] == 'c' && name[1] != '\0' && strspn(name + 1, "0123456789") == strlen(name + 1);
}

static bool has_true_names(const struct model *model)
{
	for (uint32_t j = 0; j < model->features; j++)
		if (!is_placeholder(model->names[j]))
			return true;
	return false;
}

/* "x.csv has no column "depht", which model.json needs; did you mean "depth"?" */
static bool report_missing(const struct search *search, const char *name, uint32_t missing, struct error *error)
{
	const char *near = csv_header_nearest(search->columns, search->count, name);
	struct phrase phrase = {.length = 0};
	phrase_add_quoted(&phrase, name);
	if (missing > 1)
		phrase_add(&phrase, ", nor %" PRIu32 " other%s", missing - 1, missing > 2 ? "s" : "");
	phrase_add(&phrase, ", which the model %s needs as feature%s", search->model->source, missing > 1 ? "s" : "");
	if (near != NULL) {
		phrase_add(&phrase, "; is it ");
		phrase_add_quoted(&phrase, near);
		phrase_add(&phrase, "? Then rename it in the header");
	}
	return error_set(error, EXIT_BAD_DATASET, "%s: there is no column %s", search->file, phrase.text);
}

static bool choose_by_name(const struct search *search, uint32_t *used, struct error *error)
{
	const struct model *model = search->model;
	const char *first_missing = NULL;
	uint32_t missing = 0;
	for (uint32_t j = 0; j < model->features; j++) {
		uint32_t matches = find(search, model->names[j], &used[j]);
		if (matches > 1) {
			struct phrase name = {.length = 0};
			phrase_add_quoted(&name, model->names[j]);
			return error_set(error, EXIT_BAD_DATASET,
			        "%s: there are %" PRIu32 " columns named %s, and the model %s has one", search->file,
			        matches, name.text, model->source);
		}
		if (matches == 0 && missing++ == 0)
			first_missing = model->names[j];
	}
	if (missing > 0)
		return report_missing(search, first_missing, missing, error);
	uint32_t target;
	bool there = find(search, model->names[model->features], &target) == 1 &&
	             search->columns[target].kind == COLUMN_NUMBER;
	used[model->features] = there ? target : used[0];
	return true;
}

static bool choose_by_place(const struct search *search, uint32_t *used, struct error *error)
{
	uint32_t d = search->model->features;
	if (search->count != d && search->count != d + 1)
		return error_set(error, EXIT_BAD_DATASET,
		        "%s: the columns have no names, and there are %" PRIu32
		        " of them; the model %s needs its %" PRIu32
		        " feature%s in order, and may have the target behind them",
		        search->file, search->count, search->model->source, d, d == 1 ? "" : "s");
	for (uint32_t j = 0; j < d; j++)
		used[j] = j;
	used[d] = search->count == d ? 0 : d;
	return true;
}

static bool are_numeric(const struct search *search, const uint32_t *used, struct error *error)
{
	for (uint32_t j = 0; j < search->model->features; j++) {
		const struct csv_column *column = &search->columns[used[j]];
		struct phrase name = {.length = 0};
		if (column->kind != COLUMN_TEXT)
			continue;
		phrase_add_quoted(&name, column->name);
		return error_set(error, EXIT_BAD_DATASET,
		        "%s: column %s, a feature of the model %s, is not numeric: it holds '%s'", search->file,
		        name.text, search->model->source, column->sample);
	}
	return true;
}

bool predict_columns_choose(void *context, const char *file, const struct csv_column *columns, uint32_t count,
        bool named, uint32_t *features, uint32_t **used, char **left_out, struct error *error)
{
	const struct search search = {context, file, columns, count};
	*left_out = NULL;
	*features = search.model->features;
	*used = malloc(((size_t)*features + 1) * sizeof **used);
	if (*used == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	bool by_place = !named && has_true_names(search.model);
	if ((by_place ? choose_by_place : choose_by_name)(&search, *used, error) && are_numeric(&search, *used, error))
		return true;
	free(*used);
	*used = NULL;
	return false;
}
