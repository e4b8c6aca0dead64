/* What is not a frame is never taken for one: damaged, cut, or wrong under a checksum that is right. */
#include "tests/unit/guard_page.h"
#include "tests/unit/random.h"
#include "tests/unit/wire_samples.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

TestSuite(wire_faults, .timeout = 60);

/* Where the fields lie, as common/PROTOCOL.md says. */
enum {
	HEADER_VERSION = 4,
	HEADER_TYPE = 5,
	HEADER_LENGTH = 8,
	HEADER_WORKER = 12,
	ASSIGN_LEAF_COUNT = 0,
	ASSIGN_LEAVES_BEGIN = 4,
	ASSIGN_LEAVES_END = 8,
	ASSIGN_BYTES_BEGIN = 12,
	ASSIGN_BYTES_END = 20,
	ASSIGN_FILE_BYTES = 36,
	ASSIGN_DATA_OFFSET = 60,
	ASSIGN_ROWS = 68,
	ASSIGN_FORMAT = 76,
	ASSIGN_MISSING = 77,
	ASSIGN_ELEMENT = 79,
	ASSIGN_ORDER = 80,
	ASSIGN_QUOTES = 81,
	ASSIGN_FILE_COLUMNS = 82,
	ASSIGN_FEATURES = 86,
	ASSIGN_PATH_LENGTH = 90,
	ASSIGN_COLUMNS = 94 + 5, /* behind the sample's path */
	PARAMS_KERNEL = 0,
	PARAMS_COUNT = 4,
	READY_STARTS_DOUBTED = 40,
	READY_COUNT = 41,
	GRADIENT_KERNEL = 0,
	GRADIENT_NODES = 28,
	GRADIENT_WIDTH = 32,
	GRADIENT_LEVEL_0 = 36,
	GRADIENT_INDEX_0 = 40,
	GRADIENT_LEVEL_1 = 44,
	GRADIENT_INDEX_1 = 48,
	ERROR_STAGE = 0,
};

/* A whole frame in storage of a fixed size, with zeros behind it. */
struct frame {
	unsigned char bytes[512];
	size_t length;
};

static struct frame frame_of(enum frame_type type)
{
	struct wire_buffer buffer = {0};
	struct frame frame = {.length = 0};
	sample_encode(&buffer, type);
	cr_assert(buffer.length <= sizeof frame.bytes);
	memcpy(frame.bytes, buffer.bytes, buffer.length);
	frame.length = buffer.length;
	wire_buffer_release(&buffer);
	return frame;
}

/* What the first look at the damaged byte can find. */
static bool is_plausible(enum wire_status status, size_t at)
{
	if (at < HEADER_VERSION)
		return status == WIRE_BAD_MAGIC;
	if (at == HEADER_VERSION)
		return status == WIRE_BAD_VERSION;
	if (at == HEADER_TYPE) /* it may become another type */
		return status == WIRE_BAD_TYPE || status == WIRE_BAD_CHECKSUM;
	if (at < HEADER_LENGTH)
		return status == WIRE_BAD_TYPE;
	if (at < HEADER_WORKER) /* longer: the frame seems incomplete */
		return status == WIRE_OVERSIZED || status == WIRE_SHORT || status == WIRE_BAD_CHECKSUM;
	return status == WIRE_BAD_CHECKSUM;
}

/* Catches the mutation checksum_unchecked. */
Test(wire_faults, finds_every_single_bit_that_is_flipped)
{
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++) {
		struct frame frame = frame_of(type);
		cr_assert_eq(sample_judge(frame.bytes, frame.length), WIRE_OK);
		for (size_t bit = 0; bit < 8 * frame.length; bit++) {
			frame.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
			enum wire_status status = sample_judge(frame.bytes, frame.length);
			cr_expect(is_plausible(status, bit / 8), "%s, bit %zu of byte %zu: %s", frame_type_name(type),
			        bit % 8, bit / 8, wire_status_text(status));
			frame.bytes[bit / 8] ^= (unsigned char)(1U << bit % 8);
		}
	}
}

