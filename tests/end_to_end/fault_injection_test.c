/* Every fault, at every place: the result is the one of a run without faults, or there is a clear error. */
#include "tests/end_to_end/fault_run.h"
#include "tests/end_to_end/fault_table.h"
#include "tests/end_to_end/inspection_linux.h"
#include "tests/end_to_end/system_calls.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

/* Frames, kinds of sweeps. */

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

/* Catches the mutation replicas_not_compared. */
Test(fault_injection, a_lie_is_outvoted_by_two_and_told_by_one)
{
	static const char faults[] = "[{\"kind\": \"lie\", \"worker\": 1, \"epoch\": 2}]";
	struct run_result three = fault_run(&(struct fault_run){.faults = faults, .recovery = "\"replicas\": 3"});
	expect_identical(&three, faults);
	cr_expect(fault_has_fired("lie", "compute"));
	run_result_release(&three);
	struct run_result two = fault_run(&(struct fault_run){.faults = faults, .recovery = "\"replicas\": 2"});
	cr_expect_eq(two.exit_code, 4);
	cr_expect_not_null(strstr(two.err, "one of them lies"), "%s", two.err);
	cr_expect_str_empty(two.out);
	run_result_release(&two);
}

/* Under the policy "drop", with three shares: workers 1, 4 and 7 have the same rows. */
struct dropped {
	char faults[200];
	char recovery[64];
	int exit_code; /* 0: the result is identical */
	char message[64];
};

