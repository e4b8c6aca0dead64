#include "common/wire.h"

#include "tests/unit/wire_samples.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

TestSuite(wire, .timeout = 30);

/* To the bit: -0 is not 0, and one NaN is not another. */
static bool doubles_equal(const double *one, const double *other, size_t count)
{
	return memcmp(one, other, count * sizeof *one) == 0;
}

/*
 * Encodes the sample behind a frame of another type, so that it does not start at the buffer's begin, and decodes it.
 */
static struct decoded round_trip(enum frame_type type)
{
	struct wire_buffer buffer = {0};
	struct frame_header header;
	struct decoded decoded;
	sample_encode(&buffer, FRAME_STOP);
	size_t start = buffer.length;
	sample_encode(&buffer, type);
	size_t length = buffer.length - start;
	cr_assert_eq(sample_decode(buffer.bytes + start, length, &header, &decoded), WIRE_OK);
	struct frame_header sent = sample_header();
	cr_expect_eq(header.type, type);
	cr_expect_eq(header.payload_length, length - WIRE_HEADER_BYTES);
	cr_expect_eq(header.worker, sent.worker);
	cr_expect_eq(header.incarnation, sent.incarnation);
	cr_expect_eq(header.epoch, sent.epoch);
	cr_expect_eq(header.round, sent.round);
	wire_buffer_release(&buffer);
	return decoded;
}

Test(wire, brings_an_assignment_to_the_other_end)
{
	struct decoded decoded = round_trip(FRAME_ASSIGN);
	const struct assignment *got = &decoded.assignment;
	const struct assignment sent = sample_assignment();
	cr_expect(!decoded.out_of_memory);
	cr_expect_eq(got->leaf_count, sent.leaf_count);
	cr_expect(got->leaves.begin == sent.leaves.begin && got->leaves.end == sent.leaves.end);
	cr_expect(got->bytes.begin == sent.bytes.begin && got->bytes.end == sent.bytes.end);
	cr_expect_eq(got->cache_bytes, sent.cache_bytes);
	cr_expect_eq(got->quotes, sent.quotes);
	cr_expect_str_eq(got->dataset.path, sent.dataset.path);
	cr_expect_eq(got->dataset.identity.bytes, sent.dataset.identity.bytes);
	cr_expect_eq(got->dataset.identity.inode, sent.dataset.identity.inode);
	cr_expect_eq(got->dataset.identity.modified_ns, sent.dataset.identity.modified_ns);
	cr_expect_eq(got->dataset.data_offset, sent.dataset.data_offset);
	cr_expect_eq(got->dataset.rows, sent.dataset.rows);
	cr_expect_eq(got->dataset.format, sent.dataset.format);
	cr_expect_eq(got->dataset.missing, sent.dataset.missing);
	cr_expect_eq(got->dataset.delimiter, sent.dataset.delimiter);
	cr_expect_eq(got->dataset.element, sent.dataset.element);
	cr_expect_eq(got->dataset.fortran_order, sent.dataset.fortran_order);
	cr_expect_eq(got->dataset.file_columns, sent.dataset.file_columns);
	cr_expect_eq(got->dataset.features, sent.dataset.features);
	cr_expect_arr_eq(got->dataset.columns, sent.dataset.columns, SAMPLE_COLUMNS * sizeof *sent.dataset.columns);
	cr_expect(doubles_equal(got->centre, sent.centre, SAMPLE_COLUMNS));
	assignment_release(&decoded.assignment);
}

Test(wire, brings_parameters_to_the_other_end)
{
	struct decoded decoded = round_trip(FRAME_PARAMS);
	const struct params sent = sample_params();
	cr_expect_eq(decoded.params.kernel, sent.kernel);
	cr_expect_eq(decoded.params.count, sent.count);
	cr_expect(doubles_equal(decoded.values, sent.values, SAMPLE_COLUMNS));
}

Test(wire, brings_a_stop_to_the_other_end)
{
	round_trip(FRAME_STOP);
}

