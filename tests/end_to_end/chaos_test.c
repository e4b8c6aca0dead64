/* Faults by chance: each is survived or told, told before what came of it, and comes again with its seed. */
#include "tests/end_to_end/fault_run.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(chaos, .init = fault_lab_enter, .fini = fault_lab_leave, .timeout = 110);

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

Test(chaos, chaos_is_survived_and_what_happened_happens_again)
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

Test(chaos, chaos_of_every_kind_ends_well_or_clearly)
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

Test(chaos, a_probability_of_one_half_strikes_the_same_half_each_time)
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

Test(chaos, the_event_log_has_the_fault_before_what_came_of_it)
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
