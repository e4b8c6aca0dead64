/*
 * JSON values as text. What jansson's own writer lacks: each real number in the fewest digits that read back to the
 * same bits, and arrays on one line in indented text.
 */
#ifndef FORKFIT_COORDINATOR_JSON_TEXT_H
#define FORKFIT_COORDINATOR_JSON_TEXT_H

#include <stdbool.h>

struct json_t;

/*
 * The text of the value, for the caller to free; NULL: no memory. indented: each key of an object on a line of its
 * own. A real number always shows as one, as in 4.0. The locale's decimal point must be ".".
 */
char *json_text(struct json_t *value, bool indented);

/* A JSON number with this finite value: an integer where that is exact, as people write them. NULL: no memory. */
struct json_t *json_text_number(double value);

#endif
