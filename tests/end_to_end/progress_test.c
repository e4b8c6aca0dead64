/* What a user sees while a run goes on: a bar on a terminal that is gone at the end, and plain lines anywhere else. */
#include "tests/end_to_end/long_run.h"
#include "tests/end_to_end/terminal.h"

#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(progress, .init = workspace_open, .fini = workspace_close, .timeout = 120);

/* Runs with standard error on the terminal, and with standard output too if `both`. */
static struct run *start_on(
        const struct terminal *terminal, bool both, const char *option, const char *const *environment)
{
	struct run_options options = {.environment = environment};
	const char *script = both ? "terminal=$1; shift; exec \"$@\" >\"$terminal\" 2>&1"
	                          : "terminal=$1; shift; exec \"$@\" 2>\"$terminal\"";
	return workspace_start(RUN_ARGV("sh", "-c", script, "sh", terminal->name, coordinator_path(), "--config",
	                               "run.json", "--set", "training.epochs=80", option),
	        &options);
}

static const char *const colourful[] = {"TERM=xterm", "NO_COLOR", NULL};

/* The lines of the screen up to the cursor's, which must be empty. */
static void expect_screen(const struct terminal *terminal, const char *const lines[], unsigned count)
{
	static struct screen screen;
	terminal_draw(terminal, &screen);
	for (unsigned i = 0; i < count; i++)
		cr_expect(strncmp(screen.text[i], lines[i], strlen(lines[i])) == 0, "line %u: \"%s\", not \"%s\"", i,
		        screen.text[i], lines[i]);
	cr_expect_eq(screen.row, count, "the cursor is in line %u, not %u; above it: %s", screen.row, count,
	        screen.text[screen.row > 0 ? screen.row - 1 : 0]);
	cr_expect_eq(screen.column, 0);
	cr_expect_str_eq(screen.text[screen.row], "");
	cr_expect(screen.plain, "colour is still on, or lines do not wrap");
}

static bool has(const struct terminal *terminal, const char *text)
{
	return strstr(terminal->bytes, text) != NULL;
}

Test(progress, is_a_coloured_bar_on_a_terminal_and_gone_at_the_end)
{
	struct terminal terminal;
	long_run_prepare();
	terminal_open(&terminal);
	struct run *run = start_on(&terminal, false, "--json", colourful);
	terminal_follow(&terminal, run);
	struct run_result result = run_finish(run);
	cr_assert_eq(result.exit_code, 0);
	cr_expect(has(&terminal, "░") && has(&terminal, "█"), "no bar in %s", terminal.bytes);
	cr_expect(
	        has(&terminal, "/80") && has(&terminal, "loss ") && has(&terminal, " epochs/s"), "%s", terminal.bytes);
	cr_expect(has(&terminal, "\033[36m"), "no colour");
	expect_screen(&terminal, (const char *[]){"200000 rows, 3 workers, 80 epochs in ", ""}, 2);
	run_result_release(&result);
	terminal_release(&terminal);
}

Test(progress, does_not_run_into_the_result_on_the_same_terminal)
{
	static const char *const lines[] = {"c9 from 200000 rows of x.npy", "", "  intercept", "  c0 ", "  c1 ",
	        "  c2 ", "  c3 ", "  c4 ", "  c5 ", "  c6 ", "  c7 ", "  c8 ", "", "  RMSE ",
	        "  80 epochs: all epochs are done", "200000 rows, 3 workers, 80 epochs in ", ""};
	struct terminal terminal;
	long_run_prepare();
	terminal_open(&terminal);
	struct run *run = start_on(&terminal, true, "--set=workers=3", colourful);
	terminal_follow(&terminal, run);
	struct run_result result = run_finish(run);
	cr_assert_eq(result.exit_code, 0);
	cr_expect(has(&terminal, "░"), "no bar");
	expect_screen(&terminal, lines, sizeof lines / sizeof lines[0]);
	run_result_release(&result);
	terminal_release(&terminal);
}

Test(progress, is_wiped_away_before_an_error)
{
	struct terminal terminal;
	long_run_prepare();
	terminal_open(&terminal);
	struct run *run = start_on(&terminal, false, "--set=training.epochs=4000000000", colourful);
	cr_assert(terminal_wait_for(&terminal, run, "loss "));
	run_signal(run, SIGINT);
	terminal_follow(&terminal, run);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 130);
	expect_screen(&terminal,
	        (const char *[]){
	                "200000 rows, 3 workers, ", "", "coordinator: interrupted; the result is that of epoch "},
	        3);
	run_result_release(&result);
	terminal_release(&terminal);
}

