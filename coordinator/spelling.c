#include "coordinator/spelling.h"

#include <stdint.h>
#include <string.h>

enum { SHORTEST_PART = 3 }; /* fewer letters are part of nearly any word */

static char lower(char letter)
{
	return letter >= 'A' && letter <= 'Z' ? (char)(letter - 'A' + 'a') : letter;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t spelling_distance(const char *one, const char *other)
{
	/* rows[i % 3][j]: the edits from the first i letters of one to the first j of other */
	size_t rows[3][SPELLING_LONGEST + 1];
	size_t m = strlen(one), n = strlen(other);
	if (m > SPELLING_LONGEST || n > SPELLING_LONGEST)
		return SIZE_MAX;
	for (size_t j = 0; j <= n; j++)
		rows[0][j] = j;
	for (size_t i = 1; i <= m; i++) {
		size_t *row = rows[i % 3];
		const size_t *above = rows[(i - 1) % 3];
		const size_t *second_above = rows[(i + 1) % 3]; /* i - 2 */
		row[0] = i;
		for (size_t j = 1; j <= n; j++) {
			char a = lower(one[i - 1]), b = lower(other[j - 1]);
			row[j] = least(above[j - 1] + (a != b), least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a == lower(other[j - 2]) && lower(one[i - 2]) == b)
				row[j] = least(row[j], second_above[j - 2] + 1);
		}
	}
	return rows[m % 3][n];
}

/* A word cut short, or the main part of a longer one: "timeout" for "worker_timeout_s". */
static const char *only_one_with_part(const char *part, const char *const *candidates, size_t count)
{
	const char *found = NULL;
	if (strlen(part) < SHORTEST_PART)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		if (!strstr(candidates[i], part))
			continue;
		if (found)
			return NULL;
		found = candidates[i];
	}
	return found;
}

const char *spelling_nearest(const char *word, const char *const *candidates, size_t count)
{
	const char *nearest = NULL;
	size_t fewest = SIZE_MAX;
	for (size_t i = 0; i < count; i++) {
		/* One edit in three letters still leaves the word recognisable; more is another word. */
		size_t allowed = strlen(candidates[i]) / 3;
		size_t edits = spelling_distance(word, candidates[i]);
		if (edits <= allowed && edits < fewest) {
			fewest = edits;
			nearest = candidates[i];
		}
	}
	return nearest ? nearest : only_one_with_part(word, candidates, count);
}
