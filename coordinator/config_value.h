/* The kinds of values in the configuration: how each is read, checked, described and written. */
#ifndef FORKFIT_COORDINATOR_CONFIG_VALUE_H
#define FORKFIT_COORDINATOR_CONFIG_VALUE_H

#include "coordinator/config.h"
#include "coordinator/config_key.h"
#include "coordinator/phrase.h"

#include <stdbool.h>
#include <stddef.h>

struct json_t;

enum value_status { VALUE_OK, VALUE_WRONG, VALUE_NO_MEMORY };

/* What is wrong with a value, or with one element of an array. */
struct value_problem {
	bool in_element;
	size_t element;
	const char *member; /* of the element, which is an object; NULL: the element itself */
	struct phrase what; /* "expected …, found …" */
};

struct value_kind {
	const char *name; /* "an integer" */
	bool ranged;
	/* Stores a value in the configuration; a value is stored at most once. */
	enum value_status (*read)(const struct config_key *key, struct json_t *value, struct config *config,
	        struct value_problem *problem);
	/* Sets *value, or leaves it NULL where there is nothing to show. False: no memory. */
	bool (*write)(const struct config_key *key, const struct config *config, struct json_t **value);
};

extern const struct value_kind value_note;    /* a string that means nothing to the program */
extern const struct value_kind value_path;    /* a string that is not empty, in a char * */
extern const struct value_kind value_word;    /* one of the key's words, in an enum, bool or char */
extern const struct value_kind value_integer; /* in an unsigned integer */
extern const struct value_kind value_number;  /* in a double */
extern const struct value_kind value_rate;    /* training.learning_rate */
extern const struct value_kind value_column;  /* dataset.target */
extern const struct value_kind value_columns; /* dataset.features */
extern const struct value_kind value_weights; /* training.initial.w */
extern const struct value_kind value_faults;  /* faults */
extern const struct value_kind value_kinds;   /* chaos.kinds */

/* Adds "expected …, found …" for a value that is not right for the key; it may be an object's. False: no memory. */
bool value_describe_wrong(const struct config_key *key, struct json_t *value, struct phrase *phrase);

/* Ends of the kinds' read functions: VALUE_WRONG with *problem filled, or VALUE_NO_MEMORY. */
enum value_status value_wrong(const struct config_key *key, struct json_t *value, struct value_problem *problem);
enum value_status value_wrong_element(const struct config_key *key, struct json_t *value, size_t element,
        const char *expected, struct value_problem *problem);

#endif