Test(wire, brings_a_ready_to_the_other_end)
{
	struct decoded decoded = round_trip(FRAME_READY);
	const struct ready sent = sample_ready();
	cr_expect_eq(decoded.ready.rows, sent.rows);
	cr_expect_eq(decoded.ready.skipped, sent.skipped);
	cr_expect_arr_eq(&decoded.ready.times, &sent.times, sizeof sent.times);
	cr_expect_eq(decoded.ready.starts_doubted, sent.starts_doubted);
	cr_expect_eq(decoded.ready.first_row_count, sent.first_row_count);
	cr_expect(doubles_equal(decoded.values, sent.first_row, SAMPLE_COLUMNS));
}

Test(wire, brings_a_gradient_to_the_other_end)
{
	struct decoded decoded = round_trip(FRAME_GRADIENT);
	const struct gradient sent = sample_gradient();
	cr_expect_eq(decoded.gradient.kernel, sent.kernel);
	cr_expect_arr_eq(&decoded.gradient.times, &sent.times, sizeof sent.times);
	cr_assert_eq(decoded.gradient.node_count, sent.node_count);
	cr_expect_eq(decoded.gradient.width, sent.width);
	cr_expect_arr_eq(decoded.nodes, sent.nodes, sent.node_count * sizeof *sent.nodes);
	cr_expect(doubles_equal(decoded.vectors, sent.vectors, (size_t)sent.node_count * sent.width));
}

Test(wire, brings_an_error_to_the_other_end)
{
	struct decoded decoded = round_trip(FRAME_ERROR);
	const struct worker_error sent = sample_error();
	cr_expect_eq(decoded.error.stage, sent.stage);
	cr_expect_eq(decoded.error.system_error, sent.system_error);
	cr_expect_eq(decoded.error.offset, sent.offset);
	cr_expect_eq(decoded.error.column, sent.column);
	cr_expect_str_eq(decoded.error.text, sent.text);
}

Test(wire, brings_a_question_for_predictions_to_the_other_end)
{
	struct decoded decoded = round_trip(FRAME_PREDICT);
	const struct predict sent = sample_predict();
	cr_expect_eq(decoded.predict.first, sent.first);
	cr_expect_eq(decoded.predict.rows, sent.rows);
	cr_expect_eq(decoded.predict.count, sent.count);
	cr_expect(doubles_equal(decoded.values, sent.values, SAMPLE_COLUMNS));
}

Test(wire, brings_predictions_to_the_other_end)
{
	struct decoded decoded = round_trip(FRAME_PREDICTIONS);
	const struct predictions sent = sample_predictions();
	cr_expect_eq(decoded.predictions.first, sent.first);
	cr_expect_arr_eq(&decoded.predictions.times, &sent.times, sizeof sent.times);
	cr_assert_eq(decoded.predictions.rows, sent.rows);
	cr_expect_eq(decoded.predictions.width, sent.width);
	cr_expect(doubles_equal(decoded.vectors, sent.values, (size_t)sent.rows * sent.width));
}

/*
 * The layout of common/PROTOCOL.md written out by hand, the checksums by a bit-at-a-time program in another language.
 * Whoever has to change a byte of these has changed the protocol and must raise WIRE_VERSION.
 */
/* clang-format off */
static const char assign_frame[] =
	"FKFT" "\x02\x01" "\0\0" /* version, type, reserved */
	"\x87\0\0\0" "\x03\0\0\0" "\x01\0\0\0" "\x01\x02\0\0" /* length, worker, incarnation, epoch */
	"\x01\x02\x03\x04" "\x4B\xF1\xD3\x48" /* round, checksum */
	"\x10\0\0\0" "\x03\0\0\0" "\x05\0\0\0" /* leaf count, leaves */
	"\xD2\0\0\0\0\0\0\0" "\x4A\x01\0\0\0\0\0\0" /* bytes */
	"\x88\x77\x66\x55\x44\x33\x22\x11" /* cache bytes */
	"\xE8\x03\0\0\0\0\0\0" "\x08\x07\x06\x05\x04\x03\x02\x01" /* identity: length, inode, */
	"\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF" /* time of modification */
	"\x14\0\0\0\0\0\0\0" "\x07\0\0\0\0\0\0\0" /* data offset, rows */
	"\0" "\x01" ";" "\x01" "\0" "\x01" /* format, missing, delimiter, element, order, quotes */
	"\x05\0\0\0" "\x02\0\0\0" "\x05\0\0\0" "a.csv" /* file columns, features, path length, path */
	"\x04\0\0\0" "\0\0\0\0" "\x02\0\0\0" /* columns */
	"\0\0\0\0\0\0\xF8\x3F" "\0\0\0\0\0\0\0\x80" "\x9C\x75\0\x88\x3C\xE4\x37\xFE"; /* centre */

