#include "coordinator/columns.h"

#include "coordinator/phrase.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In a message that lists them: the rest is counted. */
enum { COLUMNS_SHOWN = 8 };

struct choice {
	const struct config *config;
	const char *file;
	const struct csv_column *columns;
	uint32_t count;
};

/* "; its columns are "speed", "dist"" */
static void add_columns(struct phrase *phrase, const struct choice *choice)
{
	uint32_t shown = choice->count <= COLUMNS_SHOWN + 1 ? choice->count : COLUMNS_SHOWN;
	phrase_add(phrase, shown == 1 ? "; its column is " : "; its columns are ");
	for (uint32_t i = 0; i < shown; i++) {
		phrase_add(phrase, i > 0 ? ", " : "");
		phrase_add_quoted(phrase, choice->columns[i].name);
	}
	if (shown < choice->count)
		phrase_add(phrase, " and %" PRIu32 " more", choice->count - shown);
}

static bool no_such_name(const struct choice *choice, const char *key, const char *name, struct error *error)
{
	const char *near = csv_header_nearest(choice->columns, choice->count, name);
	struct phrase phrase = {.length = 0};
	phrase_add_quoted(&phrase, name);
	if (near != NULL) {
		phrase_add(&phrase, "; did you mean ");
		phrase_add_quoted(&phrase, near);
		phrase_add(&phrase, "?");
	} else {
		add_columns(&phrase, choice);
	}
	return error_set(error, EXIT_BAD_CONFIGURATION, "%s: %s: %s has no column %s", choice->config->source, key,
	        choice->file, phrase.text);
}

static bool resolve(const struct choice *choice, const char *key, const struct column_reference *reference,
        uint32_t *place, struct error *error)
{
	if (reference->name == NULL) {
		*place = reference->index;
		if (*place < choice->count)
			return true;
		return error_set(error, EXIT_BAD_CONFIGURATION, "%s: %s: %s has %u columns, so there is no column %u",
		        choice->config->source, key, choice->file, choice->count, *place);
	}
	uint32_t matches = 0;
	for (uint32_t i = choice->count; i-- > 0;) {
		if (strcmp(choice->columns[i].name, reference->name) != 0)
			continue;
		*place = i;
		matches++;
	}
	if (matches == 0)
		return no_such_name(choice, key, reference->name, error);
	if (matches == 1)
		return true;
	struct phrase name = {.length = 0};
	phrase_add_quoted(&name, reference->name);
	return error_set(error, EXIT_BAD_CONFIGURATION,
	        "%s: %s: %s has %u columns named %s; name the one you mean by its index", choice->config->source, key,
	        choice->file, matches, name.text);
}

/* A column that was named must hold numbers. */
static bool require_numbers(const struct choice *choice, const char *key, uint32_t place, struct error *error)
{
	const struct csv_column *column = &choice->columns[place];
	struct phrase name = {.length = 0};
	if (column->kind != COLUMN_TEXT)
		return true;
	phrase_add_quoted(&name, column->name);
	return error_set(error, EXIT_BAD_DATASET, "%s: column %s (%s in %s) is not numeric: it holds '%s'",
	        choice->file, name.text, key, choice->config->source, column->sample);
}

static bool choose_target(const struct choice *choice, uint32_t *target, struct error *error)
{
	const struct config *config = choice->config;
	*target = choice->count - 1;
	if (config->dataset.has_target && !resolve(choice, "dataset.target", &config->dataset.target, target, error))
		return false;
	return require_numbers(
	        choice, config->dataset.has_target ? "dataset.target" : "the target, as last column,", *target, error);
}

static bool choose_named_features(const struct choice *choice, uint32_t target, uint32_t *used, struct error *error)
{
	const struct config *config = choice->config;
	for (size_t i = 0; i < config->dataset.feature_count; i++) {
		char key[48];
		snprintf(key, sizeof key, "dataset.features[%zu]", i);
		if (!resolve(choice, key, &config->dataset.features[i], &used[i], error) ||
		        !require_numbers(choice, key, used[i], error))
			return false;
		const char *taken = used[i] == target ? "is the target" : NULL;
		for (size_t j = 0; j < i && taken == NULL; j++)
			if (used[j] == used[i])
				taken = "is listed twice";
		if (taken != NULL) {
			struct phrase name = {.length = 0};
			phrase_add_quoted(&name, choice->columns[used[i]].name);
			return error_set(error, EXIT_BAD_CONFIGURATION, "%s: %s: column %s %s", config->source, key,
			        name.text, taken);
		}
	}
	used[config->dataset.feature_count] = target;
	return true;
}

/* All columns but the target, without those that are not numeric. Returns how many. */
static uint32_t choose_numeric_features(const struct choice *choice, uint32_t target, uint32_t *used)
{
	uint32_t count = 0;
	for (uint32_t i = 0; i < choice->count; i++)
		if (i != target && choice->columns[i].kind == COLUMN_NUMBER)
			used[count++] = i;
	used[count] = target;
	return count;
}

/* "columns left out because they are not numeric: cut, color" */
static bool note_left_out(const struct choice *choice, uint32_t target, char **note, struct error *error)
{
	static const char start[] = "columns left out because they are not numeric: ";
	size_t length = sizeof start;
	uint32_t left_out = 0;
	*note = NULL;
	for (uint32_t i = 0; i < choice->count; i++) {
		if (i == target || choice->columns[i].kind == COLUMN_NUMBER)
			continue;
		length += strlen(choice->columns[i].name) + 2;
		left_out++;
	}
	if (left_out == 0)
		return true;
	*note = malloc(length);
	if (*note == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	char *at = *note + sprintf(*note, "%s", start);
	const char *separator = "";
	for (uint32_t i = 0; i < choice->count; i++) {
		if (i == target || choice->columns[i].kind == COLUMN_NUMBER)
			continue;
		at += sprintf(at, "%s%s", separator, choice->columns[i].name);
		separator = ", ";
	}
	return true;
}

bool columns_choose(const struct config *config, const char *file, const struct csv_column *columns, uint32_t count,
        uint32_t *features, uint32_t **used, char **left_out, struct error *error)
{
	const struct choice choice = {config, file, columns, count};
	uint32_t target;
	*left_out = NULL;
	if (!choose_target(&choice, &target, error))
		return false;
	size_t most = config->dataset.has_features ? config->dataset.feature_count : count;
	*used = malloc((most + 1) * sizeof **used);
	if (*used == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	bool chosen = true;
	if (config->dataset.has_features) {
		*features = (uint32_t)config->dataset.feature_count;
		chosen = choose_named_features(&choice, target, *used, error);
	} else {
		*features = choose_numeric_features(&choice, target, *used);
		chosen = note_left_out(&choice, target, left_out, error);
		if (chosen && *features == 0) {
			struct phrase name = {.length = 0};
			phrase_add_quoted(&name, columns[target].name);
			chosen = error_set(error, EXIT_BAD_DATASET,
			        "%s: no column is left to learn from: besides the target %s none is numeric", file,
			        name.text);
		}
	}
	if (chosen)
		return true;
	free(*used);
	free(*left_out);
	*used = NULL;
	*left_out = NULL;
	return false;
}