Test(fault_injection, rows_are_dropped_with_their_last_replica_only)
{
	static const struct dropped cases[] = {
	        {"[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 2}]", "\"replicas\": 2", 0,
	                "the rows of worker 1 have 1 of 2 replicas left"},
	        {"[{\"kind\": \"kill\", \"worker\": 4, \"site\": \"load\"}]", "\"replicas\": 2", 0,
	                "the rows of worker 4 have 1 of 2 replicas left"},
	        {"[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 1, \"site\": \"gradient.write\", \"byte\": 9999}]",
	                "\"replicas\": 2", 0, "have 1 of 2 replicas left"},
	        {"[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 1}, {\"kind\": \"kill\", \"worker\": 4, \"epoch\": "
	         "2}]",
	                "\"replicas\": 2", 4, "the result is degraded: 4 rows were lost"},
	        {"[{\"kind\": \"lie\", \"worker\": 7, \"epoch\": 2}]", "\"replicas\": 3", 0,
	                "have 2 of 3 replicas left"},
	        {"[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 1}, {\"kind\": \"lie\", \"worker\": 7, \"epoch\": "
	         "2}]",
	                "\"replicas\": 3", 4, "one of them lies"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char recovery[128];
		snprintf(recovery, sizeof recovery, "\"policy\": \"drop\", %s", cases[i].recovery);
		struct run_result result =
		        fault_run(&(struct fault_run){.faults = cases[i].faults, .recovery = recovery});
		if (cases[i].exit_code == 0)
			expect_identical(&result, cases[i].faults);
		cr_expect_eq(result.exit_code, cases[i].exit_code, "%s", cases[i].faults);
		cr_expect_not_null(strstr(result.err, cases[i].message), "%s:\n%s", cases[i].faults, result.err);
		run_result_release(&result);
	}
}

/*
 * Worker 1 lies, answers a second time, and is replaced for that before worker 4, on the same rows, has answered: only
 * what its replacement says is compared. Catches the mutation replacement_has_answered.
 */
Test(fault_injection, the_answer_of_a_worker_that_is_replaced_is_forgotten)
{
	static const char faults[] = "[{\"kind\": \"lie\", \"worker\": 1, \"epoch\": 2},"
	                             " {\"kind\": \"duplicate\", \"worker\": 1, \"epoch\": 2},"
	                             " {\"kind\": \"slow\", \"worker\": 1, \"incarnation\": 1, \"ms\": 150},"
	                             " {\"kind\": \"slow\", \"worker\": 4, \"epoch\": 2, \"ms\": 100}]";
	struct run_result result = fault_run(&(struct fault_run){.faults = faults, .recovery = "\"replicas\": 2"});
	expect_identical(&result, faults);
	cr_expect(fault_has_fired("lie", "compute"));
	cr_expect(fault_has_fired("duplicate", "gradient.write"));
	run_result_release(&result);
}

/* The coordinator's own. */

struct own_fault {
	char faults[192];
	int exit_code; /* 0: the result is identical */
	char message[48];
};

Test(fault_injection, calls_that_fail_are_tried_again_or_told)
{
	static const struct own_fault cases[] = {
	        {"[{\"kind\": \"fork_fails\"}]", 0, ""},
	        {"[{\"kind\": \"fork_fails\", \"times\": \"any\"}]", 71, "cannot fork a worker: Resource"},
	        {"[{\"kind\": \"no_descriptors\"}]", 0, ""},
	        {"[{\"kind\": \"no_descriptors\", \"times\": \"any\"}]", 71, "cannot make a pipe: Too many"},
	        {"[{\"kind\": \"kill\", \"worker\": 1}, {\"kind\": \"fork_fails\", \"incarnation\": \"any\", "
	         "\"epoch\": 0, "
	         "\"skip\": 3, \"times\": 2}]",
	                0, ""},
	        {"[{\"kind\": \"kill\", \"worker\": 0, \"epoch\": 2}, {\"kind\": \"no_descriptors\", \"incarnation\": "
	         "\"any\", "
	         "\"epoch\": 2, \"times\": 3}]",
	                0, ""},
	        {"[{\"kind\": \"no_space\"}]", 73, "cannot write m.json: No space left"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		const char *faults = cases[i].faults;
		struct run_options options = {.directory = fault_lab()};
		struct run_result plain = fault_run(&(struct fault_run){.faults = faults});
		run_result_release(&plain); /* writes the configuration */
		struct run_result result = run_program(
		        RUN_ARGV(coordinator_path(), "--config", "run.json", "--json", "--set", "output.model=m.json"),
		        &options);
		char *model = path_join(fault_lab(), "m.json");
		char *draft = path_join(fault_lab(), "m.json.forkfit-draft");
		if (cases[i].exit_code == 0)
			expect_identical(&result, faults);
		cr_expect_eq(result.exit_code, cases[i].exit_code, "%s:\n%s", faults, result.err);
		cr_expect_not_null(strstr(result.err, cases[i].message), "%s:\n%s", faults, result.err);
		cr_expect_eq(file_exists(model), cases[i].exit_code == 0, "%s", faults);
		cr_expect_not(file_exists(draft), "%s", faults);
		cr_expect(session_ends(result.pid, 5));
		if (file_exists(model))
			remove(model);
		free(model);
		free(draft);
		run_result_release(&result);
	}
}

/* What the model file holds if the coordinator is killed there: the old text, or the new one. */
struct coordinator_site {
	char site[32];
	bool written;
};

Test(fault_injection, a_coordinator_that_is_killed_leaves_nobody_and_no_half_of_a_file)
{
	static const struct coordinator_site places[] = {
	        {"coordinator.start", false},
	        {"coordinator.fork", false},
	        {"coordinator.epoch", false},
	        {"coordinator.output.draft", false},
	        {"coordinator.output.write", false},
	        {"coordinator.output.rename", false},
	        {"coordinator.output.done", true},
	};
	char *model = path_join(fault_lab(), "m.json"), *draft = path_join(fault_lab(), "m.json.forkfit-draft");
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct run_options options = {.directory = fault_lab()};
		char faults[320];
		snprintf(faults, sizeof faults, "faults=[{\"kind\": \"kill\", \"site\": \"%s\"}]", places[i].site);
		file_write(model, "old");
		struct run_result result = run_program(RUN_ARGV(coordinator_path(), "--config", "run.json", "--json",
		                                               "--set", faults, "--set", "output.model=m.json"),
		        &options);
		cr_expect_eq(result.signal, SIGKILL, "%s:\n%s", faults, result.err);
		cr_expect(session_ends(result.pid, 5), "%s: a worker is left", faults);
		cr_expect_not_null(strstr(result.err, places[i].site), "%s:\n%s", faults, result.err);
		char *text = file_read(model, NULL);
		cr_expect_str_eq(text, places[i].written ? fault_free_result() : "old", "%s", faults);
		cr_expect(!file_exists(draft) || !directory_has_nameless_files(fault_lab()), "%s", faults);
		free(text);
		run_result_release(&result);
		struct run_result next = run_program(
		        RUN_ARGV(coordinator_path(), "--config", "run.json", "--json", "--set", "output.model=m.json"),
		        &options);
		expect_identical(&next, "the next run");
		run_result_release(&next);
	}
	free(draft);
	free(model);
}

/* Where a file has to have a name from the beginning: here because access(2) does not find /proc/self/fd. */
static struct run_result run_without_nameless_files(const char *setting)
{
	static const char *const environment[] = {"LSAN_OPTIONS=detect_leaks=0", NULL};
	struct run_options options = {.directory = fault_lab(), .environment = environment};
	return run_program(RUN_ARGV("strace", "-o", "/dev/null", "--inject=access:error=ENOENT", coordinator_path(),
	                           "--config", "run.json", "--json", "--set", "output.model=m.json", "--set", setting),
	        &options);
}

Test(fault_injection, a_draft_that_needs_a_name_is_taken_over_by_the_next_run)
{
	if (!system_calls_are_visible())
		cr_skip_test("no process can be traced here");
	char *model = path_join(fault_lab(), "m.json"), *draft = path_join(fault_lab(), "m.json.forkfit-draft");
	struct run_result killed =
	        run_without_nameless_files("faults=[{\"kind\": \"kill\", \"site\": \"coordinator.output.write\"}]");
	cr_expect(file_exists(draft) && !file_exists(model));
	struct run_result next = run_without_nameless_files("faults=[]");
	expect_identical(&next, "the next run");
	char *text = file_read(model, NULL);
	cr_expect_str_eq(text, fault_free_result());
	cr_expect_not(file_exists(draft));
	free(text);
	free(draft);
	free(model);
	run_result_release(&killed);
	run_result_release(&next);
}

/* Chaos and evidence. */

/* Kinds behind which a worker does nothing more: with others, how far it comes before it is ended is left to chance. */
#define REPEATABLE                                                                                                \
	"[\"kill\", \"segv\", \"bus\", \"abort\", \"exit\", \"slow\", \"stop\", \"short_writes\", \"truncate\", " \
	"\"flip\","                                                                                               \
	" \"garbage\", \"nan\", \"file_truncated\"]"

static char *sorted_text(json_t *list)
{
	char *lines[512], *text = NULL;
	size_t count = json_array_size(list), length;
	cr_assert(count <= sizeof lines / sizeof *lines);
	for (size_t i = 0; i < count; i++)
		lines[i] = json_dumps(json_array_get(list, i), JSON_SORT_KEYS);
	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (strcmp(lines[j], lines[i]) < 0) {
				char *line = lines[i];
				lines[i] = lines[j];
				lines[j] = line;
			}
	FILE *out = open_memstream(&text, &length);
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%s\n", lines[i]);
		free(lines[i]);
	}
	fclose(out);
	return text;
}

