/* The protocol as strace shows it: one system call for each frame and side, and nothing else in an epoch. */
#include "tests/end_to_end/datasets.h"
#include "tests/end_to_end/inspection_linux.h"
#include "tests/end_to_end/system_calls.h"
#include "tests/end_to_end/workspace.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

enum { WORKERS = 2, EPOCHS = 40, PROCESSES_MAX = 8 };

/* Frames, from common/PROTOCOL.md. */
enum { ASSIGN = 1, PARAMS = 2, STOP = 3, READY = 4, GRADIENT = 5 };

TestSuite(protocol, .init = workspace_open, .fini = workspace_close, .timeout = 120);

/* Runs the program under strace. Its search for leaks, in a build that has one, would not work there. */
static size_t run_traced(const char *const argv[], struct trace *traces)
{
	static const char *const environment[] = {"LSAN_OPTIONS=detect_leaks=0", "ASAN_OPTIONS=detect_leaks=0", NULL};
	struct run_options options = {.environment = environment};
	if (!system_calls_are_visible())
		cr_skip_test("no process can be traced here");
	struct run_result result = workspace_run(system_calls_traced(argv), &options);
	cr_assert_eq(result.exit_code, 0, "%s", result.err);
	run_result_release(&result);
	return system_calls_read(traces, PROCESSES_MAX);
}

static size_t trace_training(struct trace *traces)
{
	struct table table = table_new(200, 3, 0.5, 1);
	table_write_npy(&table, workspace_path("x.npy"), (struct npy_style){0});
	table_release(&table);
	workspace_configure("{\"dataset\": {\"path\": \"x.npy\"}, \"workers\": %d, \"training\": {\"epochs\": %d, "
	                    "\"tolerance\": 0}}",
	        WORKERS, EPOCHS);
	size_t count = run_traced(TRAINING("--quiet", "--json"), traces);
	cr_assert_eq(count, 1 + WORKERS);
	return count;
}

static bool is_on(const struct call *call, const char *name, long descriptor)
{
	return strcmp(call->name, name) == 0 && call->first == descriptor;
}

/* Every read and write of a worker's pipes is one whole frame: questions and answers in turn, STOP last. */
static void expect_one_call_for_a_frame(const struct trace *worker)
{
	size_t questions = 0, answers = 0;
	unsigned last = 0;
	for (size_t i = 0; i < worker->count; i++) {
		const struct call *call = &worker->calls[i];
		bool question = is_on(call, "read", 0);
		if (!question && !is_on(call, "write", 1))
			continue;
		cr_assert(call_moves_frame(call), "call %zu moves no frame's start", i);
		cr_expect(call->result == frame_length(call), "call %zu moves %ld bytes of a frame of %ld", i,
		        call->result, frame_length(call));
		cr_expect(question == (questions == answers), "call %zu is out of turn", i);
		last = frame_type(call);
		questions += question;
		answers += !question;
	}
	cr_expect_eq(questions, answers + 1);
	cr_expect_eq(last, STOP);
	/* Two assignments, two rounds of statistics, the trace, one direction at least, the epochs, and the metrics. */
	cr_expect(answers >= 2 + 2 + 1 + 1 + EPOCHS + 1, "only %zu answers", answers);
}

static size_t count_frames(const struct trace *trace, const char *name)
{
	size_t count = 0;
	for (size_t i = 0; i < trace->count; i++)
		count += strcmp(trace->calls[i].name, name) == 0 && call_moves_frame(&trace->calls[i]);
	return count;
}

/* Calls of the name on the worker's pipes, which have the descriptors above standard error in the coordinator. */
static void expect_whole_frames(const struct trace *coordinator, const char *name)
{
	for (size_t i = 0; i < coordinator->count; i++) {
		const struct call *call = &coordinator->calls[i];
		if (strcmp(call->name, name) == 0 && call_moves_frame(call))
			cr_expect(call->result == frame_length(call), "%s of %ld bytes of a frame of %ld", name,
			        call->result, frame_length(call));
	}
}

