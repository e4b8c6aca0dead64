/* The frames of predictions. */
#include "common/wire_bytes.h"

enum { PREDICT_FIXED_BYTES = 8 + 4 + 4 };

bool wire_encode_predict(struct wire_buffer *buffer, const struct frame_header *header, const struct predict *predict)
{
	size_t length = PREDICT_FIXED_BYTES + 8 * (size_t)predict->count;
	unsigned char *at = wire_begin_frame(buffer, length);
	if (at == NULL)
		return false;
	at = wire_put_u64(at, predict->first);
	at = wire_put_u32(at, predict->rows);
	at = wire_put_u32(at, predict->count);
	wire_put_doubles(at, predict->values, predict->count);
	return wire_finish_frame(buffer, header, FRAME_PREDICT, length);
}

bool wire_encode_predictions(
        struct wire_buffer *buffer, const struct frame_header *header, const struct predictions *predictions)
{
	size_t numbers = (size_t)predictions->rows * predictions->width;
	size_t length = PREDICTIONS_BYTES + 8 * numbers;
	unsigned char *at = wire_begin_frame(buffer, length);
	if (at == NULL)
		return false;
	at = wire_put_u64(at, predictions->first);
	at = wire_put_times(at, &predictions->times);
	at = wire_put_u32(at, predictions->rows);
	at = wire_put_u32(at, predictions->width);
	wire_put_doubles(at, predictions->values, numbers);
	return wire_finish_frame(buffer, header, FRAME_PREDICTIONS, length);
}

enum wire_status wire_decode_predict(
        const unsigned char *payload, size_t length, uint32_t value_count, double *values, struct predict *predict)
{
	struct cursor cursor = {payload, length, false};
	predict->first = wire_get_u64(&cursor);
	predict->rows = wire_get_u32(&cursor);
	predict->count = wire_get_u32(&cursor);
	if (predict->count != value_count || predict->rows > WIRE_PREDICTIONS_MAX)
		return WIRE_BAD_PAYLOAD;
	wire_get_doubles(&cursor, values, value_count);
	predict->values = values;
	return finish_decoding(&cursor);
}

enum wire_status wire_decode_predictions(
        const unsigned char *payload, size_t length, size_t capacity, double *values, struct predictions *predictions)
{
	struct cursor cursor = {payload, length, false};
	predictions->first = wire_get_u64(&cursor);
	predictions->times = wire_get_times(&cursor);
	predictions->rows = wire_get_u32(&cursor);
	predictions->width = wire_get_u32(&cursor);
	if (cursor.bad || predictions->rows > WIRE_PREDICTIONS_MAX || predictions->width < 1 ||
	        predictions->width > 2 || (size_t)predictions->rows * predictions->width > capacity)
		return WIRE_BAD_PAYLOAD;
	wire_get_doubles(&cursor, values, (size_t)predictions->rows * predictions->width);
	predictions->values = values;
	return finish_decoding(&cursor);
}