Test(fault_injection, chaos_is_survived_and_what_happened_happens_again)
{
	size_t happened = 0;
	for (unsigned seed = 1; seed <= 12; seed++) {
		char chaos[512];
		snprintf(chaos, sizeof chaos, "\"chaos\": { \"seed\": %u, \"rate\": 0.08, \"kinds\": " REPEATABLE " }",
		        seed);
		struct run_result result = fault_run(&(struct fault_run){.more = chaos});
		expect_identical(&result, chaos);
		run_result_release(&result);
		json_t *fired = faults_fired();
		happened += json_array_size(fired);
		char *once = sorted_text(fired), *faults = json_dumps(fired, 0);
		struct run_result again = fault_run(&(struct fault_run){.faults = faults});
		expect_identical(&again, faults);
		run_result_release(&again);
		json_t *fired_again = faults_fired();
		char *twice = sorted_text(fired_again);
		cr_expect_str_eq(twice, once, "seed %u", seed);
		json_decref(fired);
		json_decref(fired_again);
		free(once);
		free(twice);
		free(faults);
	}
	cr_expect(happened > 50, "only %zu faults", happened);
}

Test(fault_injection, chaos_of_every_kind_ends_well_or_clearly)
{
	static const char kinds[] =
	        "[\"kill\", \"close\", \"duplicate\", \"stale\", \"wrong_worker\", \"oversized\", \"deaf\","
	        " \"spin\", \"garbage\", \"crash_loop\", \"syscall\", \"out_of_memory\"]";
	for (unsigned seed = 1; seed <= 12; seed++) {
		char chaos[512];
		snprintf(
		        chaos, sizeof chaos, "\"chaos\": { \"seed\": %u, \"rate\": 0.08, \"kinds\": %s }", seed, kinds);
		struct run_result result = fault_run(&(struct fault_run){.more = chaos});
		cr_expect(result.exit_code == 0 || result.exit_code == 4, "%s: %d\n%s", chaos, result.exit_code,
		        result.err);
		if (result.exit_code == 0)
			expect_identical(&result, chaos);
		run_result_release(&result);
	}
}

