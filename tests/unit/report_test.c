/* What the report keeps of a stream of events. */
#include "coordinator/report_parts.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(report, .timeout = 30);

static struct report *report;

static void begin(void)
{
	report = report_new();
	cr_assert(report != NULL);
}

static void end(void)
{
	report_free(report);
}

static void take(struct event event)
{
	struct event_sink sink = report_sink(report);
	sink.handle(sink.context, &event);
}

static void take_epochs(uint32_t first, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		struct event event = {.type = EVENT_EPOCH_DONE, .epoch = first + i};
		event.epoch_done.loss = 1.0 / (first + i);
		take(event);
	}
}

Test(report, keeps_every_loss_of_a_short_run, .init = begin, .fini = end)
{
	take_epochs(1, REPORT_LOSSES);
	cr_assert_eq(report->curve_count, REPORT_LOSSES);
	for (uint32_t i = 0; i < REPORT_LOSSES; i++)
		cr_expect(report->curve[i].epoch == i + 1 && report->curve[i].loss == 1.0 / (i + 1));
}

Test(report, thins_a_long_curve_evenly, .init = begin, .fini = end)
{
	take_epochs(7, 100001);
	cr_assert(report->curve_count > REPORT_LOSSES / 2 && report->curve_count <= REPORT_LOSSES);
	for (size_t i = 0; i < report->curve_count; i++)
		cr_expect_eq(report->curve[i].epoch, 7 + i * report->curve_stride);
	cr_expect_eq(report->last.epoch, 100007);
}

static struct event of_worker(enum event_type type, uint32_t worker, uint64_t time_ns)
{
	return (struct event){.type = type,
	        .has_worker = true,
	        .worker = worker,
	        .pid = 100 + (pid_t)worker,
	        .time_ns = time_ns,
	        .began_ns = time_ns,
	        .epoch = 3};
}

static void lose(uint32_t worker, uint64_t time_ns)
{
	struct event event = of_worker(EVENT_WORKER_LOST, worker, time_ns);
	event.worker_lost.cause = "death";
	event.worker_lost.text = "it died";
	take(event);
}

Test(report, joins_a_loss_and_its_replacement, .init = begin, .fini = end)
{
	struct event replaced = of_worker(EVENT_WORKER_REPLACED, 2, 9000000);
	replaced.worker_replaced.took_ns = 4000000;
	take(of_worker(EVENT_PARAMS_SENT, 2, 1000000)); /* its last sign of life */
	lose(1, 2000000);
	lose(2, 5000000);
	take(replaced);
	cr_assert_eq(report->incident_count, 2);
	cr_expect(report->incidents[0].worker == 1 && report->incidents[0].recovered_ns == 0);
	cr_expect(report->incidents[1].worker == 2 && report->incidents[1].recovered_ns == 4000000);
	cr_expect_str_eq(report->incidents[1].text, "it died");
	cr_expect(report->losses == 2 && report->replaced == 1);
	double lost = 0;
	for (size_t i = 0; i < ACTIVITY_BINS; i++)
		lost += (double)report->activity.workers[2].lost[i];
	cr_expect_float_eq(lost, 8000000, 1);
}

Test(report, counts_what_it_has_no_room_for, .init = begin, .fini = end)
{
	for (uint32_t i = 0; i < REPORT_INCIDENTS + 10; i++)
		lose(i % 8, 1000 * i);
	for (uint32_t i = 0; i < REPORT_NOTES + 3; i++) {
		struct event note = {.type = EVENT_NOTE};
		note.note.text = "a note";
		take(note);
	}
	cr_expect(report->incident_count == REPORT_INCIDENTS && report->incidents_left_out == 10);
	cr_expect(report->note_count == REPORT_NOTES && report->notes_left_out == 3);
	cr_expect_eq(report->losses, REPORT_INCIDENTS + 10);
}

Test(report, has_a_page_with_the_data_in_it_and_no_mark_left)
{
	char *page = report_page("{\"a\":\"{{page.js}}\"}");
	cr_assert(page != NULL);
	cr_expect(strstr(page, "id=\"data\">{\"a\":\"{{page.js}}\"}</script>") != NULL);
	cr_expect(strstr(page, "uPlot") != NULL && strstr(page, "@media print") != NULL);
	char *first = strstr(page, "{{");
	cr_expect(first != NULL && strstr(first + 2, "{{") == NULL, "only what the data has");
	free(page);
}
