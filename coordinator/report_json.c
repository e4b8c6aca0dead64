/* The data of the report's page. coordinator/report/page.js is the only reader, and has the same names. */
#include "coordinator/json_text.h"
#include "coordinator/report_parts.h"
#include "coordinator/version.h"

#include "common/utf8.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A number that JSON has no word for is null. */
static json_t *number(double value)
{
	return isfinite(value) ? json_text_number(value) : json_null();
}

static json_t *count(uint64_t value)
{
	return json_integer((json_int_t)value);
}

/* In ms, to the µs. */
static json_t *milliseconds(uint64_t ns)
{
	return json_text_number(round((double)ns / 1e3) / 1e3);
}

/* Text that may have bytes which are not UTF-8. */
static json_t *text(const char *bytes)
{
	char excerpt[2048];
	json_t *string = json_string(bytes);
	return string != NULL ? string : json_string(utf8_excerpt(excerpt, sizeof excerpt, bytes, strlen(bytes)));
}

/* Sets a key and takes over the value. With memory short the object becomes NULL, and everything after does nothing. */
static void put(json_t **object, const char *key, json_t *value)
{
	if (*object == NULL) {
		json_decref(value);
		return;
	}
	if (json_object_set_new(*object, key, value) == 0)
		return;
	json_decref(*object);
	*object = NULL;
}

/* The same for the next element of an array. */
static void append(json_t **array, json_t *value)
{
	if (*array == NULL) {
		json_decref(value);
		return;
	}
	if (json_array_append_new(*array, value) == 0)
		return;
	json_decref(*array);
	*array = NULL;
}

static json_t *numbers(const double *values, size_t length)
{
	json_t *array = json_array();
	for (size_t i = 0; i < length; i++)
		append(&array, number(values[i]));
	return array;
}

static json_t *dataset(const struct loader *loader, const struct training_result *result)
{
	json_t *object = json_object();
	put(&object, "path", text(loader->name));
	put(&object, "bytes", count(loader->dataset.identity.bytes));
	put(&object, "rows", result != NULL ? count(result->rows) : json_null());
	put(&object, "skipped", count(result != NULL ? result->skipped : 0));
	return object;
}

static json_t *model(const struct loader *loader, const struct training_result *result)
{
	json_t *object = json_object();
	json_t *features = json_array();
	for (uint32_t j = 0; j < result->features; j++)
		append(&features, text(loader_used_name(loader, j)));
	put(&object, "features", features);
	put(&object, "w", numbers(result->parameters, result->features));
	put(&object, "b", number(result->parameters[result->features]));
	put(&object, "mse", number(result->mse));
	put(&object, "rmse", number(result->rmse));
	put(&object, "mae", number(result->mae));
	put(&object, "r2", number(result->r2));
	put(&object, "learning_rate", number(result->learning_rate));
	put(&object, "loss", number(result->loss));
	put(&object, "epochs", count(result->epochs));
	put(&object, "stop_reason", json_string(stop_reason_name(result->stop_reason)));
	put(&object, "rows_lost", count(result->degraded ? result->rows_lost : 0));
	return object;
}

static json_t *curve(const struct report *report)
{
	json_t *object = json_object(), *epochs = json_array(), *losses = json_array();
	for (size_t i = 0; i < report->curve_count; i++) {
		append(&epochs, count(report->curve[i].epoch));
		append(&losses, number(report->curve[i].loss));
	}
	if (report->curve_count > 0 && report->curve[report->curve_count - 1].epoch != report->last.epoch) {
		append(&epochs, count(report->last.epoch));
		append(&losses, number(report->last.loss));
	}
	put(&object, "stride", count(report->curve_stride));
	put(&object, "epoch", epochs);
	put(&object, "loss", losses);
	return object;
}

static json_t *residuals(const struct residuals *residuals)
{
	json_t *object = json_object(), *counts = json_array();
	for (size_t i = 0; i < RESIDUAL_BINS; i++)
		append(&counts, count(residuals->counts[i]));
	put(&object, "bin_width", number(residuals->bin_width));
	put(&object, "counts", counts);
	put(&object, "actual", numbers(residuals->actual, residuals->points));
	put(&object, "fitted", numbers(residuals->fitted, residuals->points));
	return object;
}

static json_t *worker(const struct report *report, uint32_t index, uint32_t bins)
{
	const struct activity *activity = &report->activity;
	char digits[ACTIVITY_BINS + 1];
	json_t *object = json_object();
	const struct report_worker *each = index < report->worker_count ? &report->each[index] : NULL;
	put(&object, "rows", count(each != NULL ? each->rows : 0));
	put(&object, "losses", count(each != NULL ? each->losses : 0));
	put(&object, "busy_ms", milliseconds(index < activity->allocated ? activity->workers[index].busy_ns : 0));
	activity_digits(activity, index, false, bins, digits);
	put(&object, "busy", json_string(digits));
	activity_digits(activity, index, true, bins, digits);
	if (strspn(digits, "0") < bins)
		put(&object, "lost", json_string(digits));
	return object;
}

