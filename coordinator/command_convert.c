#include "common/utf8.h"
#include "coordinator/command.h"
#include "coordinator/config.h"
#include "coordinator/csv_stream.h"
#include "coordinator/loader.h"
#include "coordinator/output_file.h"
#include "coordinator/output_paths.h"
#include "coordinator/signals.h"
#include "coordinator/table_output.h"
#include "coordinator/work_progress.h"

#include <stdio.h>
#include <stdlib.h>

/* All columns that are numeric, in the file's order: its last is what a run takes as target by default. */
static bool choose_numeric(void *context, const char *file, const struct csv_column *columns, uint32_t count,
        bool named, uint32_t *features, uint32_t **used, char **left_out, struct error *error)
{
	(void)context;
	(void)named;
	uint32_t chosen = 0;
	*left_out = NULL;
	*used = malloc(count * sizeof **used);
	if (*used == NULL)
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	for (uint32_t i = 0; i < count; i++)
		if (columns[i].kind == COLUMN_NUMBER)
			(*used)[chosen++] = i;
	*features = chosen - 1;
	if (chosen > 0)
		return true;
	free(*used);
	*used = NULL;
	return error_set(error, EXIT_BAD_DATASET, "%s: none of the columns is numeric", file);
}

/* "c0 carat, c1 price; left out, because they are not numeric: cut" */
static void tell_columns(const struct loader *loader)
{
	const struct dataset *dataset = &loader->dataset;
	uint32_t next = 0;
	fputs("columns:", stderr);
	for (uint32_t j = 0; j <= dataset->features; j++) {
		fprintf(stderr, "%s c%u ", j > 0 ? "," : "", (unsigned)j);
		utf8_print(stderr, loader_used_name(loader, j));
	}
	const char *separator = "; left out, because they are not numeric:";
	for (uint32_t i = 0; i < dataset->file_columns; i++) {
		if (next <= dataset->features && dataset->columns[next] == i) {
			next++;
			continue;
		}
		fprintf(stderr, "%s ", separator);
		utf8_print(stderr, loader->column_names[i]);
		separator = ",";
	}
	fputc('\n', stderr);
}

/* False: the output cannot be written, which it tells itself, or what *error says. */
static bool copy_rows(
        struct csv_stream *stream, struct table_output *table, struct work_progress *progress, struct error *error)
{
	size_t count;
	do {
		if (!csv_stream_next(stream, &count, error))
			return false;
		table_output_rows(table, stream->rows, count);
		if (ferror(table->file))
			return false;
		if (signals_take().interrupts > 0)
			return error_set(error, EXIT_INTERRUPTED, "interrupted; nothing is written");
		work_progress_show(progress, stream->offset, table->rows);
	} while (count > 0);
	if (table->rows == 0)
		return error_set(error, EXIT_BAD_DATASET, "%s: there are no rows", stream->loader->name);
	table_output_end(table);
	return true;
}

static bool convert(const struct command_line *line, struct loader *loader, struct error *error)
{
	struct csv_stream stream;
	struct table_output table;
	struct work_progress progress;
	struct output_stream *output = output_stream_open(line->paths[1], error);
	if (output == NULL)
		return false;
	if (!csv_stream_open(&stream, loader, error)) {
		output_stream_discard(output);
		return false;
	}
	work_progress_init(&progress, line->quiet, "converted", loader->dataset.identity.bytes);
	table_output_begin(&table, output_stream_file(output), TABLE_NPY, NULL, loader->dataset.features + 1);
	bool copied = copy_rows(&stream, &table, &progress, error), written = false;
	work_progress_clear(&progress);
	if (ferror(table.file) || (copied && loader_is_unchanged(loader, error)))
		written = output_stream_finish(output, error);
	else
		output_stream_discard(output);
	csv_stream_release(&stream);
	if (written) {
		work_progress_end(&progress, table.rows);
		if (!line->quiet)
			tell_columns(loader);
	}
	return written;
}

bool command_convert(const struct command_line *line, struct error *error)
{
	const struct column_chooser chooser = {choose_numeric, NULL};
	struct config config;
	struct loader loader;
	enum table_format format;
	if (!table_format_of(line->paths[1], &format) || format != TABLE_NPY)
		return error_set(error, EXIT_BAD_USAGE,
		        "%s: a CSV is converted to an .npy, and its name ends so: coordinator convert %s data.npy",
		        line->paths[1], line->paths[0]);
	const struct named_path paths[] = {{"the CSV", line->paths[0], true}, {"the .npy", line->paths[1], false}};
	if (!output_paths_check(paths, 2, EXIT_BAD_USAGE, error) || !signals_install(error) ||
	        !config_of_dataset(line->paths[0], &config, error))
		return false;
	bool done = loader_open_for(&loader, &config, &chooser, error);
	if (done) {
		if (loader.dataset.format != DATASET_CSV)
			done = error_set(error, EXIT_BAD_DATASET,
			        "%s: this is an .npy file already, which a run reads as it is", loader.name);
		else
			done = convert(line, &loader, error);
		loader_release(&loader);
	}
	config_release(&config);
	return done;
}
