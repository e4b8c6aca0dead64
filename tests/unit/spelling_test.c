#include "coordinator/spelling.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

TestSuite(spelling, .timeout = 10);

Test(spelling, counts_edits)
{
	static const struct {
		const char *one, *other;
		size_t edits;
	} rows[] = {
	        {"", "", 0},
	        {"epochs", "epochs", 0},
	        {"EPOCHS", "epochs", 0},
	        {"", "abc", 3},
	        {"epoch", "epochs", 1},
	        {"epochss", "epochs", 1},
	        {"epachs", "epochs", 1},
	        {"epohcs", "epochs", 1},
	        {"pathl", "halt", 4},
	        {"ca", "abc", 3},
	        {"kitten", "sitting", 3},
	        {"learningRate", "learning_rate", 1},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		cr_expect_eq(spelling_distance(rows[i].one, rows[i].other), rows[i].edits, "%s", rows[i].one);
		cr_expect_eq(spelling_distance(rows[i].other, rows[i].one), rows[i].edits, "%s", rows[i].one);
	}
}

Test(spelling, does_not_measure_words_that_are_too_long)
{
	char word[SPELLING_LONGEST + 2];
	memset(word, 'a', sizeof word);
	word[SPELLING_LONGEST] = '\0';
	cr_expect_eq(spelling_distance(word, "a"), SPELLING_LONGEST - 1);
	word[SPELLING_LONGEST] = 'a';
	word[SPELLING_LONGEST + 1] = '\0';
	cr_expect_eq(spelling_distance(word, "a"), SIZE_MAX);
}

Test(spelling, finds_what_was_meant_or_nothing)
{
	static const char *const keys[] = {"learning_rate", "epochs", "tolerance", "worker_timeout_s", "w", "b"};
	static const struct {
		const char *word, *meant; /* NULL: nothing */
	} rows[] = {
	        {"epoch", "epochs"},
	        {"Epochs", "epochs"},
	        {"lerning_rat", "learning_rate"},
	        {"toleranz", "tolerance"},
	        {"tol", "tolerance"},
	        {"timeout", "worker_timeout_s"},
	        {"er", NULL}, /* too short to be a part of a word */
	        {"r_t", "worker_timeout_s"},
	        {"rat", "learning_rate"},
	        {"momentum", NULL},
	        {"c", NULL},
	        {"", NULL},
	        {"W", "w"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		const char *meant = spelling_nearest(rows[i].word, keys, sizeof keys / sizeof *keys);
		cr_expect(meant == rows[i].meant || (meant && rows[i].meant && strcmp(meant, rows[i].meant) == 0),
		        "%s: %s", rows[i].word, meant ? meant : "nothing");
	}
}

Test(spelling, suggests_nothing_for_a_part_of_two_words)
{
	static const char *const keys[] = {"worker_timeout_s", "connect_timeout_s"};
	cr_expect_null(spelling_nearest("timeout", keys, 2));
}
