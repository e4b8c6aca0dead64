/*
 * What a user sees of the workers, on the screen of a real terminal emulator: tmux, with a server of the test's own. A
 * shell runs the program there, so that it is stopped and continued as by a user.
 */
#include "tests/end_to_end/long_run.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const double patience_s = 20;

static char *screen;

/* One of tmux's commands; its output, to be freed. */
static char *tmux(const char *const arguments[])
{
	const char *argv[24] = {"tmux", "-S", "tmux.socket", "-f", "/dev/null"};
	size_t count = 5;
	struct run_options options = {.environment = (const char *const[]){"TERM=xterm", "TMUX", NULL}};
	while (*arguments != NULL)
		argv[count++] = *arguments++;
	struct run_result result = workspace_run(argv, &options);
	cr_assert_eq(result.exit_code, 0, "tmux: %s", result.err);
	char *out = strdup(result.out);
	run_result_release(&result);
	return out;
}

#define TMUX(...) free(tmux((const char *const[]){__VA_ARGS__, NULL}))

static void look(void)
{
	free(screen);
	screen = tmux((const char *const[]){"capture-pane", "-p", NULL});
}

static bool shows(void *text)
{
	look();
	return strstr(screen, text) != NULL;
}

static bool shows_not(void *text)
{
	return !shows(text);
}

#define EXPECT_SOON(text) cr_assert(wait_until(shows, text, patience_s), "no \"%s\" on\n%s", text, screen)

static void type_keys(const char *keys)
{
	TMUX("send-keys", keys, "Enter");
}

static void open_shell(void)
{
	workspace_open();
	long_run_prepare();
	TMUX("new-session", "-d", "-x", "80", "-y", "24", "env", "-u", "NO_COLOR", "PS1=ready> ", "timeout",
	        "--foreground", "100", "sh", "-m", "-i");
	EXPECT_SOON("ready>");
}

static void close_shell(void)
{
	TMUX("kill-server");
	free(screen);
	workspace_close();
}

TestSuite(panel, .init = open_shell, .fini = close_shell, .timeout = 120);

static void start(const char *options)
{
	char command[600];
	snprintf(command, sizeof command, "clear; exec 2>&1; %s --config run.json --set recovery.policy=respawn %s",
	        coordinator_path(), options);
	type_keys(command);
	EXPECT_SOON("ms/epoch");
	EXPECT_SOON("66,6");
}

/* The row of a worker: the line that begins with its index; static. */
static const char *row(unsigned worker)
{
	static char line[400];
	char begin[16];
	snprintf(begin, sizeof begin, "\n%3u  ", worker);
	look();
	const char *at = strstr(screen, begin);
	cr_assert(at != NULL, "no row %u on\n%s", worker, screen);
	snprintf(line, sizeof line, "%.*s", (int)strcspn(at + 1, "\n"), at + 1);
	return line;
}

static pid_t pid_in_row(unsigned worker)
{
	return (pid_t)atol(row(worker) + 5);
}

static unsigned count(const char *text)
{
	unsigned found = 0;
	for (const char *at = screen; (at = strstr(at, text)) != NULL; at += strlen(text))
		found++;
	return found;
}

static void stop_run(void)
{
	TMUX("send-keys", "C-c");
	EXPECT_SOON("coordinator: interrupted");
}

Test(panel, has_a_row_for_each_worker_and_is_gone_at_the_end)
{
	start("--json >/dev/null");
	for (unsigned worker = 0; worker < LONG_RUN_WORKERS; worker++)
		cr_expect(kill(pid_in_row(worker), 0) == 0, "no process: %s", row(worker));
	cr_expect(strstr(row(1), " training ") != NULL, "%s", row(1));
	stop_run();
	EXPECT_SOON("ready>");
	cr_expect(strstr(screen, "ms/epoch") == NULL && strstr(screen, "░") == NULL, "%s", screen);
}

Test(panel, shows_a_kill_and_the_replacement)
{
	start("--json >/dev/null");
	pid_t first = pid_in_row(1);
	kill(first, SIGKILL);
	EXPECT_SOON("SIGKILL, ");
	EXPECT_SOON("coordinator: worker 1 is replaced by pid ");
	cr_expect_neq(pid_in_row(1), first);
	cr_expect(strstr(row(1), "     1  SIGKILL, ") != NULL, "one restart is not in %s", row(1));
	stop_run();
}

Test(panel, shows_a_stop_while_it_lasts_and_what_the_others_wait_for)
{
	start("--json >/dev/null");
	pid_t pid = pid_in_row(2);
	kill(pid, SIGSTOP);
	EXPECT_SOON("stopped 1.");
	cr_expect(strstr(row(0), " waiting ") != NULL, "%s", row(0));
	kill(pid, SIGCONT);
	cr_expect(wait_until(shows_not, "stopped", patience_s), "%s", screen);
	cr_expect_eq(pid_in_row(2), pid);
	stop_run();
}

Test(panel, follows_the_size_of_the_terminal)
{
	start("--json >/dev/null");
	TMUX("resize-window", "-x", "50", "-y", "24");
	cr_expect(wait_until(shows_not, "restarts", patience_s), "%s", screen);
	TMUX("resize-window", "-x", "100", "-y", "5");
	EXPECT_SOON("and 2 more");
	TMUX("resize-window", "-x", "100", "-y", "30");
	EXPECT_SOON("last loss, back");
	EXPECT_SOON("  2  ");
	cr_expect_eq(count("ms/epoch"), 1, "leftovers on\n%s", screen);
	stop_run();
}

/* A run that has been stopped is called back, and what the shell has shown meanwhile is still there. */
static void use_the_shell_and_come_back(void)
{
	EXPECT_SOON("ready>");
	type_keys("echo one; echo two");
	EXPECT_SOON("one\ntwo\nready>");
	type_keys("fg");
	EXPECT_SOON("one\ntwo\nready> fg");
	stop_run();
	cr_expect(strstr(screen, "one\ntwo\nready> fg") != NULL, "what the shell showed is gone:\n%s", screen);
}

Test(panel, leaves_the_shell_alone_while_it_is_stopped_and_comes_back)
{
	start("--json >/dev/null");
	TMUX("send-keys", "C-z");
	use_the_shell_and_come_back();
}

/* After it has looked whether it was stopped, and before what it paints is written. */
Test(panel, leaves_the_shell_alone_when_it_is_stopped_while_it_paints)
{
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer wants to be loaded before any other library");
	char command[900], *preload = coordinator_preload("stop_shim.so");
	snprintf(command, sizeof command,
	        "clear; exec 2>&1; FORKFIT_STOP_AT=3 %s %s --config run.json --json >/dev/null", preload,
	        coordinator_path());
	free(preload);
	type_keys(command);
	EXPECT_SOON("Stopped");
	use_the_shell_and_come_back();
}

Test(panel, gives_way_to_a_bar_where_it_is_asked_to_or_workers_are_many)
{
	char command[400];
	snprintf(command, sizeof command, "%s --config run.json --json --progress=bar >/dev/null", coordinator_path());
	type_keys(command);
	EXPECT_SOON("░");
	EXPECT_SOON(" epochs/s");
	cr_expect(strstr(screen, "ms/epoch") == NULL, "%s", screen);
	stop_run();
	snprintf(command, sizeof command, "clear; %s --config run.json --json --set workers=17 >/dev/null",
	        coordinator_path());
	type_keys(command);
	EXPECT_SOON("░");
	EXPECT_SOON(" epochs/s");
	cr_expect(strstr(screen, "ms/epoch") == NULL, "%s", screen);
	stop_run();
}
