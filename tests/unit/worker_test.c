#include "worker/worker.h"

#include "tests/unit/config_reading.h"
#include "tests/unit/dataset_files.h"
#include "tests/unit/worker_child.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct worker_child child;
static struct answer answer;

/* 100 rows of two features, whose numbers are small enough for all sums to be exact. */
static struct dataset_file file;
static struct assignment assignment;

enum { ROWS = 100, COLUMNS = 3 };

static void begin_test(void)
{
	scratch_enter();
	dataset_file_init_npy(&file, "a.npy", ROWS, COLUMNS - 1, ELEMENT_F8, false);
	assignment = dataset_file_assign(&file, 1, 0);
	worker_child_start(&child, 0);
}

static void end_test(void)
{
	worker_child_end(&child);
	dataset_file_release(&file);
	scratch_leave();
}

TestSuite(worker, .init = begin_test, .fini = end_test, .timeout = 60);

/* Has the child load the assignment, and brings it to the phase in which it sums. */
static void load(void)
{
	worker_child_assign(&child, &assignment, 1);
	worker_child_receive(&child, FRAME_READY, &answer);
}

/* The answer must be an ERROR of this stage, and the end. */
static void expect_error(enum error_stage stage, const char *text)
{
	worker_child_receive(&child, FRAME_ERROR, &answer);
	cr_expect_eq(answer.error.stage, stage);
	cr_expect_str_eq(answer.error.text, text);
	cr_expect(worker_child_says_no_more(&child));
	cr_expect_eq(worker_child_wait(&child), WORKER_GAVE_UP);
}

static void expect_end(void)
{
	cr_expect(worker_child_says_no_more(&child));
	cr_expect_eq(worker_child_wait(&child), WORKER_LEFT);
}

/* Σ e·x_1, Σ e·x_2, Σ e, Σ e², m over the assigned rows, without any rounding error. */
static void sum_rows(const double *parameters, double *sums)
{
	memset(sums, 0, (COLUMNS + 2) * sizeof *sums);
	for (uint64_t row = assignment.leaves.begin; row < assignment.leaves.end; row++) { /* one a leaf */
		const double *numbers = file.table + row * COLUMNS;
		double x[COLUMNS];
		for (int j = 0; j < COLUMNS; j++)
			x[j] = numbers[j] - assignment.centre[j];
		double e = parameters[0] * x[0] + parameters[1] * x[1] + parameters[2] - x[2];
		sums[0] += e * x[0];
		sums[1] += e * x[1];
		sums[2] += e;
		sums[3] += e * e;
		sums[4] += 1;
	}
}

/* Is the answer, added up, this vector? */
static void expect_sums(const double *expected, size_t width)
{
	cr_assert_eq(answer.gradient.width, width);
	for (size_t i = 0; i < width; i++) {
		double sum = 0;
		for (size_t node = 0; node < answer.gradient.node_count; node++)
			sum += answer.gradient.vectors[node * width + i];
		cr_expect_eq(sum, expected[i], "sum %zu", i);
	}
}

static const double parameters[COLUMNS] = {2, -1, 3};

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

Test(worker, keeps_its_chunk_when_only_the_centre_changes)
{
	double sums[COLUMNS + 2];
	load();
	cr_assert_eq(unlink(file.dataset.path), 0);
	for (int j = 0; j < COLUMNS; j++)
		file.centre[j] = 4 * j - 8;
	worker_child_assign(&child, &assignment, 2);
	worker_child_receive(&child, FRAME_READY, &answer);
	cr_expect_eq(answer.ready.rows, ROWS);
	cr_expect_arr_eq(answer.ready.first_row, file.table, COLUMNS * sizeof(double));
	worker_child_ask(&child, KERNEL_GRADIENT, parameters, 3);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	sum_rows(parameters, sums);
	expect_sums(sums, COLUMNS + 2);
}

/* One change to an assignment for each case; false: no more cases. */
static bool change_assignment(int number)
{
	struct dataset *dataset = &assignment.dataset;
	switch (number) {
	case 0:
		assignment.leaves.end--;
		return true;
	case 1:
		assignment.leaves.begin++;
		return true;
	case 2:
		assignment.leaf_count++;
		return true;
	case 3:
		dataset->columns[0] = 1;
		return true;
	case 4:
		dataset->missing = MISSING_SKIP_ROW;
		return true;
	case 5:
		dataset->fortran_order = true;
		return true;
	case 6:
		dataset->element = ELEMENT_F4;
		return true;
	case 7:
		dataset->data_offset -= 8;
		return true;
	case 8:
		dataset->rows--;
		return true;
	case 9:
		dataset->identity.modified_ns++;
		return true;
	case 10:
		assignment.cache_bytes--;
		return true;
	case 11:
		assignment.quotes = !assignment.quotes;
		return true;
	default:
		return false;
	}
}

