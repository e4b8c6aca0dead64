/* JSON text to a tree, with every fault of the text told by line, in words for whoever wrote it. */
#ifndef FORKFIT_COORDINATOR_JSON_DOCUMENT_H
#define FORKFIT_COORDINATOR_JSON_DOCUMENT_H

#include "common/error.h"

#include <stddef.h>

struct json_t;

/*
 * Reads a document whose top level is an object; a key that appears twice in an object is a fault too. source: how
 * errors name the text. NULL on failure: *error has code EXIT_BAD_CONFIGURATION, or EXIT_OS_ERROR without memory.
 */
struct json_t *json_document_read(const char *source, const char *text, size_t length, struct error *error);

/* What became of a single value. */
enum json_value_status { JSON_VALUE_OK, JSON_VALUE_NOT_JSON, JSON_VALUE_FAULT, JSON_VALUE_NO_MEMORY };

/*
 * Reads one JSON value of any type. FAULT: it is JSON, but a key appears twice or a number is too large: *error says
 * so, and begins with `where` and the key, below `path`.
 */
enum json_value_status json_document_read_value(
        const char *where, const char *path, const char *text, struct json_t **value, struct error *error);

#endif
