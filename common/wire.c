#include "common/wire.h"

#include "common/crc32c.h"
#include "common/wire_bytes.h"

#include <stdlib.h>
#include <string.h>

static const unsigned char magic[4] = {'F', 'K', 'F', 'T'};

/* Places in the header. */
enum {
	AT_VERSION = 4,
	AT_TYPE = 5,
	AT_RESERVED = 6,
	AT_PAYLOAD_LENGTH = 8,
	AT_WORKER = 12,
	AT_INCARNATION = 16,
	AT_EPOCH = 20,
	AT_ROUND = 24,
	AT_CHECKSUM = 28,
};

const char *wire_status_text(enum wire_status status)
{
	static const char *const texts[] = {
	        [WIRE_OK] = "no fault",
	        [WIRE_SHORT] = "the frame is cut short",
	        [WIRE_BAD_MAGIC] = "not a frame (wrong magic)",
	        [WIRE_BAD_VERSION] = "another version of the protocol",
	        [WIRE_BAD_TYPE] = "no such type of frame",
	        [WIRE_OVERSIZED] = "a length beyond the limit",
	        [WIRE_BAD_CHECKSUM] = "the checksum does not match",
	        [WIRE_BAD_PAYLOAD] = "a payload that does not fit its type",
	};
	_Static_assert(sizeof texts / sizeof *texts == WIRE_BAD_PAYLOAD + 1, "a text for every status");
	return texts[status];
}

const char *frame_type_name(enum frame_type type)
{
	static const char *const names[] = {
	        [FRAME_ASSIGN] = "ASSIGN",
	        [FRAME_PARAMS] = "PARAMS",
	        [FRAME_STOP] = "STOP",
	        [FRAME_READY] = "READY",
	        [FRAME_GRADIENT] = "GRADIENT",
	        [FRAME_ERROR] = "ERROR",
	        [FRAME_PREDICT] = "PREDICT",
	        [FRAME_PREDICTIONS] = "PREDICTIONS",
	};
	_Static_assert(sizeof names / sizeof *names == FRAME_TYPE_END, "a name for every type");
	return type >= FRAME_ASSIGN && type < FRAME_TYPE_END ? names[type] : "unknown";
}

void wire_buffer_release(struct wire_buffer *buffer)
{
	free(buffer->bytes);
	*buffer = (struct wire_buffer){0};
}

static bool reserve(struct wire_buffer *buffer, size_t more)
{
	size_t needed = buffer->length + more;
	if (needed <= buffer->capacity)
		return true;
	unsigned char *bytes = realloc(buffer->bytes, needed);
	if (bytes == NULL)
		return false;
	buffer->bytes = bytes;
	buffer->capacity = needed;
	return true;
}

unsigned char *wire_begin_frame(struct wire_buffer *buffer, size_t payload_length)
{
	if (!reserve(buffer, WIRE_HEADER_BYTES + payload_length))
		return NULL;
	return buffer->bytes + buffer->length + WIRE_HEADER_BYTES;
}

/* The checksum covers the header up to the checksum's own place, then the payload. */
static uint32_t checksum(const unsigned char *frame, size_t payload_length)
{
	uint32_t crc = crc32c(0, frame, AT_CHECKSUM);
	return crc32c(crc, frame + WIRE_HEADER_BYTES, payload_length);
}

void wire_reseal(unsigned char *frame, const struct frame_header *header, size_t payload_bytes)
{
	memcpy(frame, magic, sizeof magic);
	wire_put_u8(frame + AT_VERSION, WIRE_VERSION);
	wire_put_u8(frame + AT_TYPE, (uint8_t)header->type);
	wire_put_u8(frame + AT_RESERVED, 0);
	wire_put_u8(frame + AT_RESERVED + 1, 0);
	wire_put_u32(frame + AT_PAYLOAD_LENGTH, header->payload_length);
	wire_put_u32(frame + AT_WORKER, header->worker);
	wire_put_u32(frame + AT_INCARNATION, header->incarnation);
	wire_put_u32(frame + AT_EPOCH, header->epoch);
	wire_put_u32(frame + AT_ROUND, header->round);
	wire_put_u32(frame + AT_CHECKSUM, checksum(frame, payload_bytes));
}

