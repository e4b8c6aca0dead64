#include "coordinator/checkpoint.h"

#include "common/crc32c.h"
#include "tests/unit/random.h"

#include <criterion/criterion.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TestSuite(checkpoint, .timeout = 60);

/* Numbers that a text could lose, and then some. */
static const double numbers[] = {0.0, -0.0, 1.0, -1.0, 0.1, 1.0 / 3.0, 1e15, 1e16 + 2, 1e22, 123456789012345678.0,
        DBL_MAX, -DBL_MAX, DBL_MIN, DBL_TRUE_MIN, -DBL_TRUE_MIN, DBL_EPSILON, INFINITY, -INFINITY, NAN};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static const char some_origin[] = "dataset.bytes 12\ndataset.target 1 \"\\x0a price\"\n";

static struct checkpoint make(uint32_t features, double number)
{
	struct checkpoint made;
	cr_assert(checkpoint_init(&made, features));
	made.origin = strdup(some_origin);
	made.rows = UINT64_MAX;
	made.skipped = 1;
	made.learning_rate = number;
	made.bounds = (struct step_bounds){number, number};
	made.epoch = UINT32_MAX;
	made.divergence = (struct divergence){.floor = number, .previous = number, .start = number, .rising = 9};
	made.least_gradient = number;
	made.loss = number;
	made.answer = 0x0012abcd;
	for (uint32_t j = 0; j <= features; j++) {
		made.parameters[j] = number;
		made.means[j] = number;
		made.variances[j] = number;
	}
	return made;
}

static void expect_same_number(double one, double other, const char *what)
{
	cr_expect(memcmp(&one, &other, sizeof one) == 0, "%s: %a becomes %a", what, one, other);
}

static void expect_same(const struct checkpoint *one, const struct checkpoint *other)
{
	cr_assert_eq(one->features, other->features);
	cr_expect_str_eq(one->origin, other->origin);
	cr_expect_eq(one->rows, other->rows);
	cr_expect_eq(one->skipped, other->skipped);
	cr_expect_eq(one->epoch, other->epoch);
	cr_expect_eq(one->divergence.rising, other->divergence.rising);
	cr_expect_eq(one->answer, other->answer);
	expect_same_number(one->learning_rate, other->learning_rate, "learning_rate");
	expect_same_number(one->bounds.lower, other->bounds.lower, "bounds.lower");
	expect_same_number(one->bounds.upper, other->bounds.upper, "bounds.upper");
	expect_same_number(one->divergence.floor, other->divergence.floor, "divergence.floor");
	expect_same_number(one->divergence.previous, other->divergence.previous, "divergence.previous");
	expect_same_number(one->divergence.start, other->divergence.start, "divergence.start");
	expect_same_number(one->least_gradient, other->least_gradient, "least_gradient");
	expect_same_number(one->loss, other->loss, "loss");
	for (uint32_t j = 0; j <= one->features; j++) {
		expect_same_number(one->parameters[j], other->parameters[j], "parameters");
		expect_same_number(one->means[j], other->means[j], "means");
		expect_same_number(one->variances[j], other->variances[j], "variances");
	}
}

static void expect_survival(const struct checkpoint *before)
{
	struct checkpoint after;
	struct phrase problem = {.length = 0};
	char *text = checkpoint_encode(before);
	cr_assert(text != NULL);
	cr_assert(checkpoint_decode(text, strlen(text), &after, &problem) == CHECKPOINT_GOOD, "%s", problem.text);
	expect_same(before, &after);
	checkpoint_release(&after);
	free(text);
}

Test(checkpoint, survives_as_text_to_the_bit)
{
	for (size_t i = 0; i < NUMBERS; i++) {
		struct checkpoint before = make(3, numbers[i]);
		expect_survival(&before);
		checkpoint_release(&before);
	}
}

Test(checkpoint, survives_with_numbers_of_any_bits)
{
	uint64_t random = 1;
	for (int round = 0; round < 300; round++) {
		struct checkpoint before = make(7, 0);
		for (uint32_t j = 0; j < 8; j++) {
			uint64_t bits = random_next(&random);
			memcpy(&before.parameters[j], &bits, sizeof bits);
			if (isnan(before.parameters[j]))
				before.parameters[j] = NAN; /* a payload means nothing, and text has none */
		}
		expect_survival(&before);
		checkpoint_release(&before);
	}
}

Test(checkpoint, tells_its_fields_apart)
{
	struct checkpoint before = make(1, 0);
	before.learning_rate = 1;
	before.bounds = (struct step_bounds){2, 3};
	before.divergence = (struct divergence){.floor = 4, .previous = 5, .start = 6, .rising = 7};
	before.least_gradient = 8;
	before.loss = 9;
	memcpy(before.parameters, (double[]){10, 11}, 2 * sizeof(double));
	memcpy(before.means, (double[]){12, 13}, 2 * sizeof(double));
	memcpy(before.variances, (double[]){14, 15}, 2 * sizeof(double));
	expect_survival(&before);
	checkpoint_release(&before);
}

/* A text that must not be taken for a checkpoint. */
static bool is_refused(const char *text, size_t length)
{
	struct checkpoint read;
	struct phrase problem = {.length = 0};
	if (checkpoint_decode(text, length, &read, &problem) == CHECKPOINT_BAD)
		return problem.length > 0;
	checkpoint_release(&read);
	return false;
}

static char *example_text(size_t *length)
{
	struct checkpoint example = make(2, 1.0 / 3.0);
	char *text = checkpoint_encode(&example);
	cr_assert(text != NULL);
	checkpoint_release(&example);
	*length = strlen(text);
	return text;
}

