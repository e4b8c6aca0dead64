/* Values in a tree of JSON objects by their path, such as "training.epochs". */
#ifndef FORKFIT_COORDINATOR_JSON_TREE_H
#define FORKFIT_COORDINATOR_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>

struct json_t;

/*
 * Sets the value at the path, the first `length` bytes of `path`, and makes the objects on the way that do not exist;
 * what exists there must be an object. Takes over the reference to value, always. False: no memory.
 */
bool json_tree_set(struct json_t *root, const char *path, size_t length, struct json_t *value);

/* The value at the path, borrowed; NULL if there is none. */
struct json_t *json_tree_get(struct json_t *root, const char *path);

#endif