bool wire_finish_frame(
        struct wire_buffer *buffer, const struct frame_header *header, enum frame_type type, size_t payload_length)
{
	struct frame_header final = *header;
	final.type = type;
	final.payload_length = (uint32_t)payload_length;
	wire_reseal(buffer->bytes + buffer->length, &final, payload_length);
	buffer->length += WIRE_HEADER_BYTES + payload_length;
	return true;
}

/* The fixed part of an ASSIGN payload, before path, columns and centre. */
enum { ASSIGN_FIXED_BYTES = 3 * 4 + 3 * 8 + 3 * 8 + 2 * 8 + 6 + 3 * 4 };

bool wire_encode_assign(
        struct wire_buffer *buffer, const struct frame_header *header, const struct assignment *assignment)
{
	const struct dataset *dataset = &assignment->dataset;
	size_t path_length = strlen(dataset->path);
	size_t columns = (size_t)dataset->features + 1;
	size_t length = ASSIGN_FIXED_BYTES + path_length + columns * (4 + 8);
	unsigned char *at = wire_begin_frame(buffer, length);
	if (at == NULL)
		return false;
	at = wire_put_u32(at, assignment->leaf_count);
	at = wire_put_u32(at, (uint32_t)assignment->leaves.begin);
	at = wire_put_u32(at, (uint32_t)assignment->leaves.end);
	at = wire_put_u64(at, assignment->bytes.begin);
	at = wire_put_u64(at, assignment->bytes.end);
	at = wire_put_u64(at, assignment->cache_bytes);
	at = wire_put_u64(at, dataset->identity.bytes);
	at = wire_put_u64(at, dataset->identity.inode);
	at = wire_put_u64(at, (uint64_t)dataset->identity.modified_ns);
	at = wire_put_u64(at, dataset->data_offset);
	at = wire_put_u64(at, dataset->rows);
	at = wire_put_u8(at, (uint8_t)dataset->format);
	at = wire_put_u8(at, (uint8_t)dataset->missing);
	at = wire_put_u8(at, (uint8_t)dataset->delimiter);
	at = wire_put_u8(at, (uint8_t)dataset->element);
	at = wire_put_u8(at, dataset->fortran_order);
	at = wire_put_u8(at, assignment->quotes);
	at = wire_put_u32(at, dataset->file_columns);
	at = wire_put_u32(at, dataset->features);
	at = wire_put_u32(at, (uint32_t)path_length);
	memcpy(at, dataset->path, path_length);
	at += path_length;
	for (size_t i = 0; i < columns; i++)
		at = wire_put_u32(at, dataset->columns[i]);
	wire_put_doubles(at, assignment->centre, columns);
	return wire_finish_frame(buffer, header, FRAME_ASSIGN, length);
}

bool wire_encode_params(struct wire_buffer *buffer, const struct frame_header *header, const struct params *params)
{
	size_t length = 8 + 8 * (size_t)params->count;
	unsigned char *at = wire_begin_frame(buffer, length);
	if (at == NULL)
		return false;
	at = wire_put_u32(at, params->kernel);
	at = wire_put_u32(at, params->count);
	wire_put_doubles(at, params->values, params->count);
	return wire_finish_frame(buffer, header, FRAME_PARAMS, length);
}

bool wire_encode_stop(struct wire_buffer *buffer, const struct frame_header *header)
{
	return wire_begin_frame(buffer, 0) != NULL && wire_finish_frame(buffer, header, FRAME_STOP, 0);
}

bool wire_encode_ready(struct wire_buffer *buffer, const struct frame_header *header, const struct ready *ready)
{
	size_t length = 2 * 8 + TIMES_BYTES + 1 + 4 + 8 * (size_t)ready->first_row_count;
	unsigned char *at = wire_begin_frame(buffer, length);
	if (at == NULL)
		return false;
	at = wire_put_u64(at, ready->rows);
	at = wire_put_u64(at, ready->skipped);
	at = wire_put_times(at, &ready->times);
	at = wire_put_u8(at, ready->starts_doubted);
	at = wire_put_u32(at, ready->first_row_count);
	wire_put_doubles(at, ready->first_row, ready->first_row_count);
	return wire_finish_frame(buffer, header, FRAME_READY, length);
}

/* The fixed part of a GRADIENT payload, before nodes and vectors. */
enum { GRADIENT_FIXED_BYTES = 4 + TIMES_BYTES + 4 + 4 };

