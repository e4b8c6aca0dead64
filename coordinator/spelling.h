/* Which known word did someone mean? Pure. */
#ifndef FORKFIT_COORDINATOR_SPELLING_H
#define FORKFIT_COORDINATOR_SPELLING_H

#include <stddef.h>

/*
 * The edits from one word to the other: a letter put in, left out, changed, or two neighbours swapped (Damerau and
 * Levenshtein, in the form of optimal string alignment). Case does not count. SIZE_MAX if a word has more than
 * SPELLING_LONGEST letters.
 */
enum { SPELLING_LONGEST = 40 }; /* longer than any word that is meant to be typed */
size_t spelling_distance(const char *one, const char *other);

/* The candidate that `word` most likely stands for, or NULL if none comes near. */
const char *spelling_nearest(const char *word, const char *const *candidates, size_t count);

#endif
