#include "common/utf8.h"
#include "coordinator/command.h"
#include "coordinator/config.h"
#include "coordinator/descriptors.h"
#include "coordinator/gather.h"
#include "coordinator/loader.h"
#include "coordinator/machine.h"
#include "coordinator/model_reader.h"
#include "coordinator/output_file.h"
#include "coordinator/output_paths.h"
#include "coordinator/phrase.h"
#include "coordinator/predict_columns.h"
#include "coordinator/progress.h"
#include "coordinator/signals.h"
#include "coordinator/standard_output.h"
#include "coordinator/table_output.h"
#include "coordinator/work_progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct prediction {
	const struct command_line *line;
	const struct model *model;
	const struct loader *loader;
	struct gatherer gatherer;
	struct progress messages; /* of workers that were lost and replaced */
	struct work_progress progress;
	uint64_t missing; /* rows without a prediction */
	bool has_metrics;
	uint64_t counted; /* rows that the metrics are of */
	double mse, mae;
	double r2; /* NaN where the target is constant */
};

static void tell(void *context, const struct event *event)
{
	struct prediction *prediction = context;
	struct event_sink sink = progress_sink(&prediction->messages);
	if (event->type == EVENT_WORKER_LOST || event->type == EVENT_WORKER_FORKED ||
	        event->type == EVENT_WORKER_REPLACED) {
		work_progress_clear(&prediction->progress);
		sink.handle(sink.context, event);
	}
}

static bool is_in_range(const struct prediction *prediction, double sum, const char *what, struct error *error)
{
	if (isfinite(sum))
		return true;
	struct phrase target = {.length = 0};
	phrase_add_quoted(&target, prediction->model->names[prediction->model->features]);
	return error_set(error, EXIT_BAD_DATASET,
	        "%s: the numbers are too large: %s is beyond the range of a double, so that there are no metrics; "
	        "without column %s there are predictions alone",
	        prediction->loader->name, what, target.text);
}

/* The means, for the target's variance, and then the metrics: over the rows in which nothing is missing. */
static bool gather_metrics(struct prediction *prediction, struct error *error)
{
	struct gatherer *gatherer = &prediction->gatherer;
	uint32_t d = prediction->model->features;
	double *means = calloc((size_t)d + 1, sizeof *means), *sums = calloc(sums_max_width(d), sizeof *sums);
	bool gathered = false;
	if (means == NULL || sums == NULL) {
		error_set(error, EXIT_OS_ERROR, "out of memory");
	} else if (gatherer_sums(gatherer, 0, KERNEL_MEANS, AGGREGATE_MEAN, gatherer->first_row, sums, error)) {
		for (uint32_t j = 0; j <= d; j++)
			means[j] = gatherer->first_row[j] + sums[j];
		gathered = is_in_range(prediction, sums[d], "the sum of the target's values", error) &&
		           gatherer_sums(gatherer, 0, KERNEL_MOMENTS, AGGREGATE_MEAN, means, sums, error) &&
		           is_in_range(prediction, sums[d], "the sum of the target's squares", error);
	}
	double variance = gathered ? sums[d] : 0.0;
	gathered = gathered &&
	           gatherer_sums(
	                   gatherer, 0, KERNEL_METRICS, AGGREGATE_MEAN, prediction->model->parameters, sums, error) &&
	           is_in_range(prediction, sums[0], "the sum of the squared errors", error) &&
	           is_in_range(prediction, sums[1], "the sum of the errors", error);
	if (gathered) {
		prediction->has_metrics = true;
		prediction->mse = sums[0];
		prediction->mae = sums[1];
		prediction->counted = (uint64_t)sums[2];
		prediction->r2 = variance > 0.0 ? 1.0 - sums[0] / variance : NAN;
	}
	free(means);
	free(sums);
	return gathered;
}

/* The next rows to ask for: a place in the file, as share and row of it. */
struct batch {
	uint32_t share;
	uint64_t first;
	uint32_t rows; /* 0: there are no more */
};

static struct batch next_batch(const struct gatherer *gatherer, struct batch batch)
{
	batch.first += batch.rows;
	while (batch.share < gatherer->share_count && batch.first == gatherer->shares[batch.share].ready.rows) {
		batch.share++;
		batch.first = 0;
	}
	batch.rows = 0;
	if (batch.share == gatherer->share_count)
		return batch;
	uint64_t left = gatherer->shares[batch.share].ready.rows - batch.first;
	batch.rows = left < WIRE_PREDICTIONS_MAX ? (uint32_t)left : WIRE_PREDICTIONS_MAX;
	return batch;
}

static bool ask(struct prediction *prediction, struct batch batch, struct error *error)
{
	return batch.rows == 0 || gatherer_ask_for_predictions(&prediction->gatherer, batch.share, batch.first,
	                                  batch.rows, prediction->model->parameters, error);
}

/* The next batch is computed while this one is written down. *error is untouched where the file cannot be written. */
static bool copy_predictions(struct prediction *prediction, struct table_output *table, struct error *error)
{
	struct gatherer *gatherer = &prediction->gatherer;
	struct batch batch = next_batch(gatherer, (struct batch){0, 0, 0});
	if (!ask(prediction, batch, error))
		return false;
	while (batch.rows > 0) {
		const struct predictions *answer;
		if (!gatherer_take_predictions(gatherer, &answer, error))
			return false;
		const struct predictions taken = *answer; /* its numbers stay until the next answer is taken */
		batch = next_batch(gatherer, batch);
		if (!ask(prediction, batch, error))
			return false;
		table_output_rows(table, taken.values, taken.rows);
		for (uint32_t i = 0; i < taken.rows; i++)
			prediction->missing += isnan(taken.values[(size_t)i * taken.width]) != 0;
		if (ferror(table->file))
			return false;
		work_progress_show(&prediction->progress, table->rows, table->rows);
	}
	table_output_end(table);
	return true;
}

