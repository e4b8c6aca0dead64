#include "coordinator/report.h"

#include "coordinator/output_file.h"
#include "coordinator/report_parts.h"

#include <inttypes.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct report *report_new(void)
{
	struct report *report = calloc(1, sizeof *report);
	if (report == NULL)
		return NULL;
	report->curve_stride = 1;
	activity_init(&report->activity);
	return report;
}

void report_free(struct report *report)
{
	if (report == NULL)
		return;
	for (size_t i = 0; i < report->incident_count; i++)
		free(report->incidents[i].text);
	for (size_t i = 0; i < report->note_count; i++)
		free(report->notes[i]);
	activity_release(&report->activity);
	free(report->incidents);
	free(report->notes);
	free(report->each);
	free(report);
}

/* The loss of every epoch that is a multiple of the stride, counted from the first; the last one is kept besides. */
static void take_loss(struct report *report, const struct event *event)
{
	struct report_loss loss = {event->epoch, event->epoch_done.loss};
	if (report->curve_count == 0)
		report->first_epoch = event->epoch;
	report->last = loss;
	report->epochs++;
	report->epochs_ended_ns = event->time_ns;
	if ((event->epoch - report->first_epoch) % report->curve_stride != 0)
		return;
	if (report->curve_count == REPORT_LOSSES) {
		for (size_t i = 0; i < REPORT_LOSSES / 2; i++)
			report->curve[i] = report->curve[2 * i];
		report->curve_count = REPORT_LOSSES / 2;
		report->curve_stride *= 2;
		if ((event->epoch - report->first_epoch) % report->curve_stride != 0)
			return;
	}
	report->curve[report->curve_count++] = loss;
}

static struct report_worker *find_worker(struct report *report, uint32_t index)
{
	if (index >= report->worker_count) {
		uint32_t count = index + 16;
		struct report_worker *more = realloc(report->each, count * sizeof *more);
		if (more == NULL) {
			report->incomplete = true;
			return NULL;
		}
		memset(more + report->worker_count, 0, (count - report->worker_count) * sizeof *more);
		report->each = more;
		report->worker_count = count;
	}
	return &report->each[index];
}

static void add_activity(struct report *report, uint32_t worker, struct range time, bool lost)
{
	if (!activity_add(&report->activity, worker, time, lost))
		report->incomplete = true;
}

/* An incident in the words of printf. NULL: there is no room for it. */
__attribute__((format(printf, 3, 4))) static struct report_incident *add_incident(
        struct report *report, const struct event *event, const char *format, ...)
{
	char text[1024];
	va_list arguments;
	if (report->incident_count == REPORT_INCIDENTS) {
		report->incidents_left_out++;
		return NULL;
	}
	if (report->incidents == NULL)
		report->incidents = calloc(REPORT_INCIDENTS, sizeof *report->incidents);
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	char *copy = strdup(text);
	if (report->incidents == NULL || copy == NULL) {
		free(copy);
		report->incomplete = true;
		return NULL;
	}
	struct report_incident *incident = &report->incidents[report->incident_count++];
	*incident = (struct report_incident){
	        .type = event->type,
	        .time_ns = event->time_ns,
	        .epoch = event->epoch,
	        .has_worker = event->has_worker,
	        .worker = event->worker,
	        .incarnation = event->incarnation,
	        .pid = event->pid,
	        .text = copy,
	};
	return incident;
}

static void take_worker_lost(struct report *report, const struct event *event)
{
	struct report_worker *worker = find_worker(report, event->worker);
	struct report_incident *incident = add_incident(report, event, "%s", event->worker_lost.text);
	report->losses++;
	if (incident != NULL) {
		incident->time_ns = event->began_ns; /* buried, it was lost before */
		incident->cause = event->worker_lost.cause;
	}
	if (worker == NULL)
		return;
	worker->losses++;
	worker->incident = incident != NULL ? report->incident_count : 0;
	worker->lost_ns = worker->asked_ns != 0 ? worker->asked_ns : event->began_ns;
	worker->asked_ns = 0;
}

static void take_worker_replaced(struct report *report, const struct event *event)
{
	struct report_worker *worker = find_worker(report, event->worker);
	report->replaced++;
	if (worker == NULL || worker->lost_ns == 0)
		return;
	add_activity(report, event->worker, (struct range){worker->lost_ns, event->time_ns}, true);
	if (worker->incident != 0)
		report->incidents[worker->incident - 1].recovered_ns = event->worker_replaced.took_ns;
	worker->lost_ns = 0;
}

static void take_question(struct report *report, const struct event *event)
{
	struct report_worker *worker = find_worker(report, event->worker);
	if (worker != NULL)
		worker->asked_ns = event->began_ns;
}