Test(fault_injection, a_probability_of_one_half_strikes_the_same_half_each_time)
{
	static const char faults[] = "[{\"kind\": \"slow\", \"ms\": 1, \"p\": 0.5}]";
	char *lists[2];
	for (size_t i = 0; i < 2; i++) {
		struct run_result result = fault_run(&(struct fault_run){.faults = faults, .workers = 4});
		expect_identical(&result, faults);
		run_result_release(&result);
		json_t *fired = faults_fired();
		cr_expect(json_array_size(fired) > 4, "%zu", json_array_size(fired));
		lists[i] = sorted_text(fired);
		json_decref(fired);
	}
	cr_expect_str_eq(lists[0], lists[1]);
	free(lists[0]);
	free(lists[1]);
}

Test(fault_injection, the_event_log_has_the_fault_before_what_came_of_it)
{
	static const char faults[] = "[{\"kind\": \"kill\", \"worker\": 1, \"epoch\": 2, \"site\": \"gradient.write\","
	                             " \"byte\": 33}]";
	struct run_result result = fault_run(&(struct fault_run){.faults = faults});
	run_result_release(&result);
	char *path = path_join(fault_lab(), "events.jsonl");
	char *log = file_read(path, NULL);
	char *fired = strstr(log, "\"fault_fired\""), *lost = strstr(log, "\"worker_lost\"");
	cr_assert_not_null(fired);
	cr_assert_not_null(lost);
	cr_expect(fired < lost);
	char *start = fired;
	while (start > log && start[-1] != '\n')
		start--;
	*strchr(start, '\n') = '\0';
	json_t *event = json_from_text(start);
	cr_expect_str_eq(json_string_at(event, "kind"), "kill");
	cr_expect_str_eq(json_string_at(event, "site"), "gradient.write");
	cr_expect_eq(json_number_at(event, "worker"), 1);
	cr_expect_eq(json_number_at(event, "epoch"), 2);
	cr_expect_eq(json_number_at(event, "byte"), 33);
	json_decref(event);
	free(log);
	free(path);
}