Test(worker, loads_again_when_anything_else_changes)
{
	const struct assignment original = assignment;
	const uint32_t first_column = assignment.dataset.columns[0];
	for (int number = 0; change_assignment(number); number++) {
		assignment = original;
		assignment.dataset.columns[0] = first_column;
		dataset_identify(&assignment.dataset);
		load();
		cr_assert_eq(rename("a.npy", "gone"), 0);
		change_assignment(number);
		worker_child_assign(&child, &assignment, 2);
		expect_error(STAGE_DATASET, "cannot open the dataset: No such file or directory");
		cr_assert_eq(rename("gone", "a.npy"), 0);
		worker_child_end(&child);
		worker_child_start(&child, 0);
	}
}

Test(worker, says_where_a_csv_is_bad)
{
	static const char text[] = "x,y\n1,2\n3,4\n5,six\n7,8\n";
	write_file("bad.csv", text, sizeof text - 1);
	uint32_t columns[] = {0, 1};
	struct dataset dataset = {.path = "bad.csv",
	        .format = DATASET_CSV,
	        .data_offset = 4,
	        .file_columns = 2,
	        .features = 1,
	        .columns = columns,
	        .delimiter = ','};
	dataset_identify(&dataset);
	assignment = (struct assignment){.dataset = dataset,
	        .leaf_count = 4,
	        .leaves = {0, 4},
	        .bytes = {4, sizeof text - 1},
	        .quotes = true,
	        .centre = (double[2]){0}};
	worker_child_assign(&child, &assignment, 1);
	expect_error(STAGE_DATASET, "'six' is not a number");
	cr_expect(answer.error.offset == 14 && answer.error.column == 1);
}

/* Puts a number into a row's target, in the file. */
static void spoil(size_t row, double value)
{
	FILE *out = fopen(file.dataset.path, "r+");
	cr_assert(out != NULL);
	size_t element = row * file.dataset.file_columns + file.dataset.columns[COLUMNS - 1];
	cr_assert(fseek(out, (long)(file.dataset.data_offset + 8 * element), SEEK_SET) == 0);
	cr_assert(fwrite(&value, sizeof value, 1, out) == 1 && fclose(out) == 0);
	dataset_identify(&assignment.dataset);
}

Test(worker, finds_a_missing_value_of_an_array_in_its_first_sums)
{
	spoil(70, NAN);
	load();
	worker_child_ask(&child, KERNEL_MEANS, parameters, 2);
	expect_error(STAGE_DATASET, "nan is a missing value");
	cr_expect(answer.error.offset == 70 && answer.error.column == assignment.dataset.columns[COLUMNS - 1]);
}

Test(worker, leaves_a_row_with_a_missing_value_out_if_told_to)
{
	spoil(70, NAN);
	assignment.dataset.missing = MISSING_SKIP_ROW;
	load();
	worker_child_ask(&child, KERNEL_METRICS, parameters, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	double rows = 0;
	for (size_t node = 0; node < answer.gradient.node_count; node++)
		rows += answer.gradient.vectors[node * 3 + 2];
	cr_expect_eq(rows, ROWS - 1);
}

Test(worker, takes_leaves_without_rows_for_decided_up_to_the_end_of_its_run)
{
	spoil(70, NAN);
	spoil(71, NAN);
	assignment.dataset.missing = MISSING_SKIP_ROW;
	assignment.leaves = (struct range){68, 72};
	load();
	worker_child_ask(&child, KERNEL_METRICS, parameters, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	cr_assert_eq(answer.gradient.node_count, 1);
	cr_expect(answer.gradient.nodes[0].level == 2 && answer.gradient.nodes[0].index == 17);
	cr_expect_eq(answer.gradient.vectors[2], 2);
}

Test(worker, sends_sums_that_are_too_large_as_they_are)
{
	spoil(70, 1e308);
	load();
	worker_child_ask(&child, KERNEL_MOMENTS, parameters, 2);
	worker_child_receive(&child, FRAME_GRADIENT, &answer);
	bool infinite = false;
	for (size_t i = 0; i < (size_t)answer.gradient.node_count * answer.gradient.width; i++)
		infinite = infinite || isinf(answer.gradient.vectors[i]);
	cr_expect(infinite);
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
	cr_expect_eq(poll(&entry, 1, 10000), 1);
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
