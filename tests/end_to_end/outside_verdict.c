#include "tests/end_to_end/outside_verdict.h"

#include "tests/end_to_end/plausible_errors_linux.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* README: workers lost, input missing, the operating system failed, output cannot be written. */
static const int clean_codes[] = {4, 66, 71, 73};

/* Which run it was: for the messages. */
static const char *describe(const struct outside_ending *ending)
{
	static char text[512];
	const struct outside_run *run = ending->run;
	const struct outside_strike *strike = &run->strike;
	const struct plausible_errors *call = plausible_errors_of(ending->report.struck_call);
	char end[32] = "", what[96];
	if (strike->times != 1)
		snprintf(end, sizeof end, strike->times == 0 ? " and all behind" : " and the next %u",
		        strike->times - 1);
	if (strike->means == OUTSIDE_ALLOCATION)
		snprintf(what, sizeof what, "allocation %u%s fails", strike->from, end);
	else
		snprintf(what, sizeof what, "call %u%s (of %s) %s %s", strike->from, end,
		        strike->call < 0 ? "all" : "its kind", strike->failure == 0 ? "brings SIGKILL" : "fails with",
		        strike->failure == 0 ? "" : strerror(strike->failure));
	snprintf(text, sizeof text,
	        "command %d, %s, %u workers, process %u: %s; %s(%ld) was the last: exit code %d, signal %d\n%.300s",
	        run->command, run->format == OUTSIDE_CSV ? "csv" : "npy", run->workers, strike->process, what,
	        call != NULL ? call->name : "", ending->report.struck_descriptor, ending->result->exit_code,
	        ending->result->signal, ending->result->err);
	return text;
}

/* The text of a file that the run may have written, to be freed; NULL: it has not. */
static char *text_of(const struct outside_ending *ending, const char *name)
{
	char *path = path_join(ending->directory, name);
	char *text = file_exists(path) ? file_read(path, NULL) : NULL;
	free(path);
	return text;
}

static bool trains(const struct outside_ending *ending)
{
	return ending->run->command == OUTSIDE_TRAIN || ending->run->command == OUTSIDE_RESUME;
}

/* The message is lost only with the call that writes it; not even then is it a half. */
static bool message_is_lost(const struct outside_ending *ending)
{
	const struct plausible_errors *call = plausible_errors_of(ending->report.struck_call);
	return call != NULL && strcmp(call->name, "write") == 0 && ending->report.struck_descriptor == STDERR_FILENO;
}

static bool draft_cannot_be_removed(const struct outside_ending *ending)
{
	const struct plausible_errors *call = plausible_errors_of(ending->report.struck_call);
	return call != NULL && strcmp(call->name, "unlink") == 0;
}

static bool is_one_line(const char *text)
{
	const char *newline = strchr(text, '\n');
	return strncmp(text, "coordinator: ", strlen("coordinator: ")) == 0 && newline != NULL && newline[1] == '\0';
}

/* The log of a run that went well: every line is whole. */
static void expect_whole_log(const struct outside_ending *ending)
{
	char *text = text_of(ending, "events.jsonl"), *rest = NULL, last[32] = "";
	cr_expect(text != NULL, "%s: no event log", describe(ending));
	for (char *line = text != NULL ? strtok_r(text, "\n", &rest) : NULL; line != NULL;
	        line = strtok_r(NULL, "\n", &rest)) {
		json_t *event = json_loads(line, 0, NULL);
		const char *name = json_string_value(json_object_get(event, "event"));
		cr_expect(name != NULL && json_is_number(json_object_get(event, "t")) &&
		                  json_is_integer(json_object_get(event, "epoch")),
		        "%s: in the event log: %s", describe(ending), line);
		snprintf(last, sizeof last, "%s", name != NULL ? name : "");
		json_decref(event);
	}
	cr_expect_str_eq(last, "run_ended", "%s: the event log ends early", describe(ending));
	free(text);
}

static void expect_identical_bytes(const struct outside_ending *ending)
{
	char *model = text_of(ending, "model.json");
	cr_expect_str_eq(ending->result->out, ending->reference, "%s: another result", describe(ending));
	if (trains(ending)) {
		cr_expect(model != NULL && strcmp(model, ending->reference) == 0, "%s: another model file",
		        describe(ending));
		expect_whole_log(ending);
	}
	free(model);
}

static void expect_clean_error(const struct outside_ending *ending)
{
	bool documented = false;
	for (size_t i = 0; i < sizeof clean_codes / sizeof *clean_codes; i++)
		documented = documented || ending->result->exit_code == clean_codes[i];
	cr_expect(documented, "%s: no exit status of a clean error", describe(ending));
	cr_expect(is_one_line(ending->result->err) || (message_is_lost(ending) && ending->result->err[0] == '\0'),
	        "%s: not one line of a message", describe(ending));
	char *model = text_of(ending, "model.json");
	/* What a campaign prints is the table of the runs so far. */
	cr_expect(ending->run->command == OUTSIDE_CAMPAIGN || ending->result->out[0] == '\0' ||
	                  strcmp(ending->result->out, ending->reference) == 0,
	        "%s: a part of a result:\n%s", describe(ending), ending->result->out);
	cr_expect(model == NULL || strcmp(model, ending->reference) == 0, "%s: another model file", describe(ending));
	free(model);
}

/* Nothing but what a run is asked to write. */
static void expect_no_other_file(const struct outside_ending *ending)
{
	static const char known[] = " . .. d.csv d.npy run.json report model.json state state.previous events.jsonl ";
	DIR *directory = opendir(ending->directory);
	cr_assert(directory != NULL);
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		char name[300];
		snprintf(name, sizeof name, " %s ", entry->d_name);
		cr_expect(strstr(known, name) != NULL || draft_cannot_be_removed(ending), "%s:%sis left",
		        describe(ending), name);
	}
	closedir(directory);
}

void outside_judge(const struct outside_ending *ending, enum outside_verdict verdict)
{
	const struct run_result *result = ending->result;
	cr_expect_not(result->timed_out, "%s: it hangs", describe(ending));
	cr_expect(session_ends(result->pid, 1), "%s: somebody is left", describe(ending));
	cr_expect_eq(ending->report.left, 0, "%s: %lu processes are left", describe(ending), ending->report.left);
	if (verdict == OUTSIDE_KILLED) {
		cr_expect_eq(result->signal, SIGKILL, "%s: it lives", describe(ending));
		cr_expect(ending->report.end_s <= OUTSIDE_FOLLOW_S, "%s: a worker follows only after %g s",
		        describe(ending), ending->report.end_s);
		return;
	}
	cr_expect_eq(ending->report.unattended, 0, "%s: %lu processes were not waited for", describe(ending),
	        ending->report.unattended);
	expect_no_other_file(ending);
	if (verdict == OUTSIDE_IDENTICAL || result->exit_code == 0) {
		cr_expect_eq(result->exit_code, 0, "%s: it fails", describe(ending));
		cr_expect_str_empty(result->err, "%s: it goes well and complains", describe(ending));
		expect_identical_bytes(ending);
	} else {
		expect_clean_error(ending);
	}
}