Test(wire_faults, finds_a_damaged_length_although_more_bytes_follow)
{
	enum { FOLLOWING = 1 << 20 }; /* more than the limit, so that no length is too short of bytes */
	static unsigned char stream[FOLLOWING];
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++) {
		struct frame frame = frame_of(type);
		memset(stream, 0, sizeof stream);
		for (size_t at = 0; at + frame.length < 65536; at += frame.length)
			memcpy(stream + at, frame.bytes, frame.length);
		cr_assert_eq(sample_judge(stream, sizeof stream), WIRE_OK);
		for (size_t bit = 0; bit < 32; bit++) {
			unsigned char *damaged = stream + HEADER_LENGTH + bit / 8;
			*damaged ^= (unsigned char)(1U << bit % 8);
			enum wire_status status = sample_judge(stream, sizeof stream);
			cr_expect(status == WIRE_OVERSIZED || status == WIRE_BAD_CHECKSUM, "%s, bit %zu: %s",
			        frame_type_name(type), bit, wire_status_text(status));
			*damaged ^= (unsigned char)(1U << bit % 8);
		}
	}
}

Test(wire_faults, finds_any_byte_that_is_replaced)
{
	uint64_t state = 1;
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++) {
		struct frame frame = frame_of(type);
		for (size_t at = 0; at < frame.length; at++) {
			unsigned char right = frame.bytes[at];
			frame.bytes[at] ^= (unsigned char)(1 + random_below(&state, 255));
			cr_expect_neq(sample_judge(frame.bytes, frame.length), WIRE_OK, "%s, byte %zu",
			        frame_type_name(type), at);
			frame.bytes[at] = right;
		}
	}
}

Test(wire_faults, waits_for_the_rest_of_a_frame_that_is_cut_anywhere)
{
	struct guard_page guard = guard_page_new(sizeof(struct frame));
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_TYPE_END; type++) {
		struct frame frame = frame_of(type);
		for (size_t length = 0; length < frame.length; length++) {
			const char *cut = guard_page_place(&guard, (const char *)frame.bytes, length);
			cr_expect_eq(sample_judge((const unsigned char *)cut, length), WIRE_SHORT, "%s, %zu bytes",
			        frame_type_name(type), length);
		}
	}
	guard_page_free(&guard);
}

Test(wire_faults, knows_garbage_by_its_first_wrong_byte)
{
	for (size_t length = 1; length <= 4; length++) {
		unsigned char start[4] = {'F', 'K', 'F', 'T'};
		start[length - 1] ^= 1;
		cr_expect_eq(sample_judge(start, length), WIRE_BAD_MAGIC, "%zu bytes", length);
	}
}

/* Catches the mutation length_believed. */
Test(wire_faults, refuses_a_length_beyond_the_limit_when_it_has_only_the_header)
{
	static const struct {
		size_t limit;
		uint32_t length;
		enum wire_status status;
	} cases[] = {{1000, 1000, WIRE_OK}, {1000, 1001, WIRE_OVERSIZED}, {0, 0, WIRE_OK}, {0, 1, WIRE_OVERSIZED},
	        {1000, UINT32_MAX, WIRE_OVERSIZED}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct frame frame = frame_of(FRAME_STOP);
		struct frame_header header;
		for (unsigned byte = 0; byte < 4; byte++)
			frame.bytes[HEADER_LENGTH + byte] = (unsigned char)(cases[i].length >> 8 * byte);
		cr_expect_eq(
		        wire_decode_header(frame.bytes, WIRE_HEADER_BYTES, cases[i].limit, &header), cases[i].status);
	}
}

/* A field of a sample's payload, and values to be put in its place. */
struct patch {
	enum frame_type type;
	size_t at;
	size_t bytes;
	size_t count;
	uint64_t values[6];
};

static struct frame patched(struct frame frame, size_t at, size_t bytes, uint64_t value)
{
	for (size_t i = 0; i < bytes; i++)
		frame.bytes[WIRE_HEADER_BYTES + at + i] = (unsigned char)(value >> 8 * i);
	sample_seal(frame.bytes, frame.length);
	return frame;
}

static void expect_verdicts(const struct patch *patches, size_t count, enum wire_status expected)
{
	for (const struct patch *patch = patches; patch < patches + count; patch++) {
		for (size_t i = 0; i < patch->count; i++) {
			struct frame frame = patched(frame_of(patch->type), patch->at, patch->bytes, patch->values[i]);
			cr_expect_eq(sample_judge(frame.bytes, frame.length), expected,
			        "%s, %llu at byte %zu of the payload", frame_type_name(patch->type),
			        (unsigned long long)patch->values[i], patch->at);
		}
	}
}

