#include "coordinator/checkpoint.h"

#include "common/crc32c.h"
#include "coordinator/number_text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "forkfit-checkpoint ";
static const char version[] = "2\n"; /* 1: products were rounded before they were added */
static const char origin_name[] = "origin ";

/* "crc32c ", eight digits and a newline */
enum { TRAILER_LENGTH = 16 };

/* As many as a dataset has columns; a number beyond it is not a reason to ask for memory. */
enum { FEATURES_MAX = 65535 };

enum field_type { FIELD_U32, FIELD_U64, FIELD_CHECKSUM, FIELD_NUMBER, FIELD_VECTOR };

static const struct field {
	const char *name;
	enum field_type type;
	size_t offset;
} fields[] = {
        {"rows", FIELD_U64, offsetof(struct checkpoint, rows)},
        {"skipped", FIELD_U64, offsetof(struct checkpoint, skipped)},
        {"learning_rate", FIELD_NUMBER, offsetof(struct checkpoint, learning_rate)},
        {"bounds.lower", FIELD_NUMBER, offsetof(struct checkpoint, bounds.lower)},
        {"bounds.upper", FIELD_NUMBER, offsetof(struct checkpoint, bounds.upper)},
        {"epoch", FIELD_U32, offsetof(struct checkpoint, epoch)},
        {"divergence.floor", FIELD_NUMBER, offsetof(struct checkpoint, divergence.floor)},
        {"divergence.previous", FIELD_NUMBER, offsetof(struct checkpoint, divergence.previous)},
        {"divergence.start", FIELD_NUMBER, offsetof(struct checkpoint, divergence.start)},
        {"divergence.rising", FIELD_U32, offsetof(struct checkpoint, divergence.rising)},
        {"least_gradient", FIELD_NUMBER, offsetof(struct checkpoint, least_gradient)},
        {"loss", FIELD_NUMBER, offsetof(struct checkpoint, loss)},
        {"answer", FIELD_CHECKSUM, offsetof(struct checkpoint, answer)},
        {"parameters", FIELD_VECTOR, offsetof(struct checkpoint, parameters)},
        {"means", FIELD_VECTOR, offsetof(struct checkpoint, means)},
        {"variances", FIELD_VECTOR, offsetof(struct checkpoint, variances)},
};
enum { FIELD_COUNT = sizeof fields / sizeof *fields };

bool checkpoint_init(struct checkpoint *checkpoint, uint32_t features)
{
	size_t count = (size_t)features + 1;
	*checkpoint = (struct checkpoint){
	        .features = features,
	        .least_gradient = INFINITY,
	        .parameters = calloc(count, sizeof(double)),
	        .means = calloc(count, sizeof(double)),
	        .variances = calloc(count, sizeof(double)),
	};
	if (checkpoint->parameters != NULL && checkpoint->means != NULL && checkpoint->variances != NULL)
		return true;
	checkpoint_release(checkpoint);
	return false;
}

void checkpoint_release(struct checkpoint *checkpoint)
{
	free(checkpoint->origin);
	free(checkpoint->parameters);
	free(checkpoint->means);
	free(checkpoint->variances);
	*checkpoint = (struct checkpoint){.epoch = 0};
}

static void write_origin(FILE *out, const char *origin)
{
	for (const char *line = origin, *end; *line != '\0'; line = end + 1) {
		end = strchr(line, '\n');
		fprintf(out, "%s%.*s\n", origin_name, (int)(end - line), line);
	}
}

static void write_number(FILE *out, double value)
{
	char text[NUMBER_TEXT_BYTES];
	number_text(value, text);
	fprintf(out, " %s", text);
}

static void write_field(FILE *out, const struct checkpoint *checkpoint, const struct field *field)
{
	const void *place = (const char *)checkpoint + field->offset;
	fputs(field->name, out);
	switch (field->type) {
	case FIELD_U32:
		fprintf(out, " %" PRIu32, *(const uint32_t *)place);
		break;
	case FIELD_U64:
		fprintf(out, " %" PRIu64, *(const uint64_t *)place);
		break;
	case FIELD_CHECKSUM:
		fprintf(out, " %08" PRIx32, *(const uint32_t *)place);
		break;
	case FIELD_NUMBER:
		write_number(out, *(const double *)place);
		break;
	case FIELD_VECTOR:
		for (uint32_t i = 0; i <= checkpoint->features; i++)
			write_number(out, (*(double *const *)place)[i]);
		break;
	}
	fputc('\n', out);
}

static void format_trailer(const char *text, size_t length, char trailer[TRAILER_LENGTH + 1])
{
	snprintf(trailer, TRAILER_LENGTH + 1, "crc32c %08" PRIx32 "\n", crc32c(0, text, length));
}

char *checkpoint_encode(const struct checkpoint *checkpoint)
{
	char *text = NULL;
	size_t length;
	char trailer[TRAILER_LENGTH + 1];
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	fprintf(out, "%s%s", magic, version);
	write_origin(out, checkpoint->origin);
	fprintf(out, "features %" PRIu32 "\n", checkpoint->features);
	for (size_t i = 0; i < FIELD_COUNT; i++)
		write_field(out, checkpoint, &fields[i]);
	bool written = fflush(out) == 0;
	if (written) {
		format_trailer(text, length, trailer);
		fputs(trailer, out);
	}
	written = written && !ferror(out);
	if (fclose(out) == 0 && written)
		return text;
	free(text);
	return NULL;
}

