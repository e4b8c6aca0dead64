#include "common/calls.h"

#include "common/clock.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(calls, .timeout = 30);

static struct call taken[8];
static size_t taken_count;

static void take(void *context, const struct call *call)
{
	cr_assert_eq(context, taken);
	taken[taken_count++] = *call;
}

static const struct call_watcher watcher = {take, taken};

Test(calls, are_told_to_nobody_by_default)
{
	calls_begin(CALL_READ, 1, 2);
	calls_set(2, 3);
	calls_end(4);
	cr_expect_eq(taken_count, 0);
}

Test(calls, reach_the_watcher_with_what_was_asked_and_what_came_of_it)
{
	uint64_t before_ns = clock_now_ns();
	calls_watch(watcher, NULL);
	calls_begin(CALL_WAITPID, 77);
	calls_set(1, 9);
	errno = ERANGE;
	calls_end(77);
	cr_expect_eq(errno, ERANGE, "a call that is watched leaves errno as it was");
	calls_begin(CALL_READ, 5, 100);
	errno = EAGAIN;
	calls_end(-1);
	calls_ignore();
	calls_begin(CALL_READ, 5, 100);
	calls_end(0);
	cr_assert_eq(taken_count, 2);
	cr_expect(taken[0].kind == CALL_WAITPID && taken[0].arguments[0] == 77 && taken[0].arguments[1] == 9);
	cr_expect(taken[0].result == 77 && taken[0].error == 0);
	cr_expect(before_ns <= taken[0].began_ns && taken[0].began_ns <= taken[0].ended_ns);
	cr_expect(taken[1].kind == CALL_READ && taken[1].result == -1 && taken[1].error == EAGAIN);
	cr_expect_leq(taken[0].ended_ns, taken[1].began_ns);
}

/* What a child does with its place in the log; it dies in the middle of a call. */
static void run_child(uint32_t place, int count)
{
	pid_t pid = fork();
	if (pid == 0) {
		calls_enter_child(place);
		for (int i = 0; i < count; i++) {
			calls_begin(CALL_WRITE, i);
			calls_end(i);
		}
		calls_begin(CALL_EXIT, 3);
		_exit(3);
	}
	int status;
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status) && WEXITSTATUS(status) == 3);
}

Test(calls, of_a_child_come_in_order_from_its_place)
{
	struct call_log *log = call_log_new(2);
	struct call call;
	cr_assert(log != NULL);
	calls_watch(watcher, log);
	run_child(1, 5);
	cr_expect_not(call_log_take(log, 0, true, &call), "the other place is empty");
	for (int i = 0; i < 5; i++) {
		cr_assert(call_log_take(log, 1, false, &call));
		cr_expect(call.kind == CALL_WRITE && call.arguments[0] == i && call.result == i && call.ended_ns != 0);
	}
	cr_expect_not(call_log_take(log, 1, false, &call), "a call that may still return waits");
	cr_assert(call_log_take(log, 1, true, &call), "and comes once its process is gone");
	cr_expect(call.kind == CALL_EXIT && call.arguments[0] == 3 && call.ended_ns == 0);
	cr_expect_not(call_log_take(log, 1, true, &call));
	cr_expect_eq(call_log_lost(log, 1), 0);
	cr_expect_eq(taken_count, 0, "what a child does is not told as the parent's");
	call_log_free(log);
}

Test(calls, that_find_no_room_are_counted)
{
	enum { MORE_THAN_A_PLACE_HOLDS = 5000 };
	struct call_log *log = call_log_new(1);
	struct call call;
	int count = 0;
	cr_assert(log != NULL);
	calls_watch(watcher, log);
	run_child(0, MORE_THAN_A_PLACE_HOLDS);
	while (call_log_take(log, 0, true, &call))
		cr_expect_eq(call.arguments[0], count++);
	cr_expect_gt(count, 100);
	cr_expect_eq(count + (int)call_log_lost(log, 0), MORE_THAN_A_PLACE_HOLDS + 1);
	call_log_clear(log, 0);
	cr_expect_eq(call_log_lost(log, 0), 0);
	run_child(0, 1);
	cr_assert(call_log_take(log, 0, true, &call));
	cr_expect_eq(call.arguments[0], 0);
	call_log_free(log);
}

Test(calls, of_a_child_are_told_to_nobody_without_a_log)
{
	calls_watch(watcher, NULL);
	run_child(0, 3);
	cr_expect_eq(taken_count, 0);
}