bool wire_encode_gradient(
        struct wire_buffer *buffer, const struct frame_header *header, const struct gradient *gradient)
{
	size_t numbers = (size_t)gradient->node_count * gradient->width;
	size_t length = GRADIENT_FIXED_BYTES + 8 * (size_t)gradient->node_count + 8 * numbers;
	unsigned char *at = wire_begin_frame(buffer, length);
	if (at == NULL)
		return false;
	at = wire_put_u32(at, gradient->kernel);
	at = wire_put_times(at, &gradient->times);
	at = wire_put_u32(at, gradient->node_count);
	at = wire_put_u32(at, gradient->width);
	for (uint32_t i = 0; i < gradient->node_count; i++) {
		at = wire_put_u32(at, gradient->nodes[i].level);
		at = wire_put_u32(at, gradient->nodes[i].index);
	}
	wire_put_doubles(at, gradient->vectors, numbers);
	return wire_finish_frame(buffer, header, FRAME_GRADIENT, length);
}

enum { ERROR_FIXED_BYTES = 4 + 4 + 8 + 8 };

bool wire_encode_error(struct wire_buffer *buffer, const struct frame_header *header, const struct worker_error *error)
{
	size_t text_length = strnlen(error->text, WIRE_TEXT_MAX - 1);
	size_t length = ERROR_FIXED_BYTES + text_length;
	unsigned char *at = wire_begin_frame(buffer, length);
	if (at == NULL)
		return false;
	at = wire_put_u32(at, error->stage);
	at = wire_put_u32(at, (uint32_t)error->system_error);
	at = wire_put_u64(at, (uint64_t)error->offset);
	at = wire_put_u64(at, (uint64_t)error->column);
	memcpy(at, error->text, text_length);
	return wire_finish_frame(buffer, header, FRAME_ERROR, length);
}

size_t wire_max_payload_down(void)
{
	return ASSIGN_FIXED_BYTES + WIRE_PATH_MAX + (size_t)WIRE_COLUMNS_MAX * (4 + 8);
}

size_t wire_max_payload_up(uint32_t features)
{
	size_t gradient = GRADIENT_FIXED_BYTES + WIRE_TEXT_MAX + TREE_NODES_MAX * (8 + 8 * sums_max_width(features));
	size_t predictions = PREDICTIONS_BYTES + 2 * 8 * (size_t)WIRE_PREDICTIONS_MAX;
	return gradient > predictions ? gradient : predictions;
}

enum wire_status wire_decode_header(
        const unsigned char *bytes, size_t length, size_t max_payload, struct frame_header *header)
{
	/* Garbage is named as soon as it shows, before a full header of it has come. */
	if (memcmp(bytes, magic, length < sizeof magic ? length : sizeof magic) != 0)
		return WIRE_BAD_MAGIC;
	if (length < WIRE_HEADER_BYTES)
		return WIRE_SHORT;
	if (bytes[AT_VERSION] != WIRE_VERSION)
		return WIRE_BAD_VERSION;
	if (bytes[AT_TYPE] < FRAME_ASSIGN || bytes[AT_TYPE] >= FRAME_TYPE_END || bytes[AT_RESERVED] != 0 ||
	        bytes[AT_RESERVED + 1] != 0)
		return WIRE_BAD_TYPE;
	*header = (struct frame_header){
	        .type = bytes[AT_TYPE],
	        .payload_length = load_u32(bytes + AT_PAYLOAD_LENGTH),
	        .worker = load_u32(bytes + AT_WORKER),
	        .incarnation = load_u32(bytes + AT_INCARNATION),
	        .epoch = load_u32(bytes + AT_EPOCH),
	        .round = load_u32(bytes + AT_ROUND),
	};
	return header->payload_length > max_payload ? WIRE_OVERSIZED : WIRE_OK;
}

enum wire_status wire_check_frame(const unsigned char *bytes, const struct frame_header *header)
{
	return checksum(bytes, header->payload_length) == load_u32(bytes + AT_CHECKSUM) ? WIRE_OK : WIRE_BAD_CHECKSUM;
}