/* The sample's 980 bytes of data are 16 leaves: leaf 3 starts with byte 20 + 183. */
Test(wire_faults, refuses_an_assignment_that_does_not_make_sense)
{
	static const struct patch patches[] = {
	        {FRAME_ASSIGN, ASSIGN_LEAF_COUNT, 4, 4, {4, 0, LEAVES_MAX + 1, UINT32_MAX}},
	        {FRAME_ASSIGN, ASSIGN_LEAVES_BEGIN, 4, 2, {6, UINT32_MAX}},
	        {FRAME_ASSIGN, ASSIGN_LEAVES_END, 4, 2, {2, 17}},
	        {FRAME_ASSIGN, ASSIGN_BYTES_BEGIN, 8, 4, {331, UINT64_MAX, 202 /* another worker's leaf */, 19}},
	        {FRAME_ASSIGN, ASSIGN_BYTES_END, 8, 3, {209, 1001, UINT64_MAX}},
	        {FRAME_ASSIGN, ASSIGN_FILE_BYTES, 8, 2, {329, 19}},
	        {FRAME_ASSIGN, ASSIGN_DATA_OFFSET, 8, 3, {211, 1001, UINT64_MAX}},
	        {FRAME_ASSIGN, ASSIGN_FORMAT, 1, 1, {2}},
	        {FRAME_ASSIGN, ASSIGN_MISSING, 1, 1, {3}},
	        {FRAME_ASSIGN, ASSIGN_ELEMENT, 1, 1, {2}},
	        {FRAME_ASSIGN, ASSIGN_ORDER, 1, 1, {2}},
	        {FRAME_ASSIGN, ASSIGN_QUOTES, 1, 1, {255}},
	        {FRAME_ASSIGN, ASSIGN_FILE_COLUMNS, 4, 3, {4, 0, WIRE_COLUMNS_MAX + 1}},
	        {FRAME_ASSIGN, ASSIGN_FEATURES, 4, 6, {0, 1, 3, WIRE_COLUMNS_MAX - 1, WIRE_COLUMNS_MAX, UINT32_MAX}},
	        {FRAME_ASSIGN, ASSIGN_PATH_LENGTH, 4, 5, {4, 6, WIRE_PATH_MAX, WIRE_PATH_MAX + 1, UINT32_MAX}},
	        {FRAME_ASSIGN, ASSIGN_COLUMNS, 4, 2, {5, UINT32_MAX}},
	        {FRAME_ASSIGN, ASSIGN_COLUMNS + 4, 4, 2, {4 /* the other feature's */, 2 /* the target's */}},
	        {FRAME_ASSIGN, ASSIGN_COLUMNS + 8, 4, 2, {5, UINT32_MAX}},
	};
	expect_verdicts(patches, sizeof patches / sizeof *patches, WIRE_BAD_PAYLOAD);
}

Test(wire_faults, takes_an_assignment_at_the_limits_of_sense)
{
	static const struct patch patches[] = {
	        {FRAME_ASSIGN, ASSIGN_LEAF_COUNT, 4, 2, {17, LEAVES_MAX}},
	        {FRAME_ASSIGN, ASSIGN_LEAVES_BEGIN, 4, 1, {0}},
	        {FRAME_ASSIGN, ASSIGN_LEAVES_END, 4, 2, {3, 16}},
	        {FRAME_ASSIGN, ASSIGN_BYTES_BEGIN, 8, 2, {203, 330}},
	        {FRAME_ASSIGN, ASSIGN_BYTES_END, 8, 2, {210, 1000}},
	        {FRAME_ASSIGN, ASSIGN_MISSING, 1, 2, {0, 2}},
	        {FRAME_ASSIGN, ASSIGN_ORDER, 1, 1, {1}},
	        {FRAME_ASSIGN, ASSIGN_QUOTES, 1, 1, {0}},
	        {FRAME_ASSIGN, ASSIGN_FILE_COLUMNS, 4, 1, {WIRE_COLUMNS_MAX}},
	        {FRAME_ASSIGN, ASSIGN_ROWS, 8, 1, {UINT64_MAX /* of a CSV it says nothing */}},
	        {FRAME_ASSIGN, ASSIGN_COLUMNS, 4, 2, {1, 2 /* the target's: then there is none */}},
	};
	expect_verdicts(patches, sizeof patches / sizeof *patches, WIRE_OK);
}

