#include "coordinator/panel.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

TestSuite(panel, .timeout = 10);

#define MS UINT64_C(1000000)

static struct panel panel;

static struct event event_of(enum event_type type, uint32_t worker, uint64_t ms)
{
	return (struct event){
	        .type = type, .has_worker = true, .worker = worker, .pid = 700 + (int)worker, .time_ns = ms * MS};
}

static void take(enum event_type type, uint32_t worker, uint64_t ms)
{
	struct event event = event_of(type, worker, ms);
	panel_take(&panel, &event);
}

static void take_ready(uint32_t worker, uint64_t rows, uint64_t ms)
{
	struct event event = event_of(EVENT_WORKER_READY, worker, ms);
	event.worker_ready.rows = rows;
	panel_take(&panel, &event);
}

static void take_sums(uint32_t worker, double busy_ms, uint64_t ms)
{
	struct event event = event_of(EVENT_GRADIENT_RECEIVED, worker, ms);
	event.round.kernel = KERNEL_GRADIENT;
	event.round.times.finished_ns = (uint64_t)(busy_ms * 1e6);
	panel_take(&panel, &event);
}

static void lose(uint32_t worker, const char *cause, int status, uint64_t ms)
{
	struct event event = event_of(EVENT_WORKER_LOST, worker, ms);
	event.worker_lost.cause = cause;
	event.worker_lost.status = status;
	panel_take(&panel, &event);
}

/* The line of a drawing, without its colours; static. */
static const char *line(unsigned number, unsigned rows, uint64_t ms)
{
	static char text[400];
	char *drawn = NULL, *rest = NULL, *found;
	size_t length;
	FILE *out = open_memstream(&drawn, &length);
	panel_draw(&panel, out, false, rows, ms * MS);
	fclose(out);
	found = strtok_r(drawn, "\n", &rest);
	while (number-- > 0 && found != NULL)
		found = strtok_r(NULL, "\n", &rest);
	snprintf(text, sizeof text, "%s", found != NULL ? found : "(none)");
	free(drawn);
	return text;
}

static void expect_line(unsigned number, uint64_t ms, const char *expected)
{
	cr_expect_str_eq(line(number, 24, ms), expected);
}

Test(panel, has_a_head)
{
	expect_line(0, 0, "  #  pid      state                   rows  ms/epoch  restarts  last loss, back");
	expect_line(1, 0, "(none)");
}

Test(panel, shows_a_worker_that_loads)
{
	take(EVENT_WORKER_FORKED, 0, 100);
	expect_line(1, 200, "  0  700      loading                                        0");
	expect_line(1, 1600, "  0  700      loading 1.5 s                                  0");
}

Test(panel, shows_a_worker_whose_rounds_are_short_as_training)
{
	take(EVENT_WORKER_FORKED, 1, 0);
	take_ready(1, 53940, 10);
	take(EVENT_PARAMS_SENT, 1, 11);
	expect_line(2, 20, "  1  701      training              53,940                   0");
	take_sums(1, 1.25, 21);
	expect_line(2, 22, "  1  701      training              53,940      1.25         0");
}

Test(panel, shows_how_long_a_question_is_open_or_none_is)
{
	take(EVENT_WORKER_FORKED, 0, 0);
	take(EVENT_PARAMS_SENT, 0, 1000);
	expect_line(1, 4500, "  0  700      computing 3.5 s                                0");
	take_sums(0, 3500, 4500);
	expect_line(1, 5000, "  0  700      waiting 0.5 s                  3.5e+03         0");
}

Test(panel, shows_a_stop_and_that_it_is_over)
{
	take(EVENT_WORKER_FORKED, 0, 0);
	take(EVENT_PARAMS_SENT, 0, 1000);
	take(EVENT_WORKER_STOPPED, 0, 2000);
	expect_line(1, 3000, "  0  700      stopped 1.0 s                                  0");
	take(EVENT_WORKER_CONTINUED, 0, 4000);
	expect_line(1, 4100, "  0  700      training                                       0");
}

Test(panel, shows_what_a_worker_was_lost_to_and_when_it_was_back)
{
	take(EVENT_WORKER_FORKED, 0, 0);
	lose(0, "death", SIGKILL, 1000);
	expect_line(1, 1000, "  0  700      lost                                           0  SIGKILL");
	struct event event = event_of(EVENT_WORKER_FORKED, 0, 1001);
	event.incarnation = 1;
	event.pid = 812;
	panel_take(&panel, &event);
	event = event_of(EVENT_WORKER_REPLACED, 0, 1004);
	event.worker_replaced.took_ns = 4100000;
	panel_take(&panel, &event);
	take_sums(0, 2, 1004);
	expect_line(1, 1005, "  0  812      training                             2         1  SIGKILL, 4.1 ms");
	lose(0, "deadline", SIGKILL, 1100);
	expect_line(1, 1100, "  0  812      lost                                 2         1  deadline");
	lose(0, "protocol", SIGKILL, 1200);
	cr_expect(strstr(line(1, 24, 1200), "  protocol") != NULL);
}

Test(panel, smoothes_the_time_of_an_epoch)
{
	take(EVENT_WORKER_FORKED, 0, 0);
	take_sums(0, 1, 1);
	take_sums(0, 2, 2);
	cr_expect(strstr(line(1, 24, 3), "       1.1  ") != NULL, "%s", line(1, 24, 3));
}

Test(panel, says_how_many_workers_do_not_fit)
{
	for (uint32_t i = 0; i < 100; i++)
		take(EVENT_WORKER_FORKED, i, 0);
	cr_expect_str_eq(line(8, 10, 0), "  7  707      loading                                        0");
	cr_expect_str_eq(line(9, 10, 0), "     … and 92 more");
	cr_expect_str_eq(line(10, 10, 0), "(none)");
	cr_expect_str_eq(line(100, 101, 0), " 99  799      loading                                        0");
}

Test(panel, shows_a_worker_that_has_left)
{
	take(EVENT_WORKER_FORKED, 0, 0);
	take(EVENT_WORKER_EXITED, 0, 1000);
	expect_line(1, 9000, "  0  700      ended                                          0");
}
