#include "coordinator/command.h"
#include "coordinator/generator.h"
#include "coordinator/number_text.h"
#include "coordinator/output_file.h"
#include "coordinator/signals.h"
#include "coordinator/standard_output.h"
#include "coordinator/table_output.h"
#include "coordinator/work_progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* Rows between two looks at signals and at the progress: about a tenth of a millisecond of work. */
enum { NUMBERS_PER_BATCH = 4096 };

enum { NAME_BYTES = 12 };

/* x1 … xd, y; to be freed. NULL: no memory. */
static const char **new_names(uint32_t features)
{
	size_t columns = (size_t)features + 1;
	const char **names = malloc(columns * (sizeof *names + NAME_BYTES));
	if (names == NULL)
		return NULL;
	char *text = (char *)(names + columns);
	for (uint32_t j = 0; j < columns; j++, text += NAME_BYTES) {
		if (j < features)
			snprintf(text, NAME_BYTES, "x%" PRIu32, j + 1);
		else
			snprintf(text, NAME_BYTES, "y");
		names[j] = text;
	}
	return names;
}

/* False: the file cannot be written, which it tells itself, or there was an interrupt, as *error says. */
static bool write_rows(uint64_t rows, struct generator *generator, struct table_output *table, double *batch,
        struct work_progress *progress, struct error *error)
{
	uint32_t columns = generator->features + 1;
	size_t capacity = NUMBERS_PER_BATCH / columns + 1;
	for (uint64_t done = 0; done < rows; work_progress_show(progress, done, done)) {
		size_t count = rows - done < capacity ? (size_t)(rows - done) : capacity;
		for (size_t i = 0; i < count; i++)
			generator_row(generator, batch + i * columns);
		table_output_rows(table, batch, count);
		done += count;
		if (ferror(table->file))
			return false;
		if (signals_take().interrupts > 0)
			return error_set(error, EXIT_INTERRUPTED, "interrupted; nothing is written");
	}
	table_output_end(table);
	return true;
}

static bool write_file(
        const struct command_line *line, enum table_format format, struct generator *generator, struct error *error)
{
	uint32_t columns = generator->features + 1;
	const char **names = new_names(generator->features);
	double *batch = malloc((NUMBERS_PER_BATCH / columns + 1) * columns * sizeof *batch);
	struct output_stream *stream = NULL;
	bool written = false;
	if (names == NULL || batch == NULL)
		error_set(error, EXIT_OS_ERROR, "out of memory");
	else
		stream = output_stream_open(line->output, error);
	if (stream != NULL) {
		struct table_output table;
		struct work_progress progress;
		work_progress_init(&progress, line->quiet, "generated", line->generate.rows);
		table_output_begin(&table, output_stream_file(stream), format, names, columns);
		bool complete = write_rows(line->generate.rows, generator, &table, batch, &progress, error);
		work_progress_clear(&progress);
		if (complete || ferror(table.file))
			written = output_stream_finish(stream, error);
		else
			output_stream_discard(stream);
		if (written)
			work_progress_end(&progress, table.rows);
	}
	free(batch);
	free(names);
	return written;
}

static void print_truth(const struct command_line *line, const struct generator *generator)
{
	char text[NUMBER_TEXT_BYTES];
	number_text(generator->noise, text);
	printf("y in %s: %" PRIu64 " row%s, noise %s, seed %" PRIu64 "\n\n", line->output, line->generate.rows,
	        line->generate.rows == 1 ? "" : "s", text, line->seed);
	number_text(generator->intercept, text);
	printf("  intercept  %6s\n", text);
	for (uint32_t j = 0; j < generator->features; j++) {
		char name[NAME_BYTES];
		snprintf(name, sizeof name, "x%" PRIu32, j + 1);
		number_text(generator->weights[j], text);
		printf("  %-9s  %6s\n", name, text);
	}
}

bool command_generate(const struct command_line *line, struct error *error)
{
	struct generator generator;
	enum table_format format;
	if (!table_format_of(line->output, &format))
		return error_set(error, EXIT_BAD_USAGE,
		        "%s: the name of what is generated ends in .npy or .csv, which says what it becomes",
		        line->output);
	if (!signals_install(error))
		return false;
	if (!generator_init(&generator, line->seed, line->generate.features, line->generate.noise))
		return error_set(error, EXIT_OS_ERROR, "out of memory");
	bool written = write_file(line, format, &generator, error);
	if (written)
		print_truth(line, &generator);
	generator_release(&generator);
	return written && standard_output_finish(error);
}