Test(wire_faults, takes_no_more_rows_of_an_array_than_fill_the_file)
{
	static const struct {
		uint64_t rows;
		enum element_type element;
		enum wire_status status;
	} cases[] = {
	        /* 980 bytes, five columns */
	        {24, ELEMENT_F8, WIRE_OK},
	        {25, ELEMENT_F8, WIRE_BAD_PAYLOAD},
	        {49, ELEMENT_F4, WIRE_OK},
	        {50, ELEMENT_F4, WIRE_BAD_PAYLOAD},
	        {UINT64_MAX, ELEMENT_F8, WIRE_BAD_PAYLOAD},
	        {UINT64_MAX / 40 + 1, ELEMENT_F8, WIRE_BAD_PAYLOAD},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct wire_buffer buffer = {0};
		const struct frame_header header = sample_header();
		struct assignment assignment = sample_assignment();
		assignment.dataset.format = DATASET_NPY;
		assignment.dataset.rows = cases[i].rows;
		assignment.dataset.element = cases[i].element;
		assignment.bytes = (struct range){0, 0}; /* not an array's business */
		cr_assert(wire_encode_assign(&buffer, &header, &assignment));
		cr_expect_eq(sample_judge(buffer.bytes, buffer.length), cases[i].status, "case %zu", i);
		wire_buffer_release(&buffer);
	}
}

Test(wire_faults, refuses_other_payloads_that_do_not_make_sense)
{
	static const struct patch patches[] = {
	        {FRAME_PARAMS, PARAMS_KERNEL, 4, 2, {KERNEL_COUNT, UINT32_MAX}},
	        {FRAME_PARAMS, PARAMS_COUNT, 4, 3, {SAMPLE_COLUMNS - 1, SAMPLE_COLUMNS + 1, UINT32_MAX}},
	        {FRAME_READY, READY_STARTS_DOUBTED, 1, 1, {2}},
	        {FRAME_READY, READY_COUNT, 4, 4, {0, SAMPLE_COLUMNS - 1, SAMPLE_COLUMNS + 1, UINT32_MAX}},
	        {FRAME_GRADIENT, GRADIENT_KERNEL, 4, 1, {KERNEL_COUNT}},
	        {FRAME_GRADIENT, GRADIENT_NODES, 4, 5, {0, 1, 3, TREE_NODES_MAX, UINT32_MAX}},
	        {FRAME_GRADIENT, GRADIENT_WIDTH, 4, 3, {SAMPLE_WIDTH - 1, SAMPLE_WIDTH + 1, UINT32_MAX}},
	        {FRAME_GRADIENT, GRADIENT_LEVEL_0, 4, 1, {1 /* leaves 6 and 7, which are the second node's */}},
	        {FRAME_GRADIENT, GRADIENT_INDEX_0, 4, 4, {4, 10, LEAVES_MAX, UINT32_MAX}},
	        {FRAME_GRADIENT, GRADIENT_LEVEL_1, 4, 4, {TREE_ROOT_LEVEL, TREE_ROOT_LEVEL + 1, 33, UINT32_MAX}},
	        {FRAME_GRADIENT, GRADIENT_INDEX_1, 4, 2, {0, LEAVES_MAX / 4}},
	        {FRAME_ERROR, ERROR_STAGE, 4, 2, {STAGE_COUNT, UINT32_MAX}},
	};
	expect_verdicts(patches, sizeof patches / sizeof *patches, WIRE_BAD_PAYLOAD);
}

Test(wire_faults, takes_nodes_anywhere_in_the_tree_from_left_to_right)
{
	static const struct patch patches[] = {
	        {FRAME_GRADIENT, GRADIENT_INDEX_0, 4, 1, {0}},
	        {FRAME_GRADIENT, GRADIENT_LEVEL_1, 4, 1, {TREE_ROOT_LEVEL - 1}},
	        {FRAME_GRADIENT, GRADIENT_INDEX_1, 4, 1, {LEAVES_MAX / 4 - 1}},
	};
	expect_verdicts(patches, sizeof patches / sizeof *patches, WIRE_OK);
}

/* What the other end says to a frame that was encoded; the buffer is emptied. */
static enum wire_status judge_encoded(bool encoded, struct wire_buffer *buffer)
{
	cr_assert(encoded);
	enum wire_status status = sample_judge(buffer->bytes, buffer->length);
	buffer->length = 0;
	return status;
}