static void take_answer(struct report *report, const struct event *event, const struct worker_times *times)
{
	struct report_worker *worker = find_worker(report, event->worker);
	if (worker != NULL)
		worker->asked_ns = 0;
	add_activity(report, event->worker, (struct range){times->received_ns, times->finished_ns}, false);
}

static void take_ready(struct report *report, const struct event *event)
{
	struct report_worker *worker = find_worker(report, event->worker);
	if (worker != NULL)
		worker->rows = event->worker_ready.rows;
	take_answer(report, event, &event->worker_ready.times);
}

static void take_note(struct report *report, const struct event *event)
{
	if (report->note_count == REPORT_NOTES) {
		report->notes_left_out++;
		return;
	}
	if (report->notes == NULL)
		report->notes = calloc(REPORT_NOTES, sizeof *report->notes);
	char *copy = strdup(event->note.text);
	if (report->notes == NULL || copy == NULL) {
		free(copy);
		report->incomplete = true;
		return;
	}
	report->notes[report->note_count++] = copy;
}

static void take_fault(struct report *report, const struct event *event)
{
	const struct fault *fault = event->fault_fired.fault;
	report->faults++;
	add_incident(report, event, "%s at %s, as planned", fault_kind_name(fault->kind), fault_site_name(fault->site));
}

static void take(struct report *report, const struct event *event)
{
	report->end_ns = event->time_ns;
	switch (event->type) {
	case EVENT_RUN_STARTED:
		report->pid = event->pid;
		report->workers = event->run_started.workers;
		break;
	case EVENT_RUN_RESUMED:
		report->resumed_epoch = event->epoch;
		break;
	case EVENT_WORKER_READY:
		take_ready(report, event);
		break;
	case EVENT_PARAMS_SENT:
		if (event->round.kernel == KERNEL_GRADIENT && report->epochs_began_ns == 0)
			report->epochs_began_ns = event->began_ns;
		take_question(report, event);
		break;
	case EVENT_ASSIGN_SENT:
		take_question(report, event);
		break;
	case EVENT_GRADIENT_RECEIVED:
		take_answer(report, event, &event->round.times);
		break;
	case EVENT_FAULT_FIRED:
		take_fault(report, event);
		break;
	case EVENT_WORKER_LOST:
		take_worker_lost(report, event);
		break;
	case EVENT_WORKER_REPLACED:
		take_worker_replaced(report, event);
		break;
	case EVENT_WORKER_LATE:
		add_incident(report, event,
		        "no answer for %.1f ms; worker %" PRIu32 " is started to answer in its place",
		        (double)event->worker_late.waited_ns / 1e6, event->worker_late.backup);
		break;
	case EVENT_WORKER_STOPPED:
		add_incident(report, event, "stopped by signal %d", event->worker_stopped.signal);
		break;
	case EVENT_WORKER_CONTINUED:
		add_incident(report, event, "continued");
		break;
	case EVENT_EPOCH_DONE:
		take_loss(report, event);
		break;
	case EVENT_CHECKPOINT_WRITTEN:
		report->checkpoints++;
		break;
	case EVENT_NOTE:
		take_note(report, event);
		break;
	case EVENT_WORKER_STARTING:
	case EVENT_WORKER_FORKED:
	case EVENT_SUMS_COMBINED:
	case EVENT_STOP_SENT:
	case EVENT_WORKER_EXITED:
	case EVENT_CALL_MADE:
	case EVENT_RUN_ENDED:
	case EVENT_TICK:
	case EVENT_TYPE_COUNT:
		break;
	}
}

static void handle(void *context, const struct event *event)
{
	take(context, event);
}

struct event_sink report_sink(struct report *report)
{
	return (struct event_sink){.handle = handle, .context = report};
}

/* Workers that were lost and never replaced are so until the end. */
static void close_losses(struct report *report)
{
	for (uint32_t i = 0; i < report->worker_count; i++) {
		if (report->each[i].lost_ns != 0)
			add_activity(report, i, (struct range){report->each[i].lost_ns, report->end_ns}, true);
		report->each[i].lost_ns = 0;
	}
}

bool report_write(struct report *report, const struct config *config, const struct loader *loader,
        const struct training_result *result, const struct error *failure, struct error *error)
{
	close_losses(report);
	char *json = report->incomplete ? NULL : report_json(report, config, loader, result, failure);
	char *page = json != NULL ? report_page(json) : NULL;
	bool written = page != NULL ? output_file_write(config->output.report, page, error)
	                            : error_set(error, EXIT_OUTPUT_FAILED, "cannot write %s: out of memory",
	                                      config->output.report);
	free(page);
	free(json);
	return written;
}
