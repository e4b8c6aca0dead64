/*
 * Where in a JSON text its keys and values lie: jansson tells that only of a fault. The text has been read by
 * jansson up to its end, or up to where it is cut here, so its syntax is known to be good and its nesting bounded.
 */
#ifndef FORKFIT_COORDINATOR_JSON_LOCATION_H
#define FORKFIT_COORDINATOR_JSON_LOCATION_H

#include "coordinator/key_path.h"
#include "coordinator/phrase.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * *line: that of the first key (or array element, or the document itself) with this path; 0 if there is none.
 * False: no memory.
 */
bool json_location_line(const char *text, size_t length, const struct key_path *path, size_t *line);

struct json_location {
	struct phrase path;
	size_t line;
	size_t first_line; /* of the first key with the same path; of this one, if there is no earlier */
};

/* The place at which a text that was cut behind a key, or in or behind a value, ends. False: no memory. */
bool json_location_end(const char *text, size_t length, struct json_location *location);

#endif