/* Catches the mutation checkpoint_believed. */
Test(checkpoint, with_any_bit_flipped_is_refused)
{
	size_t length;
	char *text = example_text(&length);
	for (size_t bit = 0; bit < length * 8; bit++) {
		text[bit / 8] ^= (char)(1 << bit % 8);
		cr_expect(is_refused(text, length), "bit %zu of byte %zu", bit % 8, bit / 8);
		text[bit / 8] ^= (char)(1 << bit % 8);
	}
	cr_expect(!is_refused(text, length));
	free(text);
}

Test(checkpoint, cut_short_anywhere_is_refused)
{
	size_t length;
	char *text = example_text(&length);
	for (size_t cut = 0; cut < length; cut++) {
		char *part = calloc(cut + 1, 1); /* so that a sanitizer sees a read beyond its end */
		cr_assert(part != NULL);
		memcpy(part, text, cut);
		cr_expect(is_refused(part, cut), "after %zu of %zu bytes", cut, length);
		free(part);
	}
	free(text);
}

Test(checkpoint, with_something_behind_it_is_refused)
{
	size_t length;
	char *text = example_text(&length);
	char *longer = calloc(2 * length + 1, 1);
	cr_assert(longer != NULL);
	memcpy(longer, text, length);
	memcpy(longer + length, text, length);
	for (size_t more = 1; more <= length; more++) {
		char behind = longer[length + more];
		longer[length + more] = '\0';
		cr_expect(is_refused(longer, length + more), "%zu bytes", more);
		longer[length + more] = behind;
	}
	free(longer);
	free(text);
}

/* Decodes what is given with the checksum it needs behind it, and expects the words. */
static void expect_problem(const char *body, const char *words)
{
	char *text = malloc(strlen(body) + 32);
	struct checkpoint read;
	struct phrase problem = {.length = 0};
	cr_assert(text != NULL);
	sprintf(text, "%scrc32c %08" PRIx32 "\n", body, crc32c(0, body, strlen(body)));
	cr_expect(checkpoint_decode(text, strlen(text), &read, &problem) == CHECKPOINT_BAD, "%s", text);
	cr_expect_str_eq(problem.text, words, "%s\nof %s", problem.text, text);
	free(text);
}

#define HEAD "forkfit-checkpoint 2\norigin a 1\n"

Test(checkpoint, with_a_wrong_line_under_a_right_checksum_is_refused_by_name)
{
	static const struct {
		const char *body, *words;
	} cases[] = {
	        {"", "it does not begin as a checkpoint does"},
	        {"forkfit-model 1\n", "it does not begin as a checkpoint does"},
	        {"forkfit-checkpoint 1\n", "its version is not 2, and another could not go on to the same bits"},
	        {"forkfit-checkpoint 22\n", "its version is not 2, and another could not go on to the same bits"},
	        {"forkfit-checkpoint 2\n", "\"features\" is not as it should be"},
	        {"forkfit-checkpoint 2\norigin", "\"features\" is not as it should be"},
	        {"forkfit-checkpoint 2\norigin x", "\"features\" is not as it should be"},
	        {HEAD "features\n", "\"features\" is not as it should be"},
	        {HEAD "features -1\n", "\"features\" is not as it should be"},
	        {HEAD "features 65536\n", "\"features\" is not as it should be"},
	        {HEAD "features 1 \n", "\"features\" is not as it should be"},
	        {HEAD "features 1", "\"features\" is not as it should be"},
	        {HEAD "features 1\nrow 5\n", "\"rows\" is not as it should be"},
	        {HEAD "features 1\nrows 5x\n", "\"rows\" is not as it should be"},
	        {HEAD "features 1\nrows 5\nskipped 0\nlearning_rate \n1\n", "\"learning_rate\" is not as it should be"},
	        {HEAD "features 1\nrows 5\nskipped 0\nlearning_rate x\n", "\"learning_rate\" is not as it should be"},
	        {HEAD "features 1\nrows 5\nskipped 0\nlearning_rate 1\nbounds.lower 1\nbounds.upper 1\nepoch "
	              "4294967296\n",
	                "\"epoch\" is not as it should be"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		expect_problem(cases[i].body, cases[i].words);
}

Test(checkpoint, with_a_vector_of_another_length_is_refused)
{
	static const char *const vectors[] = {"parameters", "means", "variances"};
	struct checkpoint example = make(1, 7);
	char *text = checkpoint_encode(&example);
	cr_assert(text != NULL);
	*strstr(text, "crc32c") = '\0';
	for (size_t i = 0; i < 3; i++) {
		char body[2048], right[64], wrong[64], words[64];
		snprintf(right, sizeof right, "\n%s 7 7\n", vectors[i]);
		snprintf(words, sizeof words, "\"%s\" is not as it should be", vectors[i]);
		for (int count = 1; count <= 3; count += 2) {
			const char *at = strstr(text, right);
			cr_assert(at != NULL);
			snprintf(wrong, sizeof wrong, "\n%s%s\n", vectors[i], count == 1 ? " 7" : " 7 7 7");
			snprintf(body, sizeof body, "%.*s%s%s", (int)(at - text), text, wrong, at + strlen(right));
			expect_problem(body, words);
		}
	}
	free(text);
	checkpoint_release(&example);
}

Test(checkpoint, of_the_most_columns_survives)
{
	struct checkpoint before = make(65534, 1.0 / 7.0);
	expect_survival(&before);
	checkpoint_release(&before);
}