static json_t *activity(const struct report *report)
{
	json_t *object = json_object(), *workers = json_array();
	uint32_t bins = activity_bins(&report->activity, report->end_ns);
	for (uint32_t i = 0; i < report->activity.count && i < ACTIVITY_WORKERS; i++)
		append(&workers, worker(report, i, bins));
	put(&object, "bin_ms", number((double)report->activity.bin_ns / 1e6));
	put(&object, "bins", count(bins));
	put(&object, "count", count(report->activity.count));
	put(&object, "workers", workers);
	return object;
}

static json_t *incident(const struct report_incident *incident)
{
	json_t *object = json_object();
	put(&object, "type", json_string(event_type_name(incident->type)));
	put(&object, "ms", milliseconds(incident->time_ns));
	put(&object, "epoch", count(incident->epoch));
	if (incident->has_worker) {
		put(&object, "worker", count(incident->worker));
		put(&object, "incarnation", count(incident->incarnation));
	}
	if (incident->pid != 0)
		put(&object, "pid", json_integer(incident->pid));
	if (incident->cause != NULL)
		put(&object, "cause", json_string(incident->cause));
	if (incident->recovered_ns != 0)
		put(&object, "recovered_ms", milliseconds(incident->recovered_ns));
	put(&object, "text", text(incident->text));
	return object;
}

static json_t *incidents(const struct report *report)
{
	json_t *array = json_array();
	for (size_t i = 0; i < report->incident_count; i++)
		append(&array, incident(&report->incidents[i]));
	return array;
}

static json_t *run(const struct report *report, const struct error *failure)
{
	json_t *object = json_object();
	uint64_t epochs_ns = report->epochs > 0 ? report->epochs_ended_ns - report->epochs_began_ns : 0;
	put(&object, "pid", json_integer(report->pid));
	put(&object, "workers", count(report->workers));
	put(&object, "ms", milliseconds(report->end_ns));
	put(&object, "epochs_ms", milliseconds(epochs_ns));
	put(&object, "epochs", count(report->epochs));
	put(&object, "resumed_epoch", count(report->resumed_epoch));
	put(&object, "checkpoints", count(report->checkpoints));
	put(&object, "faults", count(report->faults));
	put(&object, "losses", count(report->losses));
	put(&object, "replaced", count(report->replaced));
	put(&object, "exit_code", json_integer(failure != NULL ? (json_int_t)failure->code : EXIT_OK));
	put(&object, "failure", failure != NULL ? text(failure->message) : json_null());
	return object;
}

static json_t *notes(const struct report *report)
{
	json_t *array = json_array();
	for (size_t i = 0; i < report->note_count; i++)
		append(&array, text(report->notes[i]));
	return array;
}

static json_t *configuration(const struct config *config)
{
	char *effective = config_to_json(config);
	json_t *value = effective != NULL ? text(effective) : NULL;
	free(effective);
	return value;
}

/* Whatever a name says, it ends no element of the page. In JSON a "<" is always inside a string. */
static char *without_markup(char *json)
{
	static const char escaped[] = "\\u003c";
	size_t found = 0, length = strlen(json);
	for (size_t i = 0; i < length; i++)
		found += json[i] == '<';
	char *safe = malloc(length + found * (sizeof escaped - 2) + 1), *to = safe;
	for (const char *from = json; safe != NULL; from++) {
		if (*from != '<') {
			*to++ = *from;
		} else {
			memcpy(to, escaped, sizeof escaped - 1);
			to += sizeof escaped - 1;
		}
		if (*from == '\0')
			break;
	}
	free(json);
	return safe;
}

char *report_json(const struct report *report, const struct config *config, const struct loader *loader,
        const struct training_result *result, const struct error *failure)
{
	json_t *root = json_object();
	put(&root, "version", json_string(version_text()));
	put(&root, "dataset", dataset(loader, result));
	put(&root, "target", text(loader_used_name(loader, loader->dataset.features)));
	put(&root, "columns", count(loader->dataset.features));
	put(&root, "run", run(report, failure));
	put(&root, "model", result != NULL ? model(loader, result) : json_null());
	put(&root, "curve", curve(report));
	put(&root, "residuals",
	        result != NULL && result->residuals != NULL ? residuals(result->residuals) : json_null());
	put(&root, "activity", activity(report));
	put(&root, "incidents", incidents(report));
	put(&root, "incidents_left_out", count(report->incidents_left_out));
	put(&root, "notes", notes(report));
	put(&root, "notes_left_out", count(report->notes_left_out));
	put(&root, "configuration", configuration(config));
	if (root == NULL)
		return NULL;
	char *json = json_text(root, false);
	json_decref(root);
	return json != NULL ? without_markup(json) : NULL;
}