static bool write_predictions(struct prediction *prediction, struct error *error)
{
	static const char *const names[] = {"prediction", "actual"};
	const struct command_line *line = prediction->line;
	enum table_format format = TABLE_CSV;
	struct table_output table;
	struct output_stream *stream = output_stream_open(line->output, error);
	if (stream == NULL)
		return false;
	if (line->output != NULL)
		table_format_of(line->output, &format); /* any other name is a CSV's */
	work_progress_init(&prediction->progress, line->quiet, "predicted", prediction->gatherer.rows);
	table_output_begin(&table, output_stream_file(stream), format, names,
	        dataset_has_target(&prediction->loader->dataset) ? 2 : 1);
	bool copied = copy_predictions(prediction, &table, error), written = false;
	work_progress_clear(&prediction->progress);
	if (ferror(table.file) || (copied && loader_is_unchanged(prediction->loader, error)))
		written = output_stream_finish(stream, error);
	else
		output_stream_discard(stream);
	if (written)
		work_progress_end(&prediction->progress, table.rows);
	return written;
}

static bool load(struct prediction *prediction, struct error *error)
{
	struct gatherer *gatherer = &prediction->gatherer;
	if (!gatherer_load(gatherer, error))
		return false;
	if (gatherer->rows == 0)
		return error_set(error, EXIT_BAD_DATASET, "%s: there are no rows", prediction->loader->name);
	return true;
}

/* To standard output, unless the predictions are there. */
static void print_metrics(const struct prediction *prediction)
{
	const struct model *model = prediction->model;
	FILE *out = prediction->line->output != NULL ? stdout : stderr;
	if (!prediction->line->quiet && prediction->missing > 0)
		fprintf(stderr, "coordinator: note: %" PRIu64 " row%s no prediction, since a feature is missing\n",
		        prediction->missing, prediction->missing == 1 ? " has" : "s have");
	if (!prediction->has_metrics || (out == stderr && prediction->line->quiet))
		return;
	utf8_print(out, model->names[model->features]);
	fprintf(out, " of %" PRIu64 " row%s of ", prediction->counted, prediction->counted == 1 ? "" : "s");
	utf8_print(out, prediction->loader->name);
	fprintf(out, "\n\n  RMSE %.6g   MAE %.6g   MSE %.6g   ", sqrt(prediction->mse), prediction->mae,
	        prediction->mse);
	if (isnan(prediction->r2))
		fprintf(out, "R² undefined (the target is constant)\n");
	else
		fprintf(out, "R² %.6g\n", prediction->r2);
}

static bool predict_with(struct prediction *prediction, const struct config *config, struct loader *loader,
        uint32_t workers, struct error *error)
{
	struct event_stream events;
	events_init(&events);
	progress_init(&prediction->messages, stderr, PROGRESS_LINES, progress_wants_colour(stderr));
	if (!prediction->line->quiet)
		events_add_sink(&events, (struct event_sink){.handle = tell, .context = prediction});
	bool done = gatherer_init(&prediction->gatherer, config, loader, workers, &events, NULL, error);
	if (done) {
		prediction->gatherer.only_predicts = true;
		done = load(prediction, error) &&
		       (!dataset_has_target(&loader->dataset) || !prediction->gatherer.has_first_row ||
		               gather_metrics(prediction, error)) &&
		       write_predictions(prediction, error);
		gatherer_release(&prediction->gatherer, done || error->code == EXIT_BAD_DATASET);
	}
	progress_release(&prediction->messages);
	return done;
}

static bool can_write(const struct command_line *line, struct error *error)
{
	const struct named_path paths[] = {
	        {"the data", line->predict.data, true},
	        {"the model", line->predict.model, true},
	        {"--output", line->output, false},
	};
	return line->output == NULL ||
	       (output_paths_check(paths, sizeof paths / sizeof *paths, EXIT_BAD_USAGE, error) &&
	               output_file_check(line->output, error));
}

static bool predict(const struct command_line *line, const struct model *model, struct loader *loader,
        const struct config *config, struct error *error)
{
	struct prediction prediction = {.line = line,
	        .model = model,
	        .loader = loader,
	        .progress = {.quiet = line->quiet, .lines = {.out = stderr}}};
	uint32_t workers =
	        line->predict.workers != 0 ? line->predict.workers : loader_useful_workers(loader, machine_cpus());
	if (loader->dataset.format == DATASET_NPY && workers > loader->dataset.rows)
		workers = (uint32_t)loader->dataset.rows;
	loader->dataset.missing = MISSING_KEEP_ROW;
	if (!can_write(line, error) || !descriptors_allow(workers, error) ||
	        !predict_with(&prediction, config, loader, workers, error))
		return false;
	print_metrics(&prediction);
	return line->output == NULL || standard_output_finish(error);
}

bool command_predict(const struct command_line *line, struct error *error)
{
	struct model model;
	struct config config;
	struct loader loader;
	const struct column_chooser chooser = {predict_columns_choose, &model};
	if (!model_read(line->predict.model, &model, error))
		return false;
	bool done = config_of_dataset(line->predict.data, &config, error);
	if (done) {
		done = signals_install(error) && loader_open_for(&loader, &config, &chooser, error);
		if (done) {
			done = predict(line, &model, &loader, &config, error);
			loader_release(&loader);
		}
		config_release(&config);
	}
	model_release(&model);
	return done;
}