Test(wire_faults, refuses_more_numbers_than_there_is_room_for_although_the_payload_has_them)
{
	static const double numbers[TREE_NODES_MAX * SAMPLE_WIDTH];
	const struct frame_header header = sample_header();
	struct wire_buffer buffer = {0};
	struct tree_node nodes[TREE_NODES_MAX];
	for (uint32_t i = 0; i < TREE_NODES_MAX; i++)
		nodes[i] = (struct tree_node){0, i};
	for (uint32_t more = 0; more < 2; more++) {
		enum wire_status expected = more == 0 ? WIRE_OK : WIRE_BAD_PAYLOAD;
		struct params params = {KERNEL_MEANS, SAMPLE_COLUMNS + more, numbers};
		struct ready ready = {.first_row_count = SAMPLE_COLUMNS + more, .first_row = numbers};
		struct gradient long_one = {
		        .node_count = TREE_NODES_MAX - 1 + more, .nodes = nodes, .vectors = numbers};
		struct gradient wide = {
		        .node_count = 1, .width = SAMPLE_WIDTH + more, .nodes = nodes, .vectors = numbers};
		cr_expect_eq(judge_encoded(wire_encode_params(&buffer, &header, &params), &buffer), expected);
		cr_expect_eq(judge_encoded(wire_encode_ready(&buffer, &header, &ready), &buffer), expected);
		cr_expect_eq(judge_encoded(wire_encode_gradient(&buffer, &header, &long_one), &buffer), expected);
		cr_expect_eq(judge_encoded(wire_encode_gradient(&buffer, &header, &wide), &buffer), expected);
	}
	wire_buffer_release(&buffer);
}

Test(wire_faults, refuses_a_path_or_columns_beyond_the_limits_although_the_payload_has_them)
{
	static uint32_t columns[WIRE_COLUMNS_MAX + 1];
	static double centre[WIRE_COLUMNS_MAX + 1];
	static char path[WIRE_PATH_MAX + 2];
	const struct frame_header header = sample_header();
	struct wire_buffer buffer = {0};
	for (uint32_t i = 0; i <= WIRE_COLUMNS_MAX; i++)
		columns[i] = i;
	for (uint32_t more = 0; more < 2; more++) {
		enum wire_status expected = more == 0 ? WIRE_OK : WIRE_BAD_PAYLOAD;
		struct assignment far = sample_assignment();
		memset(path, '/', WIRE_PATH_MAX + more);
		far.dataset.path = path;
		cr_expect_eq(judge_encoded(wire_encode_assign(&buffer, &header, &far), &buffer), expected);
		struct assignment wide = sample_assignment();
		wide.dataset.columns = columns;
		wide.dataset.features = WIRE_COLUMNS_MAX - 1 + more;
		wide.dataset.file_columns = WIRE_COLUMNS_MAX + more;
		wide.centre = centre;
		cr_expect_eq(judge_encoded(wire_encode_assign(&buffer, &header, &wide), &buffer), expected);
	}
	wire_buffer_release(&buffer);
}

/* The sample's payload cut or lengthened, under a checksum that is right. */
static enum wire_status judge_resized(struct frame frame, size_t payload_length)
{
	frame.length = WIRE_HEADER_BYTES + payload_length;
	for (unsigned byte = 0; byte < 4; byte++)
		frame.bytes[HEADER_LENGTH + byte] = (unsigned char)(payload_length >> 8 * byte);
	sample_seal(frame.bytes, frame.length);
	return sample_judge(frame.bytes, frame.length);
}

Test(wire_faults, refuses_a_payload_of_any_other_length)
{
	for (enum frame_type type = FRAME_ASSIGN; type < FRAME_ERROR; type++) {
		struct frame frame = frame_of(type);
		size_t right = frame.length - WIRE_HEADER_BYTES;
		for (size_t length = 0; length <= right + 16; length++)
			cr_expect_eq(judge_resized(frame, length), length == right ? WIRE_OK : WIRE_BAD_PAYLOAD,
			        "%s, %zu bytes", frame_type_name(type), length);
	}
}

Test(wire_faults, takes_the_text_of_an_error_only_as_long_as_there_is_room)
{
	enum { FIXED = 24 };
	static unsigned char payload[FIXED + WIRE_TEXT_MAX];
	struct worker_error error;
	memset(payload + FIXED, 'x', WIRE_TEXT_MAX);
	for (size_t length = 0; length < FIXED; length++)
		cr_expect_eq(wire_decode_error(payload, length, &error), WIRE_BAD_PAYLOAD);
	for (size_t text = 0; text < WIRE_TEXT_MAX; text++) {
		cr_assert_eq(wire_decode_error(payload, FIXED + text, &error), WIRE_OK);
		cr_expect_eq(strlen(error.text), text);
	}
	cr_expect_eq(wire_decode_error(payload, FIXED + WIRE_TEXT_MAX, &error), WIRE_BAD_PAYLOAD);
}

