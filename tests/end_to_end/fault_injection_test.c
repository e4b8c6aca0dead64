/* Every fault, at every place: the result is the one of a run without faults, or there is a clear error. */
#include "tests/end_to_end/fault_run.h"
#include "tests/end_to_end/fault_table.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

TestSuite(fault_injection, .init = fault_lab_enter, .fini = fault_lab_leave, .timeout = 110);

/* Frames of these pass more than once before the first epoch; at these the run is over. */
static bool is_before_epochs(const char *site)
{
	return strcmp(site, "start") == 0 || strcmp(site, "assign.read") == 0 || strcmp(site, "load") == 0 ||
	       strcmp(site, "ready.write") == 0;
}

/* The list with the row's fault, and another behind it if there is one; to be freed. */
static char *describe(const struct fault_row *row, const char *site, const char *second)
{
	bool is_stale = strcmp(row->kind, "stale") == 0, is_last = strcmp(site, "stop.read") == 0;
	bool is_early = is_before_epochs(site) || is_stale || strcmp(row->kind, "crash_loop") == 0;
	/* What is stale needs a frame before it; STOP comes once, and has PARAMS before it. */
	const char *parameter = is_stale && is_last ? "" : row->parameter;
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	cr_assert_not_null(out);
	fprintf(out, "[{\"kind\": \"%s\", \"site\": \"%s\", \"worker\": 1, \"epoch\": %d%s}%s%s]", row->kind, site,
	        is_last    ? 3
	        : is_early ? 0
	                   : 2,
	        parameter, second != NULL ? ", " : "", second != NULL ? second : "");
	cr_assert_eq(fclose(out), 0);
	return text;
}

static void check(const struct fault_row *row, const char *site, bool clean, const char *faults)
{
	struct run_result result = fault_run(&(struct fault_run){.faults = faults, .timeout_s = row->timeout_s});
	if (clean) {
		cr_expect_eq(result.exit_code, row->exit_code, "%s: exit code %d:\n%s", faults, result.exit_code,
		        result.err);
		cr_expect_not_null(strstr(result.err, row->message), "%s:\n%s", faults, result.err);
		cr_expect_str_empty(result.out);
	} else {
		expect_identical(&result, faults);
	}
	cr_expect(fault_has_fired(row->kind, site), "%s has not happened", faults);
	run_result_release(&result);
}

/* `second`: a fault of the replacement, or NULL. */
static void check_all(const char *second)
{
	for (size_t i = 0; i < fault_row_count; i++) {
		const struct fault_row *row = &fault_rows[i];
		for (size_t site = 0; site < WORKER_SITES; site++) {
			char letter = worker_sites[site].letter;
			const char *name = worker_sites[site].name;
			if (strchr(row->sites, letter) == NULL)
				continue;
			/* Waiting for deadlines takes long: in pairs, where the answer would begin will do. */
			if (second != NULL && row->timeout_s > 0 && strcmp(name, "params.read") != 0)
				continue;
			char *faults = describe(row, name, second);
			check(row, name, strchr(row->clean, letter) != NULL, faults);
			free(faults);
		}
	}
}

Test(fault_injection, each_kind_at_each_site_is_survived_or_told)
{
	check_all(NULL);
}

Test(fault_injection, each_is_survived_when_the_replacement_is_lost_as_it_loads)
{
	check_all("{\"kind\": \"kill\", \"worker\": 1, \"incarnation\": 1, \"site\": \"ready.write\", \"byte\": 40}");
}

Test(fault_injection, each_is_survived_when_the_replacement_is_lost_as_it_computes)
{
	check_all("{\"kind\": \"kill\", \"worker\": 1, \"incarnation\": 1, \"site\": \"compute\"}");
}

Test(fault_injection, each_is_survived_when_the_replacement_answers_wrongly)
{
	check_all("{\"kind\": \"flip\", \"worker\": 1, \"incarnation\": 1, \"byte\": 50, \"bit\": 7}");
}

/* What is seen of a fault is what was asked for, and nothing that came of it by accident. */
struct effect {
	char fault[80];
	char seen[48]; /* of the worker's loss; "": it is not lost */
};