Test(progress, has_no_colour_with_no_color)
{
	static const char *const environment[] = {"TERM=xterm", "NO_COLOR=1", NULL};
	struct terminal terminal;
	long_run_prepare();
	terminal_open(&terminal);
	struct run *run = start_on(&terminal, false, "--json", environment);
	terminal_follow(&terminal, run);
	struct run_result result = run_finish(run);
	cr_expect(has(&terminal, "░"), "no bar");
	for (const char *at = terminal.bytes; (at = strstr(at, "\033[")) != NULL;) {
		at += 2;
		at += strspn(at, "0123456789;?");
		cr_expect_neq(*at, 'm', "a colour");
	}
	run_result_release(&result);
	terminal_release(&terminal);
}

struct plain_place {
	char term[16]; /* a change of the environment */
	char option[16];
	bool silent;
};

ParameterizedTestParameters(progress, is_not_animated_on_a_dumb_terminal)
{
	static struct plain_place places[] = {
	        {"TERM=dumb", "--json", false},
	        {"TERM", "--json", false},
	        {"TERM=dumb", "--quiet", true},
	        {"TERM=xterm", "--quiet", true},
	};
	return cr_make_param_array(struct plain_place, places, sizeof places / sizeof places[0]);
}

ParameterizedTest(struct plain_place *place, progress, is_not_animated_on_a_dumb_terminal)
{
	struct terminal terminal;
	const char *const environment[] = {place->term, "NO_COLOR", NULL};
	long_run_prepare();
	terminal_open(&terminal);
	struct run *run = start_on(&terminal, false, place->option, environment);
	terminal_follow(&terminal, run);
	struct run_result result = run_finish(run);
	cr_expect_eq(result.exit_code, 0);
	cr_expect_not(has(&terminal, "\033"), "an escape sequence on a terminal with %s", place->term);
	cr_expect_not(has(&terminal, "█") || has(&terminal, "░"), "a bar");
	cr_expect_eq(terminal.length == 0, place->silent, "%s", terminal.bytes);
	for (const char *at = terminal.bytes; (at = strchr(at, '\r')) != NULL; at++)
		cr_expect_eq(at[1], '\n', "a carriage return that ends no line");
	run_result_release(&result);
	terminal_release(&terminal);
}

/* A line now and then, where a machine takes long enough, and two at the end. */
Test(progress, is_not_animated_in_a_file)
{
	struct run_options options = {.environment = colourful};
	char *rest = NULL, *last = NULL, *before = NULL;
	long_run_prepare();
	struct run_result result = workspace_run(TRAINING("--set", "training.epochs=80"), &options);
	cr_expect_eq(result.exit_code, 0);
	cr_expect(strpbrk(result.err, "\033\r") == NULL, "%s", result.err);
	for (char *line = strtok_r(result.err, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
		cr_expect(before == NULL || strncmp(before, "epoch ", 6) == 0, "%s", before);
		before = last;
		last = line;
	}
	cr_assert(before != NULL && last != NULL);
	cr_expect(strncmp(before, "200000 rows, 3 workers, 80 epochs in ", 37) == 0, "%s", before);
	cr_expect(strstr(last, " GB/s, ") != NULL && strstr(last, " epochs/s; the workers computed ") != NULL, "%s",
	        last);
	run_result_release(&result);
}

Test(progress, tells_the_share_of_the_bandwidth_if_asked)
{
	long_run_prepare();
	struct run_result plain = workspace_run(TRAINING("--json", "--set", "training.epochs=5"), NULL);
	struct run_result measured =
	        workspace_run(TRAINING("--json", "--set", "training.epochs=5", "--bandwidth"), NULL);
	cr_expect(plain.exit_code == 0 && measured.exit_code == 0);
	cr_expect_str_eq(measured.out, plain.out);
	cr_expect(strstr(plain.err, "of reading alone") == NULL, "%s", plain.err);
	cr_expect(strstr(measured.err, " GB/s of reading alone, ") != NULL, "%s", measured.err);
	run_result_release(&plain);
	run_result_release(&measured);
}