static const char params_frame[] =
	"FKFT" "\x02\x02" "\0\0" "\x20\0\0\0" "\x03\0\0\0" "\x01\0\0\0" "\x01\x02\0\0" "\x01\x02\x03\x04"
	"\x3A\x67\xE9\x30"
	"\x03\0\0\0" "\x03\0\0\0" /* kernel, count */
	"\0\0\0\0\0\0\xE0\x3F" "\0\0\0\0\0\0\0\xC0" "\x01\0\0\0\0\0\xF8\x7F"; /* parameters */

static const char stop_frame[] =
	"FKFT" "\x02\x03" "\0\0" "\0\0\0\0" "\x03\0\0\0" "\x01\0\0\0" "\x01\x02\0\0" "\x01\x02\x03\x04"
	"\xA9\xB8\x56\x9C";

static const char ready_frame[] =
	"FKFT" "\x02\x04" "\0\0" "\x45\0\0\0" "\x03\0\0\0" "\x01\0\0\0" "\x01\x02\0\0" "\x01\x02\x03\x04"
	"\x8A\xEF\x59\xEC"
	"\x18\x17\x16\x15\x14\x13\x12\x11" "\x21\0\0\0\0\0\0\0" /* rows, skipped */
	"\x31\0\0\0\0\0\0\0" "\x32\0\0\0\0\0\0\0" "\x33\0\0\0\0\0\0\0" /* times */
	"\x01" "\x03\0\0\0" /* starts doubted, count */
	"\0\0\0\0\0\0\xD0\x3F" "\x01\0\0\0\0\0\0\0" "\0\0\0\0\0\0\x08\xC0"; /* first row */

static const char gradient_frame[] =
	"FKFT" "\x02\x05" "\0\0" "\x84\0\0\0" "\x03\0\0\0" "\x01\0\0\0" "\x01\x02\0\0" "\x01\x02\x03\x04"
	"\x69\x46\x7E\x56"
	"\x02\0\0\0" /* kernel */
	"\x41\0\0\0\0\0\0\0" "\x42\0\0\0\0\0\0\0" "\x43\0\0\0\0\0\0\0" /* times */
	"\x02\0\0\0" "\x05\0\0\0" /* nodes, width */
	"\0\0\0\0" "\x03\0\0\0" "\x02\0\0\0" "\x01\0\0\0" /* nodes: level and index */
	"\0\0\0\0\0\0\xE0\x3F" "\0\0\0\0\0\0\xF8\x3F" "\0\0\0\0\0\0\x04\x40" "\0\0\0\0\0\0\x0C\x40"
	"\0\0\0\0\0\0\x12\x40" "\0\0\0\0\0\0\x16\x40" "\0\0\0\0\0\0\x1A\x40" "\0\0\0\0\0\0\x1E\x40"
	"\0\0\0\0\0\0\x21\x40" "\0\0\0\0\0\0\x23\x40"; /* vectors */

static const char error_frame[] =
	"FKFT" "\x02\x06" "\0\0" "\x1A\0\0\0" "\x03\0\0\0" "\x01\0\0\0" "\x01\x02\0\0" "\x01\x02\x03\x04"
	"\x34\x4E\x3F\x3A"
	"\x02\0\0\0" "\xF4\xFF\xFF\xFF" /* stage, errno */
	"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF" "\x07\0\0\0\0\0\0\0" "oh"; /* offset, column, text */

