/* Texts of random numbers, in records of three fields, and what strtod makes of them. */
#ifndef FORKFIT_TESTS_CSV_NUMBERS_H
#define FORKFIT_TESTS_CSV_NUMBERS_H

#include <stddef.h>
#include <stdint.h>

enum { CSV_NUMBERS_FIELDS = 3 };

struct csv_numbers {
	char *text; /* ends right in front of a page that may not be touched */
	size_t length;
	size_t rows;
	double *expected; /* rows × CSV_NUMBERS_FIELDS */
	struct guard_page *guard;
};

/* Writes one number, of fewer than 1000 characters. */
typedef void csv_numbers_drawer(uint64_t *state, char *text, size_t size);

/* As programs and people write them: few digits or 17, fixed or with an exponent, of every size that a double has. */
csv_numbers_drawer csv_numbers_draw_ordinary;

/* Halfway between two doubles, or so little beside that only the last of many digits tells; the ends of the range. */
csv_numbers_drawer csv_numbers_draw_hard;

void csv_numbers_draw(
        struct csv_numbers *numbers, uint64_t *state, csv_numbers_drawer *drawer, size_t rows, const char *line_end);
void csv_numbers_release(struct csv_numbers *numbers);

/* Parses the text in two ranges that meet at byte `cut`, with each clone, and asserts every bit. */
void csv_numbers_check_cut(const struct csv_numbers *numbers, size_t cut);

/* Draws about `count` numbers, and does so. */
void csv_numbers_check(uint64_t *state, csv_numbers_drawer *drawer, size_t count);

#endif
