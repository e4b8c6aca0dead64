/* jansson's reader, but safe when memory runs out, and telling so. */
#ifndef FORKFIT_COORDINATOR_JSON_LOAD_H
#define FORKFIT_COORDINATOR_JSON_LOAD_H

#include <stdbool.h>
#include <stddef.h>

struct json_t;
struct json_error_t;

/*
 * Reads one JSON value of any type; a key that appears twice in an object is a fault. NULL on failure: *no_memory says
 * whether it was that, and else *problem what was wrong.
 */
struct json_t *json_load(const char *text, size_t length, struct json_error_t *problem, bool *no_memory);

#endif
