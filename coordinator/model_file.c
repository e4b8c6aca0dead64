#include "coordinator/model_file.h"

#include "coordinator/json_text.h"
#include "coordinator/version.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number that JSON has no word for is null. */
static json_t *number(double value)
{
	return isfinite(value) ? json_text_number(value) : json_null();
}

/* Sets a key and takes over the value. With memory short the object becomes NULL, and everything after does nothing. */
static void put(json_t **object, const char *key, json_t *value)
{
	if (*object == NULL || json_object_set_new(*object, key, value) == 0)
		return;
	json_decref(*object);
	*object = NULL;
}

static json_t *names(const struct loader *loader, uint32_t count)
{
	json_t *array = json_array();
	for (uint32_t j = 0; array != NULL && j < count; j++) {
		if (json_array_append_new(array, json_string(loader_used_name(loader, j))) != 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *numbers(const double *values, uint32_t count)
{
	json_t *array = json_array();
	for (uint32_t j = 0; array != NULL && j < count; j++) {
		if (json_array_append_new(array, number(values[j])) != 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *metrics(const struct training_result *result)
{
	json_t *object = json_object();
	put(&object, "rows", json_integer((json_int_t)result->rows));
	put(&object, "mse", number(result->mse));
	put(&object, "rmse", number(result->rmse));
	put(&object, "mae", number(result->mae));
	put(&object, "r2", number(result->r2));
	return object;
}

static json_t *training(const struct config *config, const struct training_result *result)
{
	json_t *object = json_object();
	put(&object, "optimizer", json_string(optimizer_name(config->training.optimizer)));
	put(&object, "epochs", json_integer(result->epochs));
	put(&object, "stop_reason", json_string(stop_reason_name(result->stop_reason)));
	put(&object, "learning_rate", number(result->learning_rate));
	put(&object, "loss", number(result->loss));
	return object;
}

static json_t *dataset(const struct loader *loader, const struct training_result *result)
{
	json_t *object = json_object();
	put(&object, "path", json_string(loader->name));
	put(&object, "bytes", json_integer((json_int_t)loader->dataset.identity.bytes));
	put(&object, "rows", json_integer((json_int_t)(result->rows + result->skipped)));
	return object;
}

/* Only in the model of a run that went on without rows: whoever reads it is warned. */
static json_t *degraded(const struct training_result *result)
{
	json_t *object = json_object();
	put(&object, "rows_lost", json_integer((json_int_t)result->rows_lost));
	return object;
}

char *model_file_text(const struct config *config, const struct loader *loader, const struct training_result *result)
{
	json_t *model = json_object();
	put(&model, "format", json_string("forkfit-model-1"));
	put(&model, "target", json_string(loader_used_name(loader, result->features)));
	put(&model, "features", names(loader, result->features));
	put(&model, "w", numbers(result->parameters, result->features));
	put(&model, "b", number(result->parameters[result->features]));
	put(&model, "metrics", metrics(result));
	put(&model, "training", training(config, result));
	put(&model, "dataset", dataset(loader, result));
	if (result->degraded)
		put(&model, "degraded", degraded(result));
	put(&model, "version", json_string(version_text()));
	if (model == NULL)
		return NULL;
	char *text = json_text(model, true);
	json_decref(model);
	if (text == NULL)
		return NULL;
	size_t length = strlen(text);
	char *longer = realloc(text, length + 2);
	if (longer == NULL) {
		free(text);
		return NULL;
	}
	longer[length] = '\n';
	longer[length + 1] = '\0';
	return longer;
}