Test(fault_injection, each_kind_does_what_it_says)
{
	static const struct effect effects[] = {
	        {"\"kind\": \"kill\"", "was killed by SIGKILL"},
	        {"\"kind\": \"segv\"", "was killed by SIGSEGV"},
	        {"\"kind\": \"bus\"", "was killed by SIGBUS"},
	        {"\"kind\": \"file_truncated\"", "was killed by SIGBUS"},
	        {"\"kind\": \"file_truncated\", \"site\": \"load\"", "was killed by SIGBUS"},
	        {"\"kind\": \"abort\"", "was killed by SIGABRT"},
	        {"\"kind\": \"exit\", \"code\": 7", "exited with status 7"},
	        {"\"kind\": \"stop\", \"ms\": 20", ""},
	        {"\"kind\": \"stop\", \"ms\": 20, \"site\": \"start\"", ""},
	        {"\"kind\": \"stop\"", "did not answer within"},
	        {"\"kind\": \"spin\", \"ms\": 20", ""},
	        {"\"kind\": \"spin\"", "did not answer within"},
	        {"\"kind\": \"slow\", \"ms\": 20", ""},
	        {"\"kind\": \"truncate\"", "did not answer within"},
	        {"\"kind\": \"truncate\", \"ms\": 20, \"code\": 3", "exited with status 3"},
	        {"\"kind\": \"short_writes\"", ""},
	        {"\"kind\": \"deaf\"", "did not answer within"},
	        {"\"kind\": \"deaf\", \"ms\": 20", ""},
	        {"\"kind\": \"close\"", "closed its pipe but lived on"},
	        {"\"kind\": \"garbage\"", "broke the protocol"},
	        {"\"kind\": \"oversized\"", "broke the protocol"},
	        {"\"kind\": \"wrong_worker\"", "broke the protocol"},
	        {"\"kind\": \"nan\"", "sums that are not"},
	};
	for (size_t i = 0; i < sizeof effects / sizeof *effects; i++) {
		char faults[128];
		snprintf(faults, sizeof faults, "[{\"worker\": 1, %s}]", effects[i].fault);
		struct run_result result = fault_run(&(struct fault_run){.faults = faults, .timeout_s = DEADLINE_S});
		expect_identical(&result, faults);
		const char *loss = strstr(result.err, "coordinator: worker 1 (");
		if (effects[i].seen[0] == '\0')
			cr_expect_null(loss, "%s:\n%s", faults, result.err);
		else
			cr_expect(loss != NULL && strstr(loss, effects[i].seen) != NULL, "%s:\n%s", faults, result.err);
		run_result_release(&result);
	}
}

Test(fault_injection, a_worker_may_die_at_every_byte_that_it_writes_or_reads)
{
	static const struct frame_sweep sweeps[] = {
	        {"kill", "assign.read", true, false, 0},
	        {"kill", "ready.write", true, false, 0},
	        {"kill", "params.read", false, false, 0},
	        {"kill", "gradient.write", false, false, 0},
	};
	for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++)
		for (unsigned workers = 1; workers <= 4; workers++)
			sweep_frame(&sweeps[i], workers);
}

Test(fault_injection, every_flipped_bit_is_noticed)
{
	/* A length that has grown shows only at the deadline. */
	static const struct frame_sweep sweeps[] = {
	        {"flip", "assign.read", true, true, DEADLINE_S},
	        {"flip", "ready.write", true, true, DEADLINE_S},
	        {"flip", "params.read", false, true, DEADLINE_S},
	        {"flip", "gradient.write", false, true, DEADLINE_S},
	};
	for (size_t i = 0; i < sizeof sweeps / sizeof *sweeps; i++)
		sweep_frame(&sweeps[i], 4);
}

Test(fault_injection, no_byte_and_no_bit_of_the_last_frame_matters)
{
	size_t length;
	cr_assert(frame_lengths("stop.read", 1, "\"skip\": 0", &length));
	for (unsigned workers = 1; workers <= 4; workers++)
		for (size_t byte = 0; byte <= length; byte++)
			strike_frame(&(struct frame_strike){"kill", "stop.read", .byte = byte}, workers);
	for (size_t bit = 0; bit < 8 * length; bit++)
		strike_frame(&(struct frame_strike){"flip", "stop.read", .byte = bit / 8, .bit = bit % 8}, 3);
}

Test(fault_injection, who_dies_behind_its_answer_is_replaced_before_the_next_question)
{
	static const char faults[] =
	        "[{\"kind\": \"kill\", \"site\": \"gradient.write\", \"byte\": 100000, \"epoch\": 1},"
	        " {\"kind\": \"kill\", \"site\": \"ready.write\", \"byte\": 100000, \"incarnation\": 1},"
	        " {\"kind\": \"kill\", \"site\": \"gradient.write\", \"byte\": 100000, \"incarnation\": 2, \"epoch\": "
	        "3}]";
	for (unsigned workers = 1; workers <= 4; workers++) {
		struct run_result result = fault_run(&(struct fault_run){.faults = faults, .workers = workers});
		expect_identical(&result, faults);
		run_result_release(&result);
	}
}