static const char predict_frame[] =
	"FKFT" "\x02\x07" "\0\0" "\x28\0\0\0" "\x03\0\0\0" "\x01\0\0\0" "\x01\x02\0\0" "\x01\x02\x03\x04"
	"\x8E\xF3\x4F\x95"
	"\x51\x52\x53\x54\x55\x56\x57\x58" "\x4D\0\0\0" "\x03\0\0\0" /* first, rows, count */
	"\0\0\0\0\0\0\xE8\x3F" "\0\0\0\0\0\0\xF4\xBF" "\0\0\0\0\0\0\x0C\x40"; /* parameters */

static const char predictions_frame[] =
	"FKFT" "\x02\x08" "\0\0" "\x58\0\0\0" "\x03\0\0\0" "\x01\0\0\0" "\x01\x02\0\0" "\x01\x02\x03\x04"
	"\x51\x4B\xF4\xF8"
	"\x61\x62\x63\x64\x65\x66\x67\x68" /* first */
	"\x51\0\0\0\0\0\0\0" "\x52\0\0\0\0\0\0\0" "\x53\0\0\0\0\0\0\0" /* times */
	"\x03\0\0\0" "\x02\0\0\0" /* rows, width */
	"\0\0\0\0\0\0\xF8\x3F" "\0\0\0\0\0\0\x04\x40" "\0\0\0\0\0\0\x0C\x40" "\0\0\0\0\0\0\x12\x40"
	"\0\0\0\0\0\0\x16\x40" "\0\0\0\0\0\0\x1A\x40"; /* numbers */
/* clang-format on */

Test(wire, lays_every_frame_out_as_version_2_does)
{
	static const struct {
		enum frame_type type;
		const char *bytes;
		size_t length;
	} frames[] = {
	        {FRAME_ASSIGN, assign_frame, sizeof assign_frame - 1},
	        {FRAME_PARAMS, params_frame, sizeof params_frame - 1},
	        {FRAME_STOP, stop_frame, sizeof stop_frame - 1},
	        {FRAME_READY, ready_frame, sizeof ready_frame - 1},
	        {FRAME_GRADIENT, gradient_frame, sizeof gradient_frame - 1},
	        {FRAME_ERROR, error_frame, sizeof error_frame - 1},
	        {FRAME_PREDICT, predict_frame, sizeof predict_frame - 1},
	        {FRAME_PREDICTIONS, predictions_frame, sizeof predictions_frame - 1},
	};
	_Static_assert(sizeof frames / sizeof *frames == FRAME_TYPE_END - 1, "one of every type");
	cr_assert_eq(WIRE_VERSION, 2);
	for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
		struct wire_buffer buffer = {0};
		sample_encode(&buffer, frames[i].type);
		cr_assert_eq(buffer.length, frames[i].length, "%s", frame_type_name(frames[i].type));
		for (size_t at = 0; at < buffer.length; at++)
			cr_expect_eq(buffer.bytes[at], (unsigned char)frames[i].bytes[at], "%s, byte %zu",
			        frame_type_name(frames[i].type), at);
		wire_buffer_release(&buffer);
	}
}

Test(wire, sends_a_chunk_without_rows)
{
	struct wire_buffer buffer = {0};
	struct frame_header header = sample_header();
	struct ready ready = {.rows = 0, .first_row_count = 0};
	struct decoded decoded;
	cr_assert(wire_encode_ready(&buffer, &header, &ready));
	cr_expect_eq(sample_decode(buffer.bytes, buffer.length, &header, &decoded), WIRE_OK);
	cr_expect(decoded.ready.rows == 0 && decoded.ready.first_row_count == 0 && !decoded.ready.starts_doubted);
	wire_buffer_release(&buffer);
}

Test(wire, sends_a_gradient_without_nodes)
{
	struct wire_buffer buffer = {0};
	struct frame_header header = sample_header();
	struct gradient gradient = {.kernel = KERNEL_METRICS, .width = 3};
	struct decoded decoded;
	cr_assert(wire_encode_gradient(&buffer, &header, &gradient));
	cr_expect_eq(sample_decode(buffer.bytes, buffer.length, &header, &decoded), WIRE_OK);
	cr_expect(decoded.gradient.node_count == 0 && decoded.gradient.kernel == KERNEL_METRICS);
	wire_buffer_release(&buffer);
}