/* What is left to be read; the text behind it is a trailer, so that no line of it is the last. */
struct reader {
	const char *at;
	const char *end;
};

static bool take_text(struct reader *reader, const char *text)
{
	size_t length = strlen(text);
	if ((size_t)(reader->end - reader->at) < length || memcmp(reader->at, text, length) != 0)
		return false;
	reader->at += length;
	return true;
}

static bool take_unsigned(struct reader *reader, int base, uint64_t most, uint64_t *value)
{
	char *after;
	if (!take_text(reader, " ") || strchr("0123456789abcdef", *reader->at) == NULL)
		return false;
	*value = strtoull(reader->at, &after, base);
	reader->at = after;
	return *value <= most;
}

static bool take_number(struct reader *reader, double *value)
{
	char *after;
	if (!take_text(reader, " ") || *reader->at <= ' ')
		return false;
	*value = strtod(reader->at, &after);
	bool taken = after > reader->at;
	reader->at = after;
	return taken;
}

static bool take_value(struct reader *reader, struct checkpoint *checkpoint, const struct field *field)
{
	void *place = (char *)checkpoint + field->offset;
	uint64_t value = 0;
	switch (field->type) {
	case FIELD_U32:
	case FIELD_CHECKSUM:
		if (!take_unsigned(reader, field->type == FIELD_U32 ? 10 : 16, UINT32_MAX, &value))
			return false;
		*(uint32_t *)place = (uint32_t)value;
		return true;
	case FIELD_U64:
		return take_unsigned(reader, 10, UINT64_MAX, place);
	case FIELD_NUMBER:
		return take_number(reader, place);
	case FIELD_VECTOR:
		for (uint32_t i = 0; i <= checkpoint->features; i++)
			if (!take_number(reader, &(*(double **)place)[i]))
				return false;
		return true;
	}
	return false;
}

/* The facts, without the name before each. NULL: out of memory. */
static char *take_origin(struct reader *reader)
{
	char *origin = malloc((size_t)(reader->end - reader->at) + 1);
	size_t length = 0;
	while (origin != NULL && take_text(reader, origin_name)) {
		const char *line = reader->at;
		const char *newline = memchr(line, '\n', (size_t)(reader->end - line));
		reader->at = newline != NULL ? newline + 1 : reader->end;
		memcpy(origin + length, line, (size_t)(reader->at - line));
		length += (size_t)(reader->at - line);
	}
	if (origin != NULL)
		origin[length] = '\0';
	return origin;
}

/* Has the text its first line and its last, and are they right? */
static bool is_whole(const char *text, size_t length, struct phrase *problem)
{
	size_t start = sizeof magic - 1;
	char trailer[TRAILER_LENGTH + 1];
	if (length == 0) {
		phrase_add(problem, "it is empty");
		return false;
	}
	if (memcmp(text, magic, length < start ? length : start) != 0) {
		phrase_add(problem, "it does not begin as a checkpoint does");
		return false;
	}
	if (length < start + TRAILER_LENGTH || memcmp(text + length - TRAILER_LENGTH, "crc32c ", 7) != 0) {
		phrase_add(problem, "it is cut short, or its end was changed");
		return false;
	}
	format_trailer(text, length - TRAILER_LENGTH, trailer);
	if (memcmp(text + length - TRAILER_LENGTH, trailer, TRAILER_LENGTH) != 0) {
		phrase_add(problem, "its checksum is wrong");
		return false;
	}
	if (strncmp(text + start, version, sizeof version - 1) != 0) {
		phrase_add(problem, "its version is not 2, and another could not go on to the same bits");
		return false;
	}
	return true;
}

enum checkpoint_status checkpoint_decode(
        const char *text, size_t length, struct checkpoint *checkpoint, struct phrase *problem)
{
	if (!is_whole(text, length, problem))
		return CHECKPOINT_BAD;
	struct reader reader = {text + sizeof magic - 1 + sizeof version - 1, text + length - TRAILER_LENGTH};
	uint64_t features = 0;
	const char *wrong = "features";
	char *origin = take_origin(&reader);
	if (origin == NULL)
		return CHECKPOINT_NO_MEMORY;
	if (!take_text(&reader, wrong) || !take_unsigned(&reader, 10, FEATURES_MAX, &features) ||
	        !take_text(&reader, "\n")) {
		free(origin);
		phrase_add(problem, "\"%s\" is not as it should be", wrong);
		return CHECKPOINT_BAD;
	}
	if (!checkpoint_init(checkpoint, (uint32_t)features)) {
		free(origin);
		return CHECKPOINT_NO_MEMORY;
	}
	checkpoint->origin = origin;
	for (size_t i = 0; i < FIELD_COUNT; i++) {
		if (take_text(&reader, fields[i].name) && take_value(&reader, checkpoint, &fields[i]) &&
		        take_text(&reader, "\n"))
			continue;
		checkpoint_release(checkpoint);
		phrase_add(problem, "\"%s\" is not as it should be", fields[i].name);
		return CHECKPOINT_BAD;
	}
	return CHECKPOINT_GOOD;
}
