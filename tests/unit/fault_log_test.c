#include "common/fault_log.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(fault_log, .timeout = 30);

static struct fault numbered(uint32_t number)
{
	struct fault fault = fault_default(FAULT_SLOW);
	fault.ms = number;
	return fault;
}

Test(fault_log, gives_out_in_order_what_was_put_in)
{
	struct fault_log *log = fault_log_new();
	struct fault_record record;
	uint32_t taken = 0;
	cr_assert_not_null(log);
	cr_expect_not(fault_log_take(log, &taken, false, &record));
	for (uint32_t i = 0; i < 3; i++) {
		struct fault fault = numbered(i);
		fault_log_put(log, &fault, 100 + (int32_t)i);
	}
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert(fault_log_take(log, &taken, false, &record));
		cr_expect_eq(record.fault.ms, i);
		cr_expect_eq(record.pid, 100 + (int32_t)i);
	}
	cr_expect_not(fault_log_take(log, &taken, false, &record));
	fault_log_free(log);
}

Test(fault_log, keeps_the_last_words_of_a_process_that_was_killed)
{
	struct fault_log *log = fault_log_new();
	struct fault_record record;
	uint32_t taken = 0;
	int status;
	cr_assert_not_null(log);
	pid_t pid = fork();
	if (pid == 0) {
		struct fault fault = numbered(7);
		fault_log_put(log, &fault, (int32_t)getpid());
		raise(SIGKILL);
		_exit(0);
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_expect(WIFSIGNALED(status));
	cr_assert(fault_log_take(log, &taken, false, &record));
	cr_expect_eq(record.fault.ms, 7);
	cr_expect_eq(record.pid, (int32_t)pid);
	fault_log_free(log);
}

Test(fault_log, forgets_the_oldest_where_nobody_takes_them)
{
	enum { PUT = 100000 };
	struct fault_log *log = fault_log_new();
	struct fault_record record;
	uint32_t taken = 0, count = 0, last = 0;
	cr_assert_not_null(log);
	for (uint32_t i = 0; i < PUT; i++) {
		struct fault fault = numbered(i);
		fault_log_put(log, &fault, 1);
	}
	while (fault_log_take(log, &taken, true, &record)) {
		cr_assert(count == 0 || record.fault.ms == last + 1);
		last = record.fault.ms;
		count++;
	}
	cr_expect_eq(last, PUT - 1);
	cr_expect(count > 1000 && count < PUT, "%u", count);
	fault_log_free(log);
}
