/*
 * The parser of a worker's chunk. It takes the bytes as they come, field by field, and expects numbers: that is all the
 * work there is for a good record. A record that is not good is read once more, slowly, to say what is wrong with it.
 */
#include "common/csv.h"
#include "common/csv_field.h"
#include "common/csv_records.h"
#include "common/decimal.h"
#include "common/utf8.h"

#include <math.h>
#include <stdio.h>

enum verdict {
	VERDICT_NUMBER,
	VERDICT_MISSING,
	VERDICT_NOT_A_NUMBER,
	VERDICT_TOO_LARGE,
	VERDICT_TRAILING_TEXT,
};

/* end: of the bytes; decimal_parse is faster where it need not stop short. */
static enum verdict judge(const struct csv_cut *cut, const char *end, double *value)
{
	if (cut->trailing_text)
		return VERDICT_TRAILING_TEXT;
	size_t length = cut->field.length;
	const char *text = csv_trim(cut->field.text, &length);
	const char *after;
	enum decimal_status status = decimal_parse(text, end, value, &after);
	if (status != DECIMAL_NOT_A_NUMBER && after == text + length)
		return status == DECIMAL_OK ? VERDICT_NUMBER : VERDICT_TOO_LARGE;
	return csv_is_missing(text, length) ? VERDICT_MISSING : VERDICT_NOT_A_NUMBER;
}

static bool tolerates(const struct csv_plan *plan, enum verdict verdict)
{
	return verdict == VERDICT_NUMBER || (verdict == VERDICT_MISSING && plan->missing != MISSING_ERROR);
}

static void describe_field(const struct csv_cut *cut, enum verdict verdict, struct csv_problem *problem)
{
	char excerpt[44]; /* 40 bytes, the mark that there is more, and the end */
	size_t length = cut->field.length;
	const char *text = csv_trim(cut->field.text, &length);
	utf8_excerpt(excerpt, sizeof excerpt, text, length);
	char *message = problem->message;
	const size_t size = sizeof problem->message;
	switch (verdict) {
	case VERDICT_NUMBER:
		break;
	case VERDICT_MISSING:
		if (length == 0)
			snprintf(message, size, "value is missing (empty)");
		else
			snprintf(message, size, "value is missing ('%s')", excerpt);
		break;
	case VERDICT_NOT_A_NUMBER:
		snprintf(message, size, "'%s' is not a number", excerpt);
		break;
	case VERDICT_TOO_LARGE:
		snprintf(message, size, "'%s' is too large for a double", excerpt);
		break;
	case VERDICT_TRAILING_TEXT:
		snprintf(message, size, "text after the closing quote");
		break;
	}
}

static void locate(struct csv_problem *problem, const char *at, int64_t field)
{
	problem->at = at;
	problem->field = field;
}

/* Is this field used and not tolerated? If so, *problem gets the message. */
static bool has_problem(const struct csv_plan *plan, uint64_t place, const struct csv_cut *cut, const char *end,
        struct csv_problem *problem)
{
	double value;
	if (place >= plan->fields || plan->slot[place] < 0)
		return false;
	enum verdict verdict = judge(cut, end, &value);
	if (tolerates(plan, verdict))
		return false;
	describe_field(cut, verdict, problem);
	return true;
}

/*
 * Why the record at `start` could not be parsed. The shape of a record goes before what is in it: where fields are too
 * many or too few, a bad field is only the consequence.
 */
static enum csv_status explain(
        const struct csv_plan *plan, const char *start, const char *end, struct csv_problem *problem)
{
	struct csv_cut cut;
	uint64_t count = 0;
	bool found = false;
	for (const char *at = start;; at = cut.after + 1, count++) {
		csv_cut_field(at, end, plan->delimiter, &cut);
		if (cut.field.quoted && !plan->quotes)
			return CSV_QUOTE;
		if (cut.unclosed) {
			locate(problem, at, (int64_t)count);
			snprintf(problem->message, sizeof problem->message, "this quoted field is never closed");
			return CSV_BAD;
		}
		if (!found && has_problem(plan, count, &cut, end, problem)) {
			locate(problem, at, (int64_t)count);
			found = true;
		}
		if (csv_ends_record(cut.after, end))
			break;
	}
	if (++count != plan->fields) {
		locate(problem, start, -1);
		snprintf(problem->message, sizeof problem->message, "%llu field%s, expected %u",
		        (unsigned long long)count, count == 1 ? "" : "s", (unsigned)plan->fields);
	}
	return CSV_BAD;
}

/* The end of a field that is not simply a number between delimiters; NULL: explain it. */
static const char *take_unusual_field(
        const struct csv_plan *plan, const char *at, const char *end, double *value, bool *missing)
{
	struct csv_cut cut;
	csv_cut_field(at, end, plan->delimiter, &cut);
	if (cut.unclosed || (cut.field.quoted && !plan->quotes))
		return NULL;
	enum verdict verdict = judge(&cut, end, value);
	if (verdict == VERDICT_MISSING) {
		*missing = true;
		*value = NAN;
	}
	return tolerates(plan, verdict) ? cut.after : NULL;
}

/* The same for a field that is used. Reading the number finds the end of the field by the way. */
const char *csv_take_any_number(
        const struct csv_plan *plan, const char *at, const char *end, double *value, bool *missing)
{
	const char *after;
	if (decimal_parse(at, end, value, &after) == DECIMAL_OK &&
	        (csv_ends_record(after, end) || *after == plan->delimiter))
		return after;
	return take_unusual_field(plan, at, end, value, missing);
}

static bool take_records_baseline(const struct csv_plan *plan, const char **at, const char *limit, const char *end,
        double *rows, size_t *kept, size_t *skipped)
{
	return csv_take_records(plan, at, limit, end, rows, kept, skipped);
}

static csv_records_taker *const takers[CSV_CLONE_COUNT] = {
        [CSV_CLONE_BASELINE] = take_records_baseline,
        [CSV_CLONE_AVX2] = csv_take_records_avx2,
};

enum csv_clone csv_best_clone(void)
{
	bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
	return has_avx2 ? CSV_CLONE_AVX2 : CSV_CLONE_BASELINE;
}

struct csv_plan csv_plan_for(const struct dataset *dataset, uint32_t width, int32_t *slots, bool quotes)
{
	for (uint32_t i = 0; i < dataset->file_columns; i++)
		slots[i] = -1;
	for (uint32_t j = 0; j < width; j++)
		slots[dataset->columns[j]] = (int32_t)j;
	return (struct csv_plan){
	        .delimiter = dataset->delimiter,
	        .fields = dataset->file_columns,
	        .slot = slots,
	        .width = width,
	        .missing = dataset->missing,
	        .quotes = quotes,
	        .clone = csv_best_clone(),
	};
}

enum csv_status csv_parse_records(const struct csv_plan *plan, const char **at, const char *limit, const char *end,
        double *rows, size_t *kept, size_t *skipped, struct csv_problem *problem)
{
	if (takers[plan->clone](plan, at, limit, end, rows, kept, skipped))
		return CSV_OK;
	return explain(plan, *at, end, problem);
}

size_t csv_rows_at_most(const struct csv_plan *plan, size_t bytes)
{
	if (bytes == 0)
		return 0;
	/* A row takes at least one delimiter or LF for each field, and one character for each number unless it may be
	 * missing; the last of them may lie beyond the range but for its first byte. */
	size_t characters = plan->missing == MISSING_KEEP_ROW ? 0 : plan->width;
	return (bytes - 1) / (plan->fields + characters) + 1;
}
