/* The path of a value in a JSON document, as a chain from the value up. Pure. */
#ifndef FORKFIT_COORDINATOR_KEY_PATH_H
#define FORKFIT_COORDINATOR_KEY_PATH_H

#include "coordinator/phrase.h"

#include <stdbool.h>
#include <stddef.h>

/* One step; a NULL pointer to it is the document itself. Lives on the stack of whoever walks the document. */
struct key_path {
	const struct key_path *parent;
	const char *key; /* unescaped; NULL: an element of an array */
	size_t index;    /* of the element */
};

bool key_path_equal(const struct key_path *one, const struct key_path *other);

/* Adds it as in `dataset.features[2]`; a key with other characters than letters, digits, _, - and $ in quotes. */
void key_path_describe(const struct key_path *path, struct phrase *phrase);

#endif
