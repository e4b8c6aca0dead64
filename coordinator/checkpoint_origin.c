#include "coordinator/checkpoint_origin.h"

#include "coordinator/number_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On one line, whatever a column is called. */
static void write_name(FILE *out, const char *name)
{
	fputc('"', out);
	for (; *name != '\0'; name++) {
		unsigned char byte = (unsigned char)*name;
		if (byte < ' ' || byte == 0x7F || byte == '"' || byte == '\\')
			fprintf(out, "\\x%02x", (unsigned)byte);
		else
			fputc(byte, out);
	}
	fputs("\"\n", out);
}

static void write_number(FILE *out, const char *name, double value)
{
	char text[NUMBER_TEXT_BYTES];
	number_text(value, text);
	fprintf(out, "%s %s\n", name, text);
}

static void write_format(FILE *out, const struct dataset *dataset)
{
	if (dataset->format == DATASET_CSV) {
		fprintf(out, "dataset.format csv\n");
		if (dataset->delimiter == '\t')
			fprintf(out, "dataset.delimiter tab\n");
		else
			fprintf(out, "dataset.delimiter %c\n", dataset->delimiter);
		return;
	}
	fprintf(out, "dataset.format npy\n");
	fprintf(out, "dataset.dtype %s\n", dataset->element == ELEMENT_F8 ? "<f8" : "<f4");
	fprintf(out, "dataset.fortran_order %s\n", dataset->fortran_order ? "true" : "false");
}

static void write_dataset(FILE *out, const struct loader *loader)
{
	const struct dataset *dataset = &loader->dataset;
	fprintf(out, "dataset.bytes %" PRIu64 "\n", dataset->identity.bytes);
	write_format(out, dataset);
	fprintf(out, "dataset.header_bytes %" PRIu64 "\n", dataset->data_offset);
	fprintf(out, "dataset.columns %" PRIu32 "\n", dataset->file_columns);
	fprintf(out, "dataset.missing %s\n", dataset->missing == MISSING_ERROR ? "error" : "skip_row");
	fprintf(out, "dataset.target %" PRIu32 " ", dataset->columns[dataset->features]);
	write_name(out, loader_used_name(loader, dataset->features));
	fprintf(out, "dataset.features %" PRIu32 "\n", dataset->features);
	for (uint32_t j = 0; j < dataset->features; j++) {
		fprintf(out, "dataset.features[%" PRIu32 "] %" PRIu32 " ", j, dataset->columns[j]);
		write_name(out, loader_used_name(loader, j));
	}
	fprintf(out, "dataset.leaves %" PRIu32 "\n", loader->leaf_count);
}

static void write_training(FILE *out, const struct config *config, uint32_t workers)
{
	char name[64];
	fprintf(out, "training.optimizer %s\n", optimizer_name(config->training.optimizer));
	if (config->training.automatic_rate)
		fprintf(out, "training.learning_rate auto\n");
	else
		write_number(out, "training.learning_rate", config->training.learning_rate);
	fprintf(out, "training.standardize %s\n", config->training.standardize ? "true" : "false");
	fprintf(out, "training.aggregation %s\n", aggregation_name(config->training.aggregation));
	if (config->training.aggregation != AGGREGATE_MEAN)
		fprintf(out, "workers %" PRIu32 "\n", workers);
	fprintf(out, "training.initial.w %zu\n", config->training.initial_count);
	for (size_t j = 0; j < config->training.initial_count; j++) {
		snprintf(name, sizeof name, "training.initial.w[%zu]", j);
		write_number(out, name, config->training.initial_w[j]);
	}
	write_number(out, "training.initial.b", config->training.initial_b);
}

char *checkpoint_origin_text(const struct config *config, const struct loader *loader, uint32_t workers)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);
	if (out == NULL)
		return NULL;
	write_dataset(out, loader);
	write_training(out, config, workers);
	bool written = !ferror(out);
	if (fclose(out) == 0 && written)
		return text;
	free(text);
	return NULL;
}

/* The value on a line, up to its end or the text's. */
static void add_value(struct phrase *phrase, const char *line)
{
	const char *space = strpbrk(line, " \n");
	const char *value = space != NULL && *space == ' ' ? space + 1 : "nothing";
	phrase_add_excerpt(phrase, value, strcspn(value, "\n"));
}

bool checkpoint_origin_same(const char *now, const char *then, struct phrase *difference)
{
	while (*now != '\0' && *then != '\0') {
		size_t length = strcspn(now, "\n"), other = strcspn(then, "\n");
		if (length != other || memcmp(now, then, length) != 0)
			break;
		now += length + (now[length] == '\n');
		then += other + (then[other] == '\n');
	}
	if (*now == '\0' && *then == '\0')
		return true;
	size_t name = strcspn(now, " \n");
	if (*now == '\0' || strncmp(now, then, name + 1) != 0) {
		/* Facts that only one of the two has; there is no order in which they could be told. */
		const char *line = *now != '\0' ? now : then;
		phrase_add(difference, "%.*s is known of only one of them", (int)strcspn(line, " \n"), line);
		return false;
	}
	phrase_add(difference, "%.*s is ", (int)name, now);
	add_value(difference, now);
	phrase_add(difference, ", and was ");
	add_value(difference, then);
	return false;
}
