/* What is wanted, what is there, what was meant: the text of an error in a value. */
#include "coordinator/config_value.h"
#include "coordinator/json_text.h"
#include "coordinator/spelling.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void describe_word(const struct config_word *word, struct phrase *phrase)
{
	if (word->bare)
		phrase_add(phrase, "%s", word->text);
	else
		phrase_add_quoted(phrase, word->text);
}

static void describe_range(const struct config_range *range, struct phrase *phrase)
{
	if (isfinite(range->maximum))
		phrase_add(phrase, " from %.15g to %.15g", range->minimum, range->maximum);
	else if (isfinite(range->minimum))
		phrase_add(phrase, range->above_minimum ? " greater than %.15g" : " not below %.15g", range->minimum);
}

static void describe_expected(const struct config_key *key, struct phrase *phrase)
{
	const struct value_kind *kind = key->kind;
	phrase_add(phrase, "expected ");
	if (!kind) {
		phrase_add(phrase, "an object");
		return;
	}
	for (const struct config_word *word = key->words; word && word->text; word++) {
		bool last = !word[1].text && !kind->name;
		if (word > key->words)
			phrase_add(phrase, last ? " or " : ", ");
		describe_word(word, phrase);
	}
	if (kind->name)
		phrase_add(phrase, "%s%s", key->words ? " or " : "", kind->name);
	if (kind->ranged)
		describe_range(&key->range, phrase);
}

static bool add_found(json_t *value, struct phrase *phrase)
{
	char *text = json_text(value, false);
	if (!text)
		return false;
	phrase_add(phrase, ", found ");
	phrase_add_excerpt(phrase, text, strlen(text));
	free(text);
	return true;
}

enum { MOST_WORDS = 8 }; /* more than any key has */

static void add_suggestion(const struct config_key *key, const char *text, struct phrase *phrase)
{
	const char *candidates[MOST_WORDS];
	size_t count = 0;
	for (const struct config_word *word = key->words; word && word->text && count < MOST_WORDS; word++) {
		if (!word->bare)
			candidates[count++] = word->text;
	}
	const char *meant = spelling_nearest(text, candidates, count);
	if (meant)
		phrase_add(phrase, "; did you mean \"%s\"?", meant);
}

bool value_describe_wrong(const struct config_key *key, json_t *value, struct phrase *phrase)
{
	describe_expected(key, phrase);
	if (!add_found(value, phrase))
		return false;
	if (json_is_string(value))
		add_suggestion(key, json_string_value(value), phrase);
	return true;
}

enum value_status value_wrong(const struct config_key *key, json_t *value, struct value_problem *problem)
{
	return value_describe_wrong(key, value, &problem->what) ? VALUE_WRONG : VALUE_NO_MEMORY;
}

enum value_status value_wrong_element(const struct config_key *key, json_t *value, size_t element, const char *expected,
        struct value_problem *problem)
{
	problem->in_element = true;
	problem->element = element;
	phrase_add(&problem->what, "expected %s", expected);
	describe_range(&key->range, &problem->what);
	return add_found(value, &problem->what) ? VALUE_WRONG : VALUE_NO_MEMORY;
}
