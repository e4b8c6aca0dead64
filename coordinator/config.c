#include "coordinator/config.h"

#include "coordinator/config_file.h"
#include "coordinator/config_key.h"
#include "coordinator/config_origin.h"
#include "coordinator/config_override.h"
#include "coordinator/config_value.h"
#include "coordinator/json_document.h"
#include "coordinator/json_load.h"
#include "coordinator/json_text.h"
#include "coordinator/json_tree.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool out_of_memory(struct error *error)
{
	return error_set(error, EXIT_OS_ERROR, "out of memory");
}

struct reader {
	const struct config_origin *origin;
	struct config *config;
	struct error *error;
};

static bool fail_unknown(const struct reader *reader, const struct config_key *parent, const struct key_path *path)
{
	struct phrase what = {.length = 0};
	config_key_describe_unknown(parent, path->key, &what);
	return config_origin_fail(reader->origin, path, what.text, reader->error);
}

static bool read_value(
        const struct reader *reader, const struct config_key *key, const struct key_path *path, json_t *value)
{
	struct value_problem problem = {.in_element = false};
	switch (key->kind->read(key, value, reader->config, &problem)) {
	case VALUE_OK:
		return true;
	case VALUE_NO_MEMORY:
		return out_of_memory(reader->error);
	case VALUE_WRONG:
		break;
	}
	struct key_path element = {.parent = path, .index = problem.element};
	struct key_path member = {.parent = &element, .key = problem.member};
	const struct key_path *wrong = !problem.in_element ? path : problem.member == NULL ? &element : &member;
	return config_origin_fail(reader->origin, wrong, problem.what.text, reader->error);
}

/* Reads the keys in the order in which they are written, so that the first error in the file is the one reported. */
static bool read_object(
        const struct reader *reader, const struct config_key *parent, const struct key_path *path, json_t *object)
{
	const char *name;
	json_t *value;
	json_object_foreach(object, name, value)
	{
		struct key_path child = {.parent = path, .key = name};
		const struct config_key *key = config_key_find(parent, name);
		bool ok;
		if (!key)
			ok = fail_unknown(reader, parent, &child);
		else if (key->kind)
			ok = read_value(reader, key, &child, value);
		else if (json_is_object(value))
			ok = read_object(reader, key, &child, value);
		else
			ok = config_origin_fail_value(reader->origin, &child, key, value, reader->error);
		if (!ok)
			return false;
	}
	return true;
}

/* What the configuration does not say. */
static bool read_default(const struct reader *reader, const struct config_key *key)
{
	struct key_path steps[CONFIG_KEY_STEPS];
	const struct key_path *path = config_key_path(key, steps);
	if (key->required)
		return config_origin_fail(reader->origin, path, "required key is missing", reader->error);
	if (!key->standard)
		return true;
	json_error_t problem;
	bool no_memory;
	json_t *value = json_load(key->standard, strlen(key->standard), &problem, &no_memory);
	bool ok = value ? read_value(reader, key, path, value) : out_of_memory(reader->error);
	json_decref(value);
	return ok;
}

static bool read_tree(const struct reader *reader, json_t *root)
{
	if (!read_object(reader, NULL, NULL, root))
		return false;
	for (size_t i = 0; i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		if (key->kind && !json_tree_get(root, key->path) && !read_default(reader, key))
			return false;
	}
	return true;
}

/* `given`, which may be NULL, from the directory in which the configuration lies. False: no memory. */
static bool resolve(const char *config_path, const char *given, char **resolved)
{
	const char *slash = strrchr(config_path, '/');
	if (!given)
		return true;
	int directory = slash && given[0] != '/' ? (int)(slash - config_path) + 1 : 0; /* with its slash */
	size_t size = (size_t)directory + strlen(given) + 1;
	*resolved = malloc(size);
	if (*resolved)
		snprintf(*resolved, size, "%.*s%s", directory, config_path, given);
	return *resolved != NULL;
}

/* What standard input says is relative to the working directory: "-" has no slash. */
static bool finish(const char *path, struct config *config, struct error *error)
{
	config->source = strdup(config_file_name(path));
	if (!config->source || !resolve(path, config->dataset.given_path, &config->dataset.path) ||
	        !resolve(path, config->checkpoint.given_path, &config->checkpoint.path) ||
	        !resolve(path, config->output.given_model, &config->output.model) ||
	        !resolve(path, config->output.given_events, &config->output.events) ||
	        !resolve(path, config->output.given_trace, &config->output.trace) ||
	        !resolve(path, config->output.given_report, &config->output.report) ||
	        !resolve(path, config->output.given_faults, &config->output.faults))
		return out_of_memory(error);
	return true;
}

bool config_read(
        const char *path, const char *const *overrides, size_t count, struct config *config, struct error *error)
{
	struct config_origin origin = {.source = config_file_name(path)};
	struct reader reader = {.origin = &origin, .config = config, .error = error};
	char *text;
	*config = (struct config){.source = NULL};
	if (!config_file_read(path, &text, &origin.length, error))
		return false;
	origin.text = text;
	json_t *root = json_document_read(origin.source, text, origin.length, error);
	bool ok = root && config_override_apply(root, overrides, count, &origin, error) && read_tree(&reader, root) &&
	          finish(path, config, error);
	json_decref(root);
	free(text);
	if (!ok)
		config_release(config);
	return ok;
}

bool config_of_dataset(const char *path, struct config *config, struct error *error)
{
	struct config_origin origin = {.source = "<command line>", .text = ""};
	struct reader reader = {.origin = &origin, .config = config, .error = error};
	*config = (struct config){.source = NULL};
	json_t *root = json_object(), *value = json_string_nocheck(path);
	bool ok = root && value && json_tree_set(root, "dataset.path", strlen("dataset.path"), value);
	ok = ok ? read_tree(&reader, root) && finish("-", config, error) : out_of_memory(error);
	json_decref(root);
	if (!ok)
		config_release(config);
	return ok;
}

void config_release(struct config *config)
{
	for (size_t i = 0; i < config->dataset.feature_count; i++)
		free(config->dataset.features[i].name);
	free(config->dataset.features);
	free(config->dataset.target.name);
	free(config->dataset.path);
	free(config->dataset.given_path);
	free(config->training.initial_w);
	free(config->checkpoint.path);
	free(config->checkpoint.given_path);
	free(config->output.model);
	free(config->output.given_model);
	free(config->output.events);
	free(config->output.given_events);
	free(config->output.trace);
	free(config->output.given_trace);
	free(config->output.report);
	free(config->output.given_report);
	free(config->output.faults);
	free(config->output.given_faults);
	free(config->faults);
	free(config->source);
	*config = (struct config){.source = NULL};
}

char *config_to_json(const struct config *config)
{
	char *text = NULL;
	json_t *root = json_object();
	bool ok = root != NULL;
	for (size_t i = 0; ok && i < config_key_count; i++) {
		const struct config_key *key = &config_keys[i];
		json_t *value = NULL;
		if (!key->kind)
			continue;
		ok = key->kind->write(key, config, &value);
		if (value)
			ok = json_tree_set(root, key->path, strlen(key->path), value);
	}
	if (ok)
		text = json_text(root, true);
	json_decref(root);
	return text;
}
