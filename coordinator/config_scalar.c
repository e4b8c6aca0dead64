/* The kinds of values that are one word, number or path. */
#include "coordinator/config_value.h"
#include "coordinator/json_text.h"

#include <jansson.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_word(const struct config_word *word, const json_t *value)
{
	if (!word->bare)
		return json_is_string(value) && strcmp(json_string_value(value), word->text) == 0;
	switch (json_typeof(value)) {
	case JSON_TRUE:
		return strcmp(word->text, "true") == 0;
	case JSON_FALSE:
		return strcmp(word->text, "false") == 0;
	case JSON_NULL:
		return strcmp(word->text, "null") == 0;
	default:
		return false;
	}
}

static const struct config_word *find_word(const struct config_key *key, const json_t *value)
{
	for (const struct config_word *word = key->words; word && word->text; word++) {
		if (is_word(word, value))
			return word;
	}
	return NULL;
}

static json_t *word_to_json(const struct config_word *word)
{
	if (!word->bare)
		return json_string(word->text);
	return strcmp(word->text, "true") == 0    ? json_true()
	       : strcmp(word->text, "false") == 0 ? json_false()
	                                          : json_null();
}

/* The key's word for this number; NULL if none. */
static const struct config_word *word_of_number(const struct config_key *key, uint64_t number)
{
	for (const struct config_word *word = key->words; word && word->text; word++) {
		if (word->number == number)
			return word;
	}
	return NULL;
}

/* An unsigned integer, enum, bool or char of the configuration, whichever the key's size says. */
static void store_unsigned(const struct config_key *key, struct config *config, uint64_t value)
{
	void *place = (char *)config + key->offset;
	uint8_t byte = (uint8_t)value;
	uint32_t word = (uint32_t)value;
	if (key->size == sizeof byte)
		memcpy(place, &byte, sizeof byte);
	else if (key->size == sizeof word)
		memcpy(place, &word, sizeof word);
	else
		memcpy(place, &value, sizeof value);
}

static uint64_t stored_unsigned(const struct config_key *key, const struct config *config)
{
	const void *place = (const char *)config + key->offset;
	uint8_t byte;
	uint32_t word;
	uint64_t value;
	if (key->size == sizeof byte) {
		memcpy(&byte, place, sizeof byte);
		return byte;
	}
	if (key->size == sizeof word) {
		memcpy(&word, place, sizeof word);
		return word;
	}
	memcpy(&value, place, sizeof value);
	return value;
}

static bool is_in_range(const struct config_range *range, double value)
{
	bool low = range->above_minimum ? value <= range->minimum : value < range->minimum;
	return !low && value <= range->maximum;
}

static bool is_number_in_range(const struct config_key *key, const json_t *value)
{
	return json_is_number(value) && is_in_range(&key->range, json_number_value(value));
}

static bool set(json_t **value, json_t *made)
{
	*value = made;
	return made != NULL;
}

static enum value_status read_note(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	(void)config;
	return json_is_string(value) ? VALUE_OK : value_wrong(key, value, problem);
}

static bool write_note(const struct config_key *key, const struct config *config, json_t **value)
{
	(void)key, (void)config, (void)value;
	return true;
}

const struct value_kind value_note = {.name = "a string", .read = read_note, .write = write_note};

static enum value_status read_path(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	if (find_word(key, value))
		return VALUE_OK;
	if (!json_is_string(value) || json_string_length(value) == 0)
		return value_wrong(key, value, problem);
	char *path = strdup(json_string_value(value));
	if (!path)
		return VALUE_NO_MEMORY;
	memcpy((char *)config + key->offset, &path, sizeof path);
	return VALUE_OK;
}

static bool write_path(const struct config_key *key, const struct config *config, json_t **value)
{
	const char *path;
	memcpy(&path, (const char *)config + key->offset, sizeof path);
	return set(value, path ? json_string(path) : json_null());
}

const struct value_kind value_path = {.name = "a non-empty string", .read = read_path, .write = write_path};

static enum value_status read_word(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	const struct config_word *word = find_word(key, value);
	if (!word)
		return value_wrong(key, value, problem);
	store_unsigned(key, config, word->number);
	return VALUE_OK;
}

static bool write_word(const struct config_key *key, const struct config *config, json_t **value)
{
	return set(value, word_to_json(word_of_number(key, stored_unsigned(key, config))));
}

const struct value_kind value_word = {.read = read_word, .write = write_word};

static enum value_status read_integer(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	if (find_word(key, value))
		return read_word(key, value, config, problem);
	if (!json_is_integer(value) || !is_number_in_range(key, value))
		return value_wrong(key, value, problem);
	store_unsigned(key, config, (uint64_t)json_integer_value(value));
	return VALUE_OK;
}

static bool write_integer(const struct config_key *key, const struct config *config, json_t **value)
{
	uint64_t number = stored_unsigned(key, config);
	if (word_of_number(key, number))
		return write_word(key, config, value);
	return set(value, json_integer((json_int_t)number));
}

const struct value_kind value_integer = {
        .name = "an integer", .ranged = true, .read = read_integer, .write = write_integer};

static enum value_status read_number(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	if (!is_number_in_range(key, value))
		return value_wrong(key, value, problem);
	double number = json_number_value(value);
	memcpy((char *)config + key->offset, &number, sizeof number);
	return VALUE_OK;
}

static bool write_number(const struct config_key *key, const struct config *config, json_t **value)
{
	double number;
	memcpy(&number, (const char *)config + key->offset, sizeof number);
	return set(value, json_text_number(number));
}

const struct value_kind value_number = {.name = "a number", .ranged = true, .read = read_number, .write = write_number};

static enum value_status read_rate(
        const struct config_key *key, json_t *value, struct config *config, struct value_problem *problem)
{
	config->training.automatic_rate = find_word(key, value) != NULL;
	if (config->training.automatic_rate)
		return VALUE_OK;
	if (!is_number_in_range(key, value))
		return value_wrong(key, value, problem);
	config->training.learning_rate = json_number_value(value);
	return VALUE_OK;
}

static bool write_rate(const struct config_key *key, const struct config *config, json_t **value)
{
	if (config->training.automatic_rate)
		return set(value, word_to_json(key->words));
	return set(value, json_text_number(config->training.learning_rate));
}

const struct value_kind value_rate = {.name = "a number", .ranged = true, .read = read_rate, .write = write_rate};