static void get_dataset(struct cursor *cursor, struct assignment *assignment, uint32_t *path_length)
{
	struct dataset *dataset = &assignment->dataset;
	dataset->identity.bytes = wire_get_u64(cursor);
	dataset->identity.inode = wire_get_u64(cursor);
	dataset->identity.modified_ns = (int64_t)wire_get_u64(cursor);
	dataset->data_offset = wire_get_u64(cursor);
	dataset->rows = wire_get_u64(cursor);
	dataset->format = wire_get_choice(cursor, wire_get_u8(cursor), DATASET_NPY + 1);
	dataset->missing = wire_get_choice(cursor, wire_get_u8(cursor), MISSING_KEEP_ROW + 1);
	dataset->delimiter = (char)wire_get_u8(cursor);
	dataset->element = wire_get_choice(cursor, wire_get_u8(cursor), ELEMENT_F4 + 1);
	dataset->fortran_order = wire_get_bool(cursor);
	assignment->quotes = wire_get_bool(cursor);
	dataset->file_columns = wire_get_u32(cursor);
	dataset->features = wire_get_u32(cursor);
	*path_length = wire_get_u32(cursor);
}

/* Is every column in the file, and none used twice, but for a target that is none? */
static bool columns_are_sound(const struct dataset *dataset)
{
	bool used[WIRE_COLUMNS_MAX] = {false};
	for (size_t i = 0; i <= dataset->features; i++) {
		uint32_t column = dataset->columns[i];
		bool no_target = i == dataset->features && !dataset_has_target(dataset);
		if (column >= dataset->file_columns || (used[column] && !no_target))
			return false;
		used[column] = true;
	}
	return true;
}

/* Do a CSV's bytes lie in the file, from the first leaf on? A leaf's length says how many rows there can be in it. */
static bool bytes_are_sound(const struct assignment *assignment)
{
	const struct dataset *dataset = &assignment->dataset;
	uint64_t units = dataset->identity.bytes - dataset->data_offset;
	struct range first = {0, 0}; /* if there are no leaves */
	if (assignment->leaf_count > 0)
		first = leaves_units(units, assignment->leaf_count, (uint32_t)assignment->leaves.begin);
	return assignment->bytes.begin >= dataset->data_offset + first.begin &&
	       assignment->bytes.begin <= assignment->bytes.end && assignment->bytes.end <= dataset->identity.bytes;
}

/* Do the numbers of an assignment fit one another? Bytes and columns are used as offsets without further checks. */
static bool assignment_is_sound(const struct assignment *assignment)
{
	const struct dataset *dataset = &assignment->dataset;
	if (assignment->leaf_count > LEAVES_MAX || assignment->leaves.begin > assignment->leaves.end ||
	        assignment->leaves.end > assignment->leaf_count)
		return false;
	if (dataset->data_offset > dataset->identity.bytes || !columns_are_sound(dataset))
		return false;
	if (dataset->format == DATASET_CSV)
		return bytes_are_sound(assignment);
	uint64_t row_bytes = (uint64_t)dataset->file_columns * (dataset->element == ELEMENT_F8 ? 8 : 4);
	return dataset->rows <= (dataset->identity.bytes - dataset->data_offset) / row_bytes;
}

enum wire_status wire_decode_assign(
        const unsigned char *payload, size_t length, struct assignment *assignment, bool *out_of_memory)
{
	struct cursor cursor = {payload, length, false};
	struct dataset *dataset = &assignment->dataset;
	uint32_t path_length;
	*assignment = (struct assignment){0};
	*out_of_memory = false;
	assignment->leaf_count = wire_get_u32(&cursor);
	assignment->leaves.begin = wire_get_u32(&cursor);
	assignment->leaves.end = wire_get_u32(&cursor);
	assignment->bytes.begin = wire_get_u64(&cursor);
	assignment->bytes.end = wire_get_u64(&cursor);
	assignment->cache_bytes = wire_get_u64(&cursor);
	get_dataset(&cursor, assignment, &path_length);
	if (cursor.bad || path_length > WIRE_PATH_MAX || dataset->features == 0 ||
	        dataset->features >= WIRE_COLUMNS_MAX || dataset->file_columns > WIRE_COLUMNS_MAX ||
	        dataset->file_columns == 0)
		return WIRE_BAD_PAYLOAD;
	size_t columns = (size_t)dataset->features + 1;
	dataset->path = malloc((size_t)path_length + 1);
	dataset->columns = malloc(columns * sizeof *dataset->columns);
	assignment->centre = malloc(columns * sizeof *assignment->centre);
	if (dataset->path == NULL || dataset->columns == NULL || assignment->centre == NULL) {
		*out_of_memory = true;
		assignment_release(assignment);
		return WIRE_OK;
	}
	const unsigned char *path = take(&cursor, path_length);
	if (path != NULL)
		memcpy(dataset->path, path, path_length);
	dataset->path[path_length] = '\0';
	for (size_t i = 0; i < columns; i++)
		dataset->columns[i] = wire_get_u32(&cursor);
	wire_get_doubles(&cursor, assignment->centre, columns);
	if (finish_decoding(&cursor) == WIRE_OK && assignment_is_sound(assignment))
		return WIRE_OK;
	assignment_release(assignment);
	return WIRE_BAD_PAYLOAD;
}

