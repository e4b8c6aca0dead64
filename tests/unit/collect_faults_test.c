/* What a worker may send that is no answer, and its death. */
#include "coordinator/collect.h"

#include "tests/unit/collect_round.h"
#include "tests/unit/leftovers.h"

#include <criterion/criterion.h>
#include <signal.h>
#include <string.h>

static struct round current;

TestSuite(collect_faults, .init = round_set_up, .timeout = 60);

/* What may be wrong with a frame whose checksum is right. */
enum misconduct {
	OLD_ROUND,
	OTHER_WORKER,
	OTHER_INCARNATION,
	OTHER_KERNEL,
	OTHER_WIDTH,
	LEAF_BEHIND,
	LEAF_BEFORE,
	NODE_TOO_LARGE,
	FAULT_COUNT
};

static void spoil(struct answer *answer, enum misconduct fault)
{
	switch (fault) {
	case OLD_ROUND:
		answer->header.round--;
		break;
	case OTHER_WORKER:
		answer->header.worker = 1;
		break;
	case OTHER_INCARNATION:
		answer->header.incarnation = 1;
		break;
	case OTHER_KERNEL:
		answer->gradient.kernel = KERNEL_CURVATURE;
		break;
	case OTHER_WIDTH:
		answer->gradient.width--;
		break;
	case LEAF_BEHIND:
		answer->nodes[1] = (struct tree_node){0, ROUND_LAST_LEAF};
		break;
	case LEAF_BEFORE:
		answer->nodes[0] = (struct tree_node){0, ROUND_FIRST_LEAF - 1};
		break;
	case NODE_TOO_LARGE:
	case FAULT_COUNT:
		answer->nodes[0] = (struct tree_node){3, 0}; /* leaves 0 to 8 */
		answer->gradient.node_count = 1;
		break;
	}
}

/* Catches the mutations any_incarnation, any_nodes and any_round. */
Test(collect_faults, takes_no_answer_that_does_not_fit_the_question)
{
	static const char payload[] = "a payload that does not fit its type";
	static const char *const details[FAULT_COUNT] = {
	        [OLD_ROUND] = "a frame of round 6, not 7",
	        [OTHER_WORKER] = "a frame of worker 1",
	        [OTHER_INCARNATION] = "a frame of incarnation 1, not 0",
	        [OTHER_KERNEL] = payload,
	        [OTHER_WIDTH] = payload,
	        [LEAF_BEHIND] = payload,
	        [LEAF_BEFORE] = payload,
	        [NODE_TOO_LARGE] = payload,
	};
	for (int fault = 0; fault < FAULT_COUNT; fault++) {
		struct wire_buffer says = {0};
		struct answer answer = answer_right();
		spoil(&answer, (enum misconduct)fault);
		answer_encode(&answer, &says);
		struct happening happening = round_play(&current, &says, FAKE_HANGS, 0, ROUND_LONG_S);
		round_expect_loss(&current, &happening, LOSS_PROTOCOL, details[fault]);
		pool_bury(&current.pool, happening.slot, &happening.loss);
		cr_expect(happening.loss.killed);
		round_finish(&current);
		wire_buffer_release(&says);
	}
}

/* Catches the mutation any_phase. */
Test(collect_faults, takes_only_frames_of_the_phase)
{
	static const char texts[][48] = {"a frame of type READY out of phase", "a frame of type STOP out of phase",
	        "a frame of type PARAMS out of phase"};
	static const double values[ROUND_FEATURES + 1] = {0};
	const struct frame_header header = {.round = ROUND_NUMBER};
	const struct ready ready = {.rows = 1};
	const struct params params = {KERNEL_MEANS, ROUND_FEATURES + 1, values};
	for (int type = 0; type < 3; type++) {
		struct wire_buffer says = {0};
		cr_assert(type == 0   ? wire_encode_ready(&says, &header, &ready)
		          : type == 1 ? wire_encode_stop(&says, &header)
		                      : wire_encode_params(&says, &header, &params));
		struct happening happening = round_play(&current, &says, FAKE_HANGS, 0, ROUND_LONG_S);
		round_expect_loss(&current, &happening, LOSS_PROTOCOL, texts[type]);
		round_finish(&current);
		wire_buffer_release(&says);
	}
}

/* Catches the mutation checksum_unchecked. */
Test(collect_faults, takes_no_bytes_that_are_not_a_frame)
{
	static const struct {
		size_t at; /* the byte that is changed … */
		unsigned char to;
		char detail[48];
	} rows[] = {
	        {0, 'X', "not a frame (wrong magic)"},
	        {4, 9, "another version of the protocol"},
	        {5, 77, "no such type of frame"},
	        {11, 0x7f, "a length beyond the limit"},
	        {28, 0x5a, "the checksum does not match"},
	        {40, 0x5a, "the checksum does not match"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct wire_buffer says = {0};
		struct answer answer = answer_right();
		answer_encode(&answer, &says);
		cr_assert_neq(says.bytes[rows[i].at], rows[i].to);
		says.bytes[rows[i].at] = rows[i].to;
		struct happening happening = round_play(&current, &says, FAKE_HANGS, 0, ROUND_LONG_S);
		round_expect_loss(&current, &happening, LOSS_PROTOCOL, rows[i].detail);
		round_finish(&current);
		wire_buffer_release(&says);
	}
}

Test(collect_faults, sees_a_death_and_the_burial_says_how)
{
	static const struct {
		enum fake_ending ending;
		int number;
	} rows[] = {{FAKE_EXITS, 11}, {FAKE_EXITS, 0}, {FAKE_IS_KILLED, SIGKILL}, {FAKE_IS_KILLED, SIGTERM}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct happening happening = round_play(&current, NULL, rows[i].ending, rows[i].number, ROUND_LONG_S);
		pid_t pid = current.pool.slots[0].process.pid;
		round_expect_loss(&current, &happening, LOSS_DEATH, "");
		pool_bury(&current.pool, happening.slot, &happening.loss);
		int status = happening.loss.status;
		cr_expect(happening.loss.pid == pid && !happening.loss.killed);
		cr_expect(rows[i].ending == FAKE_EXITS ? WIFEXITED(status) && WEXITSTATUS(status) == rows[i].number
		                                       : WIFSIGNALED(status) && WTERMSIG(status) == rows[i].number);
		cr_expect_eq(current.pool.slots[0].state, SLOT_EMPTY);
		cr_expect(no_child_is_left());
		round_finish(&current);
	}
}

Test(collect_faults, says_that_a_worker_died_in_the_middle_of_a_frame)
{
	struct answer answer = answer_right();
	for (size_t cut = 1; cut < 300; cut += 30) {
		struct wire_buffer says = {0};
		answer_encode(&answer, &says);
		says.length = cut < says.length ? cut : says.length - 1;
		struct happening happening = round_play(&current, &says, FAKE_EXITS, 0, ROUND_LONG_S);
		round_expect_loss(&current, &happening, LOSS_DEATH, "in the middle of a frame");
		round_finish(&current);
		wire_buffer_release(&says);
	}
}
