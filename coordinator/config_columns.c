/* The kinds of values that name columns, or have a number for each. */
#include "coordinator/config_value.h"
#include "coordinator/json_text.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static const char COLUMN[] = "a column name or an index";

static bool is_column(const struct config_key *key, const json_t *value)
{
	if (json_is_string(value))
		return true;
	double index = json_number_value(value);
	return json_is_integer(value) && index >= key->range.minimum && index <= key->range.maximum;
}

/* False: no memory. */
static bool take_column(const json_t *value, struct column_reference *column)
{
	if (json_is_integer(value)) {
		column->index = (uint32_t)json_integer_value(value);
		return true;
	}
	column->name = strdup(json_string_value(value));
	return column->name != NULL;
}

static json_t *column_to_json(const struct column_reference *column)
{
	return column->name ? json_string(column->name) : json_integer(column->index);
}

static enum value_status read_column(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	if (!is_column(key, value))
		return value_wrong(key, value, problem);
	config->dataset.has_target = true;
	return take_column(value, &config->dataset.target) ? VALUE_OK : VALUE_NO_MEMORY;
}

static bool write_column(const struct config_key *key, const struct config *config, json_t **value)
{
	(void)key;
	if (config->dataset.has_target)
		*value = column_to_json(&config->dataset.target);
	return *value || !config->dataset.has_target;
}

const struct value_kind value_column = {
        .name = "a column name or an index", .ranged = true, .read = read_column, .write = write_column};

/* Records that the element stands at `index`, in a set of all before it, by their text: 3 and "3" are two columns. */
static enum value_status check_first(json_t *seen, json_t *element, size_t index, struct value_problem *problem)
{
	char *text = json_text(element, false);
	if (!text)
		return VALUE_NO_MEMORY;
	enum value_status status = VALUE_NO_MEMORY;
	const json_t *earlier = json_object_get(seen, text);
	if (earlier) {
		problem->in_element = true;
		problem->element = index;
		phrase_add(&problem->what, "column ");
		phrase_add_excerpt(&problem->what, text, strlen(text));
		phrase_add(&problem->what, " appears twice (first as element %" JSON_INTEGER_FORMAT ")",
		        json_integer_value(earlier));
		status = VALUE_WRONG;
	} else if (json_object_set_new(seen, text, json_integer((json_int_t)index)) == 0) {
		status = VALUE_OK;
	}
	free(text);
	return status;
}

static enum value_status read_each_column(
        const struct config_key *key, json_t *array, json_t *seen, struct config *config, struct value_problem *problem)
{
	size_t index;
	json_t *element;
	json_array_foreach(array, index, element)
	{
		if (!is_column(key, element))
			return value_wrong_element(key, element, index, COLUMN, problem);
		enum value_status status = check_first(seen, element, index, problem);
		if (status != VALUE_OK)
			return status;
		if (!take_column(element, &config->dataset.features[index]))
			return VALUE_NO_MEMORY;
		config->dataset.feature_count = index + 1;
	}
	return VALUE_OK;
}

static enum value_status read_columns(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	size_t count = json_array_size(value);
	if (count == 0)
		return value_wrong(key, value, problem);
	config->dataset.has_features = true;
	config->dataset.features = calloc(count, sizeof *config->dataset.features);
	json_t *seen = json_object();
	enum value_status status = VALUE_NO_MEMORY;
	if (config->dataset.features && seen)
		status = read_each_column(key, value, seen, config, problem);
	json_decref(seen);
	return status;
}

static bool write_columns(const struct config_key *key, const struct config *config, json_t **value)
{
	(void)key;
	if (!config->dataset.has_features)
		return true;
	json_t *array = json_array();
	for (size_t i = 0; array && i < config->dataset.feature_count; i++) {
		if (json_array_append_new(array, column_to_json(&config->dataset.features[i])) != 0) {
			json_decref(array);
			return false;
		}
	}
	*value = array;
	return array != NULL;
}

const struct value_kind value_columns = {
        .name = "a non-empty array of column names or indices", .read = read_columns, .write = write_columns};

static enum value_status read_weights(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	size_t count = json_array_size(value);
	size_t index;
	json_t *element;
	if (count == 0)
		return value_wrong(key, value, problem);
	config->training.initial_w = calloc(count, sizeof *config->training.initial_w);
	if (!config->training.initial_w)
		return VALUE_NO_MEMORY;
	config->training.initial_count = count;
	json_array_foreach(value, index, element)
	{
		if (!json_is_number(element))
			return value_wrong_element(key, element, index, "a number", problem);
		config->training.initial_w[index] = json_number_value(element);
	}
	return VALUE_OK;
}

static bool write_weights(const struct config_key *key, const struct config *config, json_t **value)
{
	(void)key;
	if (config->training.initial_count == 0)
		return true;
	json_t *array = json_array();
	for (size_t i = 0; array && i < config->training.initial_count; i++) {
		if (json_array_append_new(array, json_text_number(config->training.initial_w[i])) != 0) {
			json_decref(array);
			return false;
		}
	}
	*value = array;
	return array != NULL;
}

const struct value_kind value_weights = {
        .name = "a non-empty array of numbers", .read = read_weights, .write = write_weights};
