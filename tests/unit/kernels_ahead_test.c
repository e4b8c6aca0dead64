/* Which lines of the memory the kernels ask for: each that is read, once. */
#include "worker/kernels_ahead.h"
#include "worker/kernels_columns_ahead.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <stdlib.h>

TestSuite(kernels_ahead);

/* Where the rows are that nobody looks at. */
static const uintptr_t BASE = (uintptr_t)1 << 40;

static const unsigned char *address(uintptr_t value)
{
	return (const unsigned char *)value;
}

static void check_each_line_once(enum asks asks)
{
	const size_t bytes = ahead_block(asks), lines = bytes / CACHE_LINE;
	bool *asked = calloc(lines, sizeof *asked);
	cr_assert_not_null(asked);
	for (size_t i = 0; i < lines; i++) {
		const uintptr_t line = (uintptr_t)line_ahead(asks, address(BASE + i * CACHE_LINE));
		cr_assert(line >= BASE + bytes && line < BASE + 2 * bytes, "line %zu", i);
		cr_assert_eq(line % CACHE_LINE, 0);
		cr_assert_not(asked[(line - BASE - bytes) / CACHE_LINE], "line %zu", i);
		asked[(line - BASE - bytes) / CACHE_LINE] = true;
	}
	free(asked);
}

Test(kernels_ahead, has_each_line_of_a_block_for_one_of_the_next)
{
	check_each_line_once(ASKS_BY_ONE);
	check_each_line_once(ASKS_BY_FOUR);
}

static struct kernels kernels_of(uint32_t features)
{
	return (struct kernels){.features = features, .asks_ahead = true};
}

/* Goes through rows of so many bytes of a column, in strips; returns how many turns there were. */
static size_t go_through(struct asker *asker, size_t fours, size_t bytes, size_t strip)
{
	size_t turns = 0, four;
	const unsigned char *lines;
	for (size_t at = 0; at < bytes; at += strip)
		for (size_t i = 0; i < fours; i++)
			turns += asker_turn(asker, fours, strip, &four, &lines);
	return turns;
}

static const uint32_t feature_counts[] = {17, 20, 24, 31, 63, 300, 301, 700, 3000, 8200};
static const size_t strips[] = {32, 64, 128}; /* eight rows of f4 and f8, and half of 32 of f8 */

/* Where a leaf ends, the next one goes on, wherever that is in a run. */
Test(kernels_ahead, goes_on_in_the_next_leaf_with_the_line_behind_the_last)
{
	for (size_t i = 0; i < sizeof feature_counts / sizeof *feature_counts; i++) {
		for (size_t k = 0; k < sizeof strips / sizeof *strips; k++) {
			const struct kernels kernels = kernels_of(feature_counts[i]);
			const uintptr_t rows = BASE + 3 * ASKED_AT_ONCE;
			const size_t bytes = 5 * 256;
			struct asker asker = asker_at(&kernels, address(rows));
			const size_t turns = go_through(&asker, fours_of(&kernels), bytes, strips[k]);
			const struct asker next = asker_at(&kernels, address(rows + bytes));
			cr_assert_eq(turns, bytes * fours_of(&kernels) / ASKED_AT_ONCE);
			cr_assert(asker.rows == next.rows && asker.four == next.four && asker.at == next.at &&
			                  asker.owed == next.owed,
			        "%u features, strips of %zu bytes", feature_counts[i], strips[k]);
		}
	}
}

/* In one turn around all columns, each has each line of its run once. */
Test(kernels_ahead, asks_every_column_for_every_line_of_a_run)
{
	for (size_t i = 0; i < sizeof feature_counts / sizeof *feature_counts; i++) {
		const struct kernels kernels = kernels_of(feature_counts[i]);
		struct asker asker = asker_at(&kernels, address(BASE));
		const size_t turns = asker.run_bytes / ASKED_AT_ONCE;
		asker.four = asker.at = 0;
		const unsigned char *run = asker.rows, *lines;
		for (size_t turn = 0; turn < 2 * turns * fours_of(&kernels); turn++) {
			size_t four;
			cr_assert(asker_turn(&asker, fours_of(&kernels), ASKED_AT_ONCE, &four, &lines));
			cr_assert_eq(four, turn / turns % fours_of(&kernels));
			cr_assert(lines == run + turn / turns / fours_of(&kernels) * asker.run_bytes +
			                           turn % turns * ASKED_AT_ONCE);
		}
	}
}

Test(kernels_ahead, asks_for_no_more_columns_together_than_a_cache_holds)
{
	for (uint32_t features = 17; features < 4800; features++) {
		const struct kernels kernels = kernels_of(features);
		cr_assert_leq(run_bytes(&kernels) * LANES * fours_of(&kernels), 2 * TOGETHER_BYTES, "%u", features);
	}
}

Test(kernels_ahead, asks_for_nothing_that_is_in_a_cache_or_has_few_columns)
{
	struct kernels few = kernels_of(16), cached = kernels_of(100);
	kernels_expect(&cached, 1000);
	cr_expect_null(asker_at(&few, address(4096)).rows);
	cr_expect_null(asker_at(&cached, address(4096)).rows);
}
