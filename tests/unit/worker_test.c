#include "worker/worker.h"

#include "tests/unit/worker_rows.h"

#include <criterion/criterion.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(worker, .init = worker_rows_begin, .fini = worker_rows_end, .timeout = 60);

Test(worker, loads_sums_and_leaves)
{
	double sums[COLUMNS + 2];
	cr_assert_eq(file.leaf_count, ROWS);
	load();
	cr_expect(answer.ready.rows == ROWS && answer.ready.skipped == 0 && !answer.ready.starts_doubted);
	cr_assert_eq(answer.ready.first_row_count, COLUMNS);
	cr_expect_arr_eq(answer.ready.first_row, file.table, COLUMNS * sizeof(double));
	for (uint32_t round = 2; round < 5; round++) {
		worker_child_ask(&child, KERNEL_GRADIENT, parameters, round);
		worker_child_receive(&child, FRAME_GRADIENT, &answer);
		sum_rows(parameters, sums);
		expect_sums(sums, COLUMNS + 2);
	}
	worker_child_send_sample(&child, FRAME_STOP);
	expect_end();
}

Test(worker, answers_with_the_header_of_the_question)
{
	for (int i = 0; i < 2; i++) {
		uint32_t round = i == 0 ? 7 : 0x01020304;
		worker_child_assign(&child, &assignment, round);
		worker_child_receive(&child, FRAME_READY, &answer);
		cr_expect(answer.header.worker == 3 && answer.header.incarnation == 2 &&
		          answer.header.epoch == 10 * round && answer.header.round == round);
		worker_child_ask(&child, KERNEL_METRICS, parameters, round + 1);
		worker_child_receive(&child, FRAME_GRADIENT, &answer);
		cr_expect(answer.header.worker == 3 && answer.header.incarnation == 2 &&
		          answer.header.epoch == 10 * (round + 1) && answer.header.round == round + 1);
		cr_expect_eq(answer.gradient.kernel, KERNEL_METRICS);
	}
}

Test(worker, sends_the_maximal_nodes_of_its_run)
{
	static const struct tree_node nodes[] = {{0, 33}, {1, 17}, {2, 9}, {3, 5}, {4, 3}, {1, 32}};
	double sums[COLUMNS + 2];
	assignment.leaves = (struct range){33, 66};
	load();
	cr_expect_eq(answer.ready.rows, 33);
	worker_child_ask(&child, KERNEL_GRADIENT, parameters, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	cr_assert_eq(answer.gradient.node_count, sizeof nodes / sizeof *nodes);
	cr_expect_arr_eq(answer.gradient.nodes, nodes, sizeof nodes);
	sum_rows(parameters, sums);
	expect_sums(sums, COLUMNS + 2);
}

Test(worker, has_an_answer_without_rows)
{
	assignment.leaves = (struct range){5, 5};
	load();
	cr_expect(answer.ready.rows == 0 && answer.ready.first_row_count == 0);
	worker_child_ask(&child, KERNEL_MEANS, parameters, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	cr_expect(answer.gradient.node_count == 0 && answer.gradient.width == COLUMNS + 1);
}

Test(worker, takes_several_frames_that_come_at_once)
{
	worker_child_assign(&child, &assignment, 1);
	worker_child_ask(&child, KERNEL_MEANS, parameters, 2);
	worker_child_ask(&child, KERNEL_MOMENTS, parameters, 3);
	worker_child_send_sample(&child, FRAME_STOP);
	worker_child_receive(&child, FRAME_READY, &answer);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	cr_expect_eq(answer.gradient.kernel, KERNEL_MEANS);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	cr_expect_eq(answer.gradient.kernel, KERNEL_MOMENTS);
	expect_end();
}

Test(worker, gives_up_at_a_frame_that_is_not_legal_before_an_assignment)
{
	static const enum frame_type types[] = {
	        FRAME_PARAMS, FRAME_READY, FRAME_GRADIENT, FRAME_ERROR, FRAME_PREDICT, FRAME_PREDICTIONS};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		char text[80];
		snprintf(text, sizeof text, "a frame of type %s is not legal here", frame_type_name(types[i]));
		worker_child_send_sample(&child, types[i]);
		expect_error(STAGE_PROTOCOL, text);
		worker_child_end(&child);
		worker_child_start(&child, 0);
	}
}

Test(worker, gives_up_at_a_frame_that_is_not_legal_after_an_assignment)
{
	static const enum frame_type types[] = {FRAME_READY, FRAME_GRADIENT, FRAME_ERROR, FRAME_PREDICTIONS};
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		char text[80];
		snprintf(text, sizeof text, "a frame of type %s is not legal here", frame_type_name(types[i]));
		load();
		worker_child_send_sample(&child, types[i]);
		expect_error(STAGE_PROTOCOL, text);
		worker_child_end(&child);
		worker_child_start(&child, 0);
	}
}

Test(worker, does_not_sum_a_chunk_whose_load_was_given_up)
{
	struct dataset_file csv;
	dataset_file_init_csv(&csv, "a.csv", ROWS, COLUMNS - 1, CSV_QUOTED, 0);
	assignment = dataset_file_assign(&csv, 1, 0);
	assignment.quotes = false;
	load();
	cr_expect(answer.ready.starts_doubted);
	worker_child_ask(&child, KERNEL_MEANS, parameters, 2);
	expect_error(STAGE_PROTOCOL, "a frame of type PARAMS is not legal here");
	dataset_file_release(&csv);
}

