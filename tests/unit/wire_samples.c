#include "tests/unit/wire_samples.h"

#include "common/crc32c.h"

#include <criterion/criterion.h>
#include <string.h>

struct frame_header sample_header(void)
{
	return (struct frame_header){.worker = 3, .incarnation = 1, .epoch = 0x0201, .round = 0x04030201};
}

struct assignment sample_assignment(void)
{
	static char path[] = "a.csv";
	static uint32_t columns[SAMPLE_COLUMNS] = {4, 0, 2};
	static double centre[SAMPLE_COLUMNS] = {1.5, -0.0, -1e300};
	return (struct assignment){
	        .dataset = {.path = path,
	                .identity = {.bytes = 1000, .inode = 0x0102030405060708, .modified_ns = -2},
	                .format = DATASET_CSV,
	                .missing = MISSING_SKIP_ROW,
	                .data_offset = 20,
	                .file_columns = 5,
	                .features = SAMPLE_FEATURES,
	                .columns = columns,
	                .delimiter = ';',
	                .rows = 7,
	                .element = ELEMENT_F4,
	                .fortran_order = false},
	        .leaf_count = 16,
	        .leaves = {3, 5},
	        .bytes = {210, 330},
	        .quotes = true,
	        .cache_bytes = 0x1122334455667788,
	        .centre = centre,
	};
}

struct params sample_params(void)
{
	static double values[SAMPLE_COLUMNS] = {0.5, -2};
	const uint64_t nan_with_a_payload = 0x7FF8000000000001;
	memcpy(&values[2], &nan_with_a_payload, sizeof values[2]);
	return (struct params){KERNEL_CURVATURE, SAMPLE_COLUMNS, values};
}

struct ready sample_ready(void)
{
	static const double first_row[SAMPLE_COLUMNS] = {0.25, 5e-324, -3};
	return (struct ready){
	        .rows = 0x1112131415161718,
	        .skipped = 0x21,
	        .times = {0x31, 0x32, 0x33},
	        .starts_doubted = true,
	        .first_row_count = SAMPLE_COLUMNS,
	        .first_row = first_row,
	};
}

struct gradient sample_gradient(void)
{
	static const struct tree_node nodes[] = {{0, 3}, {2, 1}};
	static const double vectors[] = {0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5};
	return (struct gradient){
	        .kernel = KERNEL_GRADIENT,
	        .times = {0x41, 0x42, 0x43},
	        .node_count = 2,
	        .width = SAMPLE_WIDTH,
	        .nodes = nodes,
	        .vectors = vectors,
	};
}

struct worker_error sample_error(void)
{
	return (struct worker_error){
	        .stage = STAGE_SYSTEM, .system_error = -12, .offset = -1, .column = 7, .text = "oh"};
}

struct predict sample_predict(void)
{
	static const double values[SAMPLE_COLUMNS] = {0.75, -1.25, 3.5};
	return (struct predict){UINT64_C(0x5857565554535251), 77, SAMPLE_COLUMNS, values};
}

struct predictions sample_predictions(void)
{
	static const double values[] = {1.5, 2.5, 3.5, 4.5, 5.5, 6.5};
	return (struct predictions){UINT64_C(0x6867666564636261), {0x51, 0x52, 0x53}, 3, 2, values};
}

void sample_encode(struct wire_buffer *buffer, enum frame_type type)
{
	const struct frame_header header = sample_header();
	const struct assignment assignment = sample_assignment();
	const struct params params = sample_params();
	const struct ready ready = sample_ready();
	const struct gradient gradient = sample_gradient();
	const struct worker_error error = sample_error();
	const struct predict predict = sample_predict();
	const struct predictions predictions = sample_predictions();
	bool done = false;
	switch (type) {
	case FRAME_ASSIGN:
		done = wire_encode_assign(buffer, &header, &assignment);
		break;
	case FRAME_PARAMS:
		done = wire_encode_params(buffer, &header, &params);
		break;
	case FRAME_STOP:
		done = wire_encode_stop(buffer, &header);
		break;
	case FRAME_READY:
		done = wire_encode_ready(buffer, &header, &ready);
		break;
	case FRAME_GRADIENT:
		done = wire_encode_gradient(buffer, &header, &gradient);
		break;
	case FRAME_ERROR:
		done = wire_encode_error(buffer, &header, &error);
		break;
	case FRAME_PREDICT:
		done = wire_encode_predict(buffer, &header, &predict);
		break;
	case FRAME_PREDICTIONS:
		done = wire_encode_predictions(buffer, &header, &predictions);
		break;
	case FRAME_TYPE_END:
		break;
	}
	cr_assert(done);
}

enum wire_status sample_decode_payload(
        enum frame_type type, const unsigned char *payload, size_t length, struct decoded *decoded)
{
	switch (type) {
	case FRAME_ASSIGN:
		return wire_decode_assign(payload, length, &decoded->assignment, &decoded->out_of_memory);
	case FRAME_PARAMS:
		return wire_decode_params(payload, length, SAMPLE_COLUMNS, decoded->values, &decoded->params);
	case FRAME_READY:
		return wire_decode_ready(payload, length, SAMPLE_COLUMNS, decoded->values, &decoded->ready);
	case FRAME_GRADIENT:
		return wire_decode_gradient(
		        payload, length, SAMPLE_WIDTH, decoded->nodes, decoded->vectors, &decoded->gradient);
	case FRAME_ERROR:
		return wire_decode_error(payload, length, &decoded->error);
	case FRAME_PREDICT:
		return wire_decode_predict(payload, length, SAMPLE_COLUMNS, decoded->values, &decoded->predict);
	case FRAME_PREDICTIONS:
		return wire_decode_predictions(payload, length, sizeof decoded->vectors / sizeof *decoded->vectors,
		        decoded->vectors, &decoded->predictions);
	case FRAME_STOP:
	case FRAME_TYPE_END:
		break;
	}
	return length == 0 ? WIRE_OK : WIRE_BAD_PAYLOAD;
}

enum wire_status sample_decode(
        const unsigned char *bytes, size_t length, struct frame_header *header, struct decoded *decoded)
{
	memset(decoded, 0, sizeof *decoded);
	enum wire_status status = wire_decode_header(bytes, length, wire_max_payload_down(), header);
	if (status != WIRE_OK)
		return status;
	if (length < WIRE_HEADER_BYTES + (size_t)header->payload_length)
		return WIRE_SHORT;
	status = wire_check_frame(bytes, header);
	if (status != WIRE_OK)
		return status;
	return sample_decode_payload(header->type, bytes + WIRE_HEADER_BYTES, header->payload_length, decoded);
}

enum wire_status sample_judge(const unsigned char *bytes, size_t length)
{
	struct frame_header header;
	struct decoded decoded;
	enum wire_status status = sample_decode(bytes, length, &header, &decoded);
	assignment_release(&decoded.assignment);
	return status;
}

void sample_seal(unsigned char *frame, size_t length)
{
	enum { AT_CHECKSUM = 28 };
	uint32_t crc = crc32c_portable(0, frame, AT_CHECKSUM);
	crc = crc32c_portable(crc, frame + WIRE_HEADER_BYTES, length - WIRE_HEADER_BYTES);
	for (unsigned i = 0; i < 4; i++)
		frame[AT_CHECKSUM + i] = (unsigned char)(crc >> 8 * i);
}
