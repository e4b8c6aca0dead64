#include "coordinator/bad_data.h"

#include "common/utf8.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

bool bad_data_describe(struct loader *loader, const struct worker_error *found, const char *remedy, struct error *error)
{
	/* A record may have more fields than there are columns, and end in one that is never closed. */
	bool is_of_column = found->column >= 0 && found->column < loader->dataset.file_columns;
	const char *name = is_of_column ? loader->column_names[found->column] : NULL;
	char column_text[96] = "", excerpt[72];
	if (name != NULL)
		snprintf(column_text, sizeof column_text, " (column \"%s\")",
		        utf8_excerpt(excerpt, sizeof excerpt, name, strlen(name)));
	bool is_missing = loader->dataset.missing == MISSING_ERROR && strstr(found->text, "missing") != NULL;
	const char *separator = is_missing ? "; " : "";
	if (!is_missing)
		remedy = "";
	if (loader->dataset.format == DATASET_NPY)
		return error_set(error, EXIT_BAD_DATASET, "%s: row %" PRId64 ", column %" PRId64 ": %s%s%s",
		        loader->name, found->offset, found->column, found->text, separator, remedy);
	uint64_t line, column;
	if (!loader_locate(loader, (uint64_t)found->offset, &line, &column, error))
		return false;
	return error_set(error, EXIT_BAD_DATASET, "%s:%" PRIu64 ":%" PRIu64 ": %s%s%s%s", loader->name, line, column,
	        found->text, column_text, separator, remedy);
}