Test(wire, cuts_the_text_of_an_error_to_what_the_other_end_takes)
{
	struct wire_buffer buffer = {0};
	struct frame_header header = sample_header();
	struct worker_error error = sample_error();
	struct decoded decoded;
	memset(error.text, 'x', sizeof error.text); /* and no end */
	cr_assert(wire_encode_error(&buffer, &header, &error));
	cr_assert_eq(sample_decode(buffer.bytes, buffer.length, &header, &decoded), WIRE_OK);
	cr_expect_eq(strlen(decoded.error.text), WIRE_TEXT_MAX - 1);
	wire_buffer_release(&buffer);
}

Test(wire, allows_downwards_exactly_the_longest_assignment)
{
	struct wire_buffer buffer = {0};
	struct frame_header header = sample_header();
	struct assignment assignment = sample_assignment();
	struct decoded decoded;
	char path[WIRE_PATH_MAX + 1] = "";
	memset(path, '/', WIRE_PATH_MAX);
	assignment.dataset.path = path;
	assignment.dataset.features = WIRE_COLUMNS_MAX - 1;
	assignment.dataset.file_columns = WIRE_COLUMNS_MAX;
	assignment.dataset.columns = calloc(WIRE_COLUMNS_MAX, sizeof *assignment.dataset.columns);
	assignment.centre = calloc(WIRE_COLUMNS_MAX, sizeof *assignment.centre);
	cr_assert(assignment.dataset.columns && assignment.centre);
	for (uint32_t i = 0; i < WIRE_COLUMNS_MAX; i++)
		assignment.dataset.columns[i] = WIRE_COLUMNS_MAX - 1 - i;
	assignment.centre[WIRE_COLUMNS_MAX - 1] = 4.5;
	cr_assert(wire_encode_assign(&buffer, &header, &assignment));
	cr_expect_eq(buffer.length, WIRE_HEADER_BYTES + wire_max_payload_down());
	cr_assert_eq(sample_decode(buffer.bytes, buffer.length, &header, &decoded), WIRE_OK);
	cr_expect_str_eq(decoded.assignment.dataset.path, path);
	cr_expect_eq(decoded.assignment.dataset.columns[0], WIRE_COLUMNS_MAX - 1);
	cr_expect_eq(decoded.assignment.centre[WIRE_COLUMNS_MAX - 1], 4.5);
	free(assignment.dataset.columns);
	free(assignment.centre);
	assignment_release(&decoded.assignment);
	wire_buffer_release(&buffer);
}

Test(wire, allows_upwards_every_answer_for_any_number_of_features)
{
	static const uint32_t features[] = {1, 2, 500, WIRE_COLUMNS_MAX - 1};
	for (size_t i = 0; i < sizeof features / sizeof *features; i++) {
		size_t limit = wire_max_payload_up(features[i]);
		size_t row = (size_t)features[i] + 1;
		size_t ready = 8 + 8 + 8 + 1 + 4 + 8 * row;
		size_t gradient = 4 + 8 + 4 + 4 + (TREE_NODES_MAX - 1) * (8 + 8 * sums_max_width(features[i]));
		size_t error = 4 + 4 + 8 + 8 + WIRE_TEXT_MAX - 1;
		size_t predictions = 8 + 3 * 8 + 4 + 4 + 2 * 8 * (size_t)WIRE_PREDICTIONS_MAX;
		cr_expect(limit >= ready && limit >= gradient && limit >= error && limit >= predictions, "%u features",
		        features[i]);
		cr_expect(limit <= UINT32_MAX);
	}
}

Test(wire, has_a_name_for_every_type_and_a_text_for_every_status)
{
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++)
		cr_expect_str_neq(frame_type_name(type), "unknown");
	cr_expect_str_eq(frame_type_name((enum frame_type)0), "unknown");
	cr_expect_str_eq(frame_type_name(FRAME_TYPE_END), "unknown");
	for (enum wire_status status = WIRE_OK; status <= WIRE_BAD_PAYLOAD; status++)
		cr_expect(wire_status_text(status)[0] != '\0');
}
