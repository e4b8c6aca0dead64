#include "coordinator/model_reader.h"

#include "common/wire.h"
#include "coordinator/config_file.h"
#include "coordinator/json_document.h"
#include "coordinator/phrase.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static bool expect(const struct model *model, const char *key, const char *expected, struct error *error)
{
	return error_set(error, EXIT_BAD_CONFIGURATION,
	        "%s: %s: expected %s; this is no model as output.model or --json gives it", model->source, key,
	        expected);
}

static bool take_name(struct model *model, size_t place, json_t *value, const char *key, struct error *error)
{
	if (!json_is_string(value))
		return expect(model, key, "a column's name", error);
	model->names[place] = strdup(json_string_value(value));
	return model->names[place] != NULL || error_set(error, EXIT_OS_ERROR, "out of memory");
}

/* A weight that is null was not finite: such a model predicts nothing. */
static bool take_number(struct model *model, size_t place, json_t *value, const char *key, struct error *error)
{
	model->parameters[place] = json_number_value(value);
	return json_is_number(value) || expect(model, key, "a number", error);
}

static bool take_all(struct model *model, json_t *root, struct error *error)
{
	json_t *names = json_object_get(root, "features"), *weights = json_object_get(root, "w");
	const char *format = json_string_value(json_object_get(root, "format"));
	if (format == NULL || strcmp(format, "forkfit-model-1") != 0)
		return expect(model, "format", "\"forkfit-model-1\"", error);
	size_t count = json_array_size(names);
	if (count == 0 || count >= WIRE_COLUMNS_MAX)
		return expect(model, "features", "the names of the features", error);
	if (json_array_size(weights) != count)
		return expect(model, "w", "a number for each feature", error);
	model->names = calloc(count + 1, sizeof *model->names);
	model->parameters = calloc(count + 1, sizeof *model->parameters);
	if (model->names == NULL || model->parameters == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	model->features = (uint32_t)count;
	for (size_t j = 0; j < count; j++)
		if (!take_name(model, j, json_array_get(names, j), "features", error) ||
		        !take_number(model, j, json_array_get(weights, j), "w", error))
			return false;
	return take_name(model, count, json_object_get(root, "target"), "target", error) &&
	       take_number(model, count, json_object_get(root, "b"), "b", error);
}

static int compare_names(const void *one, const void *other)
{
	return strcmp(*(const char *const *)one, *(const char *const *)other);
}

/* Of the target too: it cannot be a feature of itself. */
static bool names_differ(const struct model *model, struct error *error)
{
	size_t count = (size_t)model->features + 1;
	const char **sorted = malloc(count * sizeof *sorted), *twice = NULL;
	if (sorted == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	for (size_t j = 0; j < count; j++)
		sorted[j] = model->names[j];
	qsort(sorted, count, sizeof *sorted, compare_names);
	for (size_t j = 1; j < count && twice == NULL; j++)
		if (strcmp(sorted[j - 1], sorted[j]) == 0)
			twice = sorted[j];
	free(sorted);
	if (twice == NULL)
		return true;
	struct phrase name = {.length = 0};
	phrase_add_quoted(&name, twice);
	return error_set(error, EXIT_BAD_CONFIGURATION, "%s: two of the features and the target have the name %s",
	        model->source, name.text);
}

bool model_read(const char *path, struct model *model, struct error *error)
{
	char *text;
	size_t length;
	*model = (struct model){.source = config_file_name(path)};
	if (!config_file_read(path, &text, &length, error))
		return false;
	json_t *root = json_document_read(model->source, text, length, error);
	bool taken = root != NULL && take_all(model, root, error) && names_differ(model, error);
	json_decref(root);
	free(text);
	if (!taken)
		model_release(model);
	return taken;
}

void model_release(struct model *model)
{
	for (uint32_t j = 0; model->names != NULL && j <= model->features; j++)
		free(model->names[j]);
	free(model->names);
	free(model->parameters);
	*model = (struct model){.source = NULL};
}