/* Half of them noise, half of them samples with a few bytes replaced; returns the length. */
static size_t random_payload(uint64_t *state, enum frame_type type, unsigned char *payload, size_t capacity)
{
	size_t length = random_below(state, (unsigned)capacity + 1);
	for (size_t i = 0; i < length; i++)
		payload[i] = (unsigned char)random_next(state);
	if (random_below(state, 2) == 0)
		return length;
	struct frame frame = frame_of(type);
	length = frame.length - WIRE_HEADER_BYTES;
	memcpy(payload, frame.bytes + WIRE_HEADER_BYTES, length);
	for (unsigned changes = random_below(state, 4); changes > 0 && length > 0; changes--)
		payload[random_below(state, (unsigned)length)] = (unsigned char)random_next(state);
	return length;
}

/* May what was taken be used as offsets and counts without a further look? */
static bool is_sound(enum frame_type type, const struct decoded *decoded)
{
	const struct assignment *assignment = &decoded->assignment;
	const struct gradient *gradient = &decoded->gradient;
	uint64_t behind = 0;
	switch (type) {
	case FRAME_ASSIGN:
		for (size_t i = 0; i <= assignment->dataset.features; i++)
			if (assignment->dataset.columns[i] >= assignment->dataset.file_columns)
				return false;
		return assignment->leaves.end <= assignment->leaf_count && assignment->leaf_count <= LEAVES_MAX &&
		       strlen(assignment->dataset.path) <= WIRE_PATH_MAX;
	case FRAME_PARAMS:
		return decoded->params.count == SAMPLE_COLUMNS && decoded->params.kernel < KERNEL_COUNT;
	case FRAME_PREDICT:
		return decoded->predict.count == SAMPLE_COLUMNS && decoded->predict.rows <= WIRE_PREDICTIONS_MAX;
	case FRAME_PREDICTIONS:
		return decoded->predictions.rows * decoded->predictions.width <= sizeof decoded->vectors / 8;
	case FRAME_GRADIENT:
		for (uint32_t i = 0; i < gradient->node_count; i++) {
			struct range leaves = tree_node_leaves(gradient->nodes[i]);
			if (leaves.begin < behind || leaves.end > LEAVES_MAX)
				return false;
			behind = leaves.end;
		}
		return gradient->node_count < TREE_NODES_MAX && gradient->width <= SAMPLE_WIDTH;
	case FRAME_ERROR:
		return decoded->error.stage < STAGE_COUNT && strlen(decoded->error.text) < WIRE_TEXT_MAX;
	default:
		return true;
	}
}

Test(wire_faults, survives_random_payloads)
{
	enum { CASES = 100000, CAPACITY = 320 };
	struct guard_page guard = guard_page_new(CAPACITY);
	uint64_t state = 1;
	int taken = 0;
	for (int i = 0; i < CASES; i++) {
		unsigned char payload[CAPACITY];
		struct decoded decoded = {.out_of_memory = false};
		enum frame_type type = FRAME_ASSIGN + random_below(&state, FRAME_TYPE_END - FRAME_ASSIGN);
		size_t length = random_payload(&state, type, payload, sizeof payload);
		const char *at = guard_page_place(&guard, (const char *)payload, length);
		enum wire_status status = sample_decode_payload(type, (const unsigned char *)at, length, &decoded);
		cr_assert(status == WIRE_BAD_PAYLOAD || (status == WIRE_OK && is_sound(type, &decoded)), "case %d", i);
		taken += status == WIRE_OK;
		assignment_release(&decoded.assignment);
	}
	cr_expect(taken > CASES / 20 && taken < CASES / 2, "%d of %d", taken, CASES);
	guard_page_free(&guard);
}

Test(wire_faults, survives_random_frames)
{
	uint64_t state = 2;
	struct guard_page guard = guard_page_new(sizeof(struct frame));
	for (int i = 0; i < 100000; i++) {
		unsigned char bytes[128];
		size_t length = random_below(&state, sizeof bytes + 1);
		for (size_t at = 0; at < length; at++)
			bytes[at] = (unsigned char)random_next(&state);
		/* The start is right as often as not, so that what comes behind it is reached. */
		if (random_below(&state, 2) == 0)
			memcpy(bytes, "FKFT\1\1\0\0", length < 8 ? length : 8);
		const char *at = guard_page_place(&guard, (const char *)bytes, length);
		cr_assert_neq(sample_judge((const unsigned char *)at, length), WIRE_OK);
	}
	guard_page_free(&guard);
}
