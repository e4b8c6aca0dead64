#include "coordinator/result_table.h"

#include "common/utf8.h"
#include "coordinator/number_text.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Names of more characters are not aligned any more. */
enum { NAME_WIDTH_MAX = 32 };

/* How many characters stand before the decimal point (or the number's end). */
static int integer_width(const char *number)
{
	return (int)strcspn(number, ".e");
}

struct layout {
	size_t name_width;
	int integer_width;
};

static struct layout measure(const struct loader *loader, const struct training_result *result)
{
	struct layout layout = {strlen("intercept"), 0};
	for (uint32_t j = 0; j <= result->features; j++) {
		char text[NUMBER_TEXT_BYTES];
		number_text(result->parameters[j], text);
		if (integer_width(text) > layout.integer_width)
			layout.integer_width = integer_width(text);
		size_t width = j < result->features ? utf8_width(loader_used_name(loader, j)) : 0;
		if (width > layout.name_width && width <= NAME_WIDTH_MAX)
			layout.name_width = width;
	}
	return layout;
}

static void print_coefficient(FILE *out, struct layout layout, const char *name, double value)
{
	char text[NUMBER_TEXT_BYTES];
	number_text(value, text);
	size_t width = utf8_width(name);
	int padding = width < layout.name_width ? (int)(layout.name_width - width) : 0;
	fputs("  ", out);
	utf8_print(out, name);
	fprintf(out, "%*s  %*s%s\n", padding, "", layout.integer_width - integer_width(text), "", text);
}

static void print_metrics(FILE *out, const struct training_result *result)
{
	fprintf(out, "  RMSE %.6g   MAE %.6g   ", result->rmse, result->mae);
	if (isnan(result->r2))
		fprintf(out, "R² undefined (the target is constant)\n");
	else
		fprintf(out, "R² %.6g\n", result->r2);
}

static void print_ending(FILE *out, const struct training_result *result)
{
	static const char *const reasons[] = {
	        [STOP_TOLERANCE] = "the gradient is within the tolerance",
	        [STOP_EPOCHS] = "all epochs are done; more may fit better",
	        [STOP_INTERRUPTED] = "interrupted; more epochs may fit better",
	};
	fprintf(out, "  %" PRIu32 " epoch%s: %s\n", result->epochs, result->epochs == 1 ? "" : "s",
	        reasons[result->stop_reason]);
}

void result_table_print(FILE *out, const struct loader *loader, const struct training_result *result)
{
	uint32_t d = result->features;
	struct layout layout = measure(loader, result);
	utf8_print(out, loader_used_name(loader, d));
	fprintf(out, " from %" PRIu64 " row%s of ", result->rows, result->rows == 1 ? "" : "s");
	utf8_print(out, loader->name);
	fputs("\n\n", out);
	print_coefficient(out, layout, "intercept", result->parameters[d]);
	for (uint32_t j = 0; j < d; j++)
		print_coefficient(out, layout, loader_used_name(loader, j), result->parameters[j]);
	fputc('\n', out);
	if (result->degraded)
		fprintf(out, "  DEGRADED: %" PRIu64 " rows were lost with their workers\n", result->rows_lost);
	print_metrics(out, result);
	print_ending(out, result);
}
