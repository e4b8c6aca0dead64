/*
 * Every key of the configuration, in one table. Reading, defaults, errors, suggestions and the effective configuration
 * all follow it; configs/run.schema.json says the same to editors.
 */
#ifndef FORKFIT_COORDINATOR_CONFIG_KEY_H
#define FORKFIT_COORDINATOR_CONFIG_KEY_H

#include "coordinator/config.h"
#include "coordinator/key_path.h"
#include "coordinator/phrase.h"

#include <stdbool.h>
#include <stddef.h>

struct value_kind;

/* A value that is one of few. */
struct config_word {
	const char *text; /* NULL ends a list of them */
	bool bare;        /* true, false or null; else a string */
	unsigned number;  /* what the configuration keeps for it */
};

struct config_range {
	double minimum;
	double maximum;
	bool above_minimum; /* the minimum itself is out of range */
};

struct config_key {
	const char *path;                /* "training.epochs" */
	const struct value_kind *kind;   /* of its values; NULL: an object, whose keys come next */
	const struct config_word *words; /* values that are accepted as well as those of its kind, or NULL */
	struct config_range range;       /* of numbers */
	const char *standard;            /* the default as JSON text; NULL: none */
	bool required;
	size_t offset, size; /* of its place in struct config, where the kind needs it */
	const char *meaning; /* a sentence */
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The key `name` of the object `parent` (NULL: of the top level); NULL: there is none. */
const struct config_key *config_key_find(const struct config_key *parent, const char *name);

/* The last step of its path. */
const char *config_key_name(const struct config_key *key);

/* Its path as a chain, which lies in `steps`. */
enum { CONFIG_KEY_STEPS = 3 };
const struct key_path *config_key_path(const struct config_key *key, struct key_path steps[CONFIG_KEY_STEPS]);

/* Adds what is wrong with a key that is not in the table, and which one was meant or could be. */
void config_key_describe_unknown(const struct config_key *parent, const char *name, struct phrase *phrase);

#endif