Test(worker, loads_again_once_the_true_record_starts_are_known)
{
	struct dataset_file csv;
	dataset_file_init_csv(&csv, "a.csv", ROWS, COLUMNS - 1, CSV_QUOTED, 0);
	assignment = dataset_file_assign(&csv, 1, 0);
	assignment.quotes = false;
	load();
	cr_expect(answer.ready.starts_doubted && answer.ready.first_row_count == 0);
	assignment.quotes = true;
	load();
	cr_expect(!answer.ready.starts_doubted && answer.ready.rows == ROWS);
	cr_expect_arr_eq(answer.ready.first_row, csv.table, COLUMNS * sizeof(double));
	dataset_file_release(&csv);
}

Test(worker, gives_up_at_an_assignment_that_does_not_make_sense)
{
	assignment.leaves.end = file.leaf_count + 1;
	worker_child_assign(&child, &assignment, 1);
	expect_error(STAGE_PROTOCOL, "an ASSIGN frame that does not make sense");
}

Test(worker, gives_up_at_parameters_that_do_not_make_sense)
{
	load();
	child.features++;
	worker_child_ask(&child, KERNEL_GRADIENT, (double[COLUMNS + 1]){0}, 2);
	child.features--;
	expect_error(STAGE_PROTOCOL, "a PARAMS frame that does not make sense");
}

Test(worker, gives_up_at_garbage)
{
	worker_child_write(&child, "GET / HTTP/1.1\r\n", 16);
	expect_error(STAGE_PROTOCOL, "not a frame (wrong magic)");
}

Test(worker, gives_up_at_a_frame_that_was_damaged)
{
	struct wire_buffer frame = {0};
	struct frame_header header = {.worker = 3};
	load();
	cr_assert(wire_encode_stop(&frame, &header));
	frame.bytes[12] ^= 1;
	worker_child_write(&child, frame.bytes, frame.length);
	wire_buffer_release(&frame);
	expect_error(STAGE_PROTOCOL, "the checksum does not match");
}

Test(worker, gives_up_at_a_length_beyond_the_limit_without_waiting_for_more)
{
	static const unsigned char header[WIRE_HEADER_BYTES] = {
	        'F', 'K', 'F', 'T', WIRE_VERSION, FRAME_ASSIGN, 0, 0, 0, 0, 0, 0x7F};
	worker_child_write(&child, header, sizeof header);
	expect_error(STAGE_PROTOCOL, "a length beyond the limit");
}

Test(worker, leaves_at_once_if_told_so)
{
	worker_child_send_sample(&child, FRAME_STOP);
	expect_end();
}

Test(worker, leaves_at_the_end_of_file_wherever_it_comes)
{
	enum { BEFORE_ALL, AFTER_READY, IN_A_FRAME, CASES };
	for (int when = BEFORE_ALL; when < CASES; when++) {
		if (when != BEFORE_ALL)
			load();
		if (when == IN_A_FRAME)
			worker_child_write(&child, "FKFT\1", 5);
		close(child.down);
		child.down = -1;
		expect_end();
		worker_child_end(&child);
		worker_child_start(&child, 0);
	}
}

Test(worker, leaves_when_nobody_reads_its_answer)
{
	close(child.up);
	child.up = -1;
	worker_child_assign(&child, &assignment, 1);
	cr_expect_eq(worker_child_wait(&child), WORKER_LEFT);
}

Test(worker, speaks_in_frames_longer_than_a_pipe)
{
	enum { FEATURES = 20000, WIDE_ROWS = 5 };
	struct dataset_file wide;
	dataset_file_init_npy(&wide, "wide.npy", WIDE_ROWS, FEATURES, ELEMENT_F8, false);
	assignment = dataset_file_assign(&wide, 1, 0);
	load();
	cr_assert_eq(answer.ready.first_row_count, FEATURES + 1);
	cr_expect_arr_eq(answer.ready.first_row, wide.table, (FEATURES + 1) * sizeof(double));
	worker_child_ask(&child, KERNEL_MEANS, wide.centre, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	double expected[FEATURES + 2] = {0};
	for (size_t i = 0; i < WIDE_ROWS * (FEATURES + 1); i++)
		expected[i % (FEATURES + 1)] += wide.table[i];
	expected[FEATURES + 1] = WIDE_ROWS;
	expect_sums(expected, FEATURES + 2);
	dataset_file_release(&wide);
}

/* Catches the mutation sibling_descriptors. */
Test(worker, closes_every_descriptor_that_is_not_its_own)
{
	int other[2];
	char byte;
	worker_child_end(&child);
	cr_assert_eq(pipe(other), 0);
	worker_child_start(&child, 0);
	load(); /* it has begun, then */
	close(other[1]);
	struct pollfd entry = {.fd = other[0], .events = POLLIN};
	cr_assert_eq(poll(&entry, 1, 10000), 1);   /* or read() would wait for ever */
	cr_expect_eq(read(other[0], &byte, 1), 0); /* no other process keeps the pipe open */
	close(other[0]);
}

/* Catches the mutation parent_not_compared. */
Test(worker, leaves_when_its_parent_is_not_the_coordinator)
{
	worker_child_end(&child);
	worker_child_start(&child, getppid());
	expect_end();
}

/* Catches the mutation death_not_inherited. */
Test(worker, ends_with_the_process_that_started_it)
{
	worker_child_end(&child);
	pid_t parent = worker_child_start_elsewhere(&child);
	load();
	cr_assert(kill(parent, SIGKILL) == 0 && waitpid(parent, NULL, 0) == parent);
	/* Its standard input is still open, so that is not what tells it. */
	cr_expect(worker_child_says_no_more(&child));
}