Test(protocol, takes_one_write_and_one_read_for_a_frame)
{
	struct trace traces[PROCESSES_MAX];
	size_t count = trace_training(traces);
	size_t down = 0, up = 0;
	for (size_t i = 1; i < count; i++) {
		expect_one_call_for_a_frame(&traces[i]);
		down += count_frames(&traces[i], "read");
		up += count_frames(&traces[i], "write");
	}
	expect_whole_frames(&traces[0], "write");
	expect_whole_frames(&traces[0], "read");
	cr_expect_eq(count_frames(&traces[0], "write"), down,
	        "the coordinator writes %zu frames, of which %zu are read", count_frames(&traces[0], "write"), down);
	cr_expect_eq(count_frames(&traces[0], "read"), up, "the coordinator reads %zu frames, of %zu that are written",
	        count_frames(&traces[0], "read"), up);
	system_calls_release(traces, count);
}

/* The calls from the first frame of the third epoch to the last epoch's last PARAMS. */
static void find_epochs(const struct trace *trace, size_t *begin, size_t *end)
{
	*begin = trace->count;
	*end = 0;
	for (size_t i = 0; i < trace->count; i++) {
		const struct call *call = &trace->calls[i];
		if (!call_moves_frame(call) || frame_type(call) != PARAMS)
			continue;
		if (frame_epoch(call) >= 3 && *begin == trace->count)
			*begin = i;
		if (frame_epoch(call) == EPOCHS)
			*end = i;
	}
	cr_assert(*begin < *end, "no epochs in a trace of %zu calls", trace->count);
}

static bool is_among(const char *name, const char *const names[], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

Test(protocol, needs_no_other_call_in_an_epoch_and_no_memory)
{
	/* Besides, a kernel without the page for it sees the clock being read. */
	static const char *const allowed[] = {"read", "write", "poll", "clock_gettime"};
	struct trace traces[PROCESSES_MAX];
	if (HARNESS_SANITIZED)
		cr_skip_test("a sanitizer makes calls of its own");
	/* Nobody waits awake there (common/busy_wait.h), which takes further calls. */
	cr_assert(confine_to_one_cpu());
	size_t count = trace_training(traces);
	for (size_t process = 0; process < count; process++) {
		size_t begin, end;
		find_epochs(&traces[process], &begin, &end);
		for (size_t i = begin; i < end; i++) {
			const char *name = traces[process].calls[i].name;
			cr_expect(is_among(name, allowed, sizeof allowed / sizeof allowed[0]),
			        "%s calls %s in an epoch", process == 0 ? "the coordinator" : "a worker", name);
		}
	}
	system_calls_release(traces, count);
}

struct idea {
	const char *names[4]; /* how it can show, on one kernel or the other */
};

Test(protocol, shows_the_ideas_of_an_operating_system_in_the_textbook_run)
{
	static const struct idea ideas[] = {
	        {{"fork", "vfork", "clone", "clone3"}},
	        {{"pipe", "pipe2"}},
	        {{"mmap"}},
	        {{"poll", "ppoll"}},
	        {{"wait4", "waitid"}},
	        {{"rt_sigaction"}},
	        {{"write"}},
	        {{"read"}},
	};
	struct trace traces[PROCESSES_MAX];
	char *config = path_absolute("configs/textbook.json");
	size_t count = run_traced(
	        RUN_ARGV(coordinator_path(), "--config", config, "--set", "training.epochs=3", "--set", "workers=3"),
	        traces);
	cr_expect_eq(count, 1 + 3, "%zu processes", count);
	for (size_t i = 0; i < sizeof ideas / sizeof ideas[0]; i++) {
		bool seen = false;
		for (size_t j = 0; j < traces[0].count; j++)
			for (size_t k = 0; k < 4 && ideas[i].names[k] != NULL; k++)
				seen = seen || strcmp(traces[0].calls[j].name, ideas[i].names[k]) == 0;
		cr_expect(seen, "no %s", ideas[i].names[0]);
	}
	system_calls_release(traces, count);
	free(config);
}

Test(protocol, reaps_each_worker_once)
{
	struct trace traces[PROCESSES_MAX];
	size_t count = trace_training(traces);
	size_t reaped = 0;
	for (size_t i = 0; i < traces[0].count; i++) {
		const struct call *call = &traces[0].calls[i];
		if (strcmp(call->name, "wait4") != 0)
			continue;
		cr_expect(call->first > 0, "wait4 for any child");
		cr_expect(call->result == 0 || call->result == call->first, "wait4(%ld) = %ld", call->first,
		        call->result);
		reaped += call->result > 0;
	}
	cr_expect_eq(reaped, WORKERS);
	system_calls_release(traces, count);
}
