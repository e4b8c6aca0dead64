#include "coordinator/loss.h"

#include <criterion/criterion.h>
#include <string.h>

TestSuite(loss, .timeout = 10);

/* Statuses as waitpid gives them on Linux. */
enum { KILLED_BY_SIGKILL = 9, EXITED_WITH_11 = 11 << 8 };

static const struct {
	struct loss loss;
	struct range bytes, rows;
	int64_t epoch;
	char text[160];
} losses[] = {
        {{.worker = 1, .cause = LOSS_DEATH, .pid = 13508, .status = KILLED_BY_SIGKILL}, {0, 0}, {666503, 1333007}, 88,
                "worker 1 (pid 13508, rows 666503 to 1333006) was killed by SIGKILL in epoch 88"},
        {{.worker = 0, .cause = LOSS_DEATH, .pid = 7, .status = EXITED_WITH_11}, {0, 0}, {0, 1}, 1,
                "worker 0 (pid 7, rows 0 to 0) exited with status 11 (its pipe failed) in epoch 1"},
        {{.worker = 2,
                 .cause = LOSS_DEATH,
                 .pid = 7,
                 .detail = "in the middle of a frame",
                 .status = KILLED_BY_SIGKILL},
                {100, 200}, {0, 0}, 0,
                "worker 2 (pid 7, bytes 100 to 199) was killed by SIGKILL in the middle of a frame before the first "
                "epoch"},
        {{.worker = 2, .cause = LOSS_DEATH, .pid = 7, .killed = true, .status = KILLED_BY_SIGKILL}, {0, 0}, {5, 5}, 0,
                "worker 2 (pid 7, no rows) closed its pipe but lived on, and was ended with SIGKILL before the first "
                "epoch"},
        {{.worker = 3, .cause = LOSS_PROTOCOL, .pid = 7, .detail = "the checksum does not match", .killed = true},
                {100, 200}, {10, 20}, 4,
                "worker 3 (pid 7, rows 10 to 19) broke the protocol (the checksum does not match) and was ended with "
                "SIGKILL in epoch 4"},
        {{.worker = 3, .cause = LOSS_DEADLINE, .pid = 7, .detail = "30.001 s", .killed = true}, {0, 0}, {10, 20}, 4,
                "worker 3 (pid 7, rows 10 to 19) did not answer within 30.001 s and was ended with SIGKILL in epoch 4"},
        {{.worker = 3, .cause = LOSS_GAVE_UP, .pid = 7, .error = {.text = "cannot map the chunk"}}, {0, 0}, {10, 20}, 0,
                "worker 3 (pid 7, rows 10 to 19) gave up: cannot map the chunk before the first epoch"},
        {{.worker = 3, .cause = LOSS_GAVE_UP, .pid = 7, .error = {.text = "cannot map the chunk"}}, {0, 0}, {10, 20},
                -1, "worker 3 (pid 7, rows 10 to 19) gave up: cannot map the chunk"},
};

Test(loss, is_told_in_one_sentence)
{
	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
		char text[256];
		loss_describe(&losses[i].loss, losses[i].bytes, losses[i].rows, losses[i].epoch, text, sizeof text);
		cr_expect_str_eq(text, losses[i].text);
	}
}

Test(loss, is_told_as_far_as_there_is_room)
{
	char text[16], around[32];
	memset(around, 'x', sizeof around);
	loss_describe(&losses[0].loss, losses[0].bytes, losses[0].rows, 88, text, sizeof text);
	cr_expect_str_eq(text, "worker 1 (pid 1");
	loss_describe(&losses[0].loss, losses[0].bytes, losses[0].rows, 88, around, 16);
	cr_expect_eq(around[16], 'x');
}

Test(loss, has_a_cause_by_name)
{
	cr_expect_str_eq(loss_cause_name(LOSS_DEATH), "death");
	cr_expect_str_eq(loss_cause_name(LOSS_PROTOCOL), "protocol");
	cr_expect_str_eq(loss_cause_name(LOSS_DEADLINE), "deadline");
	cr_expect_str_eq(loss_cause_name(LOSS_GAVE_UP), "error");
}