void assignment_release(struct assignment *assignment)
{
	free(assignment->dataset.path);
	free(assignment->dataset.columns);
	free(assignment->centre);
	*assignment = (struct assignment){0};
}

enum wire_status wire_decode_params(
        const unsigned char *payload, size_t length, uint32_t value_count, double *values, struct params *params)
{
	struct cursor cursor = {payload, length, false};
	params->kernel = wire_get_choice(&cursor, wire_get_u32(&cursor), KERNEL_COUNT);
	params->count = wire_get_u32(&cursor);
	if (cursor.bad || params->count != value_count + sums_further_parameters(params->kernel))
		return WIRE_BAD_PAYLOAD;
	wire_get_doubles(&cursor, values, params->count);
	params->values = values;
	return finish_decoding(&cursor);
}

enum wire_status wire_decode_ready(
        const unsigned char *payload, size_t length, uint32_t value_count, double *first_row, struct ready *ready)
{
	struct cursor cursor = {payload, length, false};
	ready->rows = wire_get_u64(&cursor);
	ready->skipped = wire_get_u64(&cursor);
	ready->times = wire_get_times(&cursor);
	ready->starts_doubted = wire_get_bool(&cursor);
	ready->first_row_count = wire_get_u32(&cursor);
	if (ready->first_row_count != 0 && ready->first_row_count != value_count)
		return WIRE_BAD_PAYLOAD;
	wire_get_doubles(&cursor, first_row, ready->first_row_count);
	ready->first_row = first_row;
	return finish_decoding(&cursor);
}

enum wire_status wire_decode_gradient(const unsigned char *payload, size_t length, size_t max_width,
        struct tree_node *nodes, double *vectors, struct gradient *gradient)
{
	struct cursor cursor = {payload, length, false};
	gradient->kernel = wire_get_choice(&cursor, wire_get_u32(&cursor), KERNEL_COUNT);
	gradient->times = wire_get_times(&cursor);
	gradient->node_count = wire_get_u32(&cursor);
	gradient->width = wire_get_u32(&cursor);
	if (cursor.bad || gradient->node_count >= TREE_NODES_MAX || gradient->width > max_width)
		return WIRE_BAD_PAYLOAD;
	for (uint32_t i = 0; i < gradient->node_count; i++) {
		nodes[i].level = wire_get_u32(&cursor);
		nodes[i].index = wire_get_u32(&cursor);
		if (nodes[i].level > TREE_ROOT_LEVEL || nodes[i].index >= LEAVES_MAX >> nodes[i].level)
			return WIRE_BAD_PAYLOAD;
		if (i > 0 && tree_node_leaves(nodes[i]).begin < tree_node_leaves(nodes[i - 1]).end)
			return WIRE_BAD_PAYLOAD;
	}
	wire_get_doubles(&cursor, vectors, (size_t)gradient->node_count * gradient->width);
	gradient->nodes = nodes;
	gradient->vectors = vectors;
	return finish_decoding(&cursor);
}

enum wire_status wire_decode_error(const unsigned char *payload, size_t length, struct worker_error *error)
{
	struct cursor cursor = {payload, length, false};
	error->stage = wire_get_choice(&cursor, wire_get_u32(&cursor), STAGE_COUNT);
	error->system_error = (int32_t)wire_get_u32(&cursor);
	error->offset = (int64_t)wire_get_u64(&cursor);
	error->column = (int64_t)wire_get_u64(&cursor);
	size_t text_length = cursor.left;
	if (cursor.bad || text_length >= WIRE_TEXT_MAX)
		return WIRE_BAD_PAYLOAD;
	const unsigned char *text = take(&cursor, text_length);
	memcpy(error->text, text, text_length);
	error->text[text_length] = '\0';
	return finish_decoding(&cursor);
}
