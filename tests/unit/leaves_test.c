#include "common/leaves.h"

#include "tests/unit/random.h"

#include <criterion/criterion.h>

TestSuite(leaves, .timeout = 20);

/* Datasets from nothing to the longest there can be; the odd ones divide by nothing. */
static const uint64_t sizes[] = {0, 1, 2, 3, 7, 63, 64, 65, 1000, 1023, 1024, 1025, 4095, 4096, 4097, 65535, 1000003,
        UINT32_MAX, UINT64_C(1) << 32, (UINT64_C(1) << 53) + 1, UINT64_C(1) << 63, UINT64_MAX - 4096, UINT64_MAX - 1,
        UINT64_MAX};
enum { SIZES = sizeof sizes / sizeof *sizes };

static const uint32_t counts[] = {1, 2, 3, 5, 64, 100, 1000, 1023, 1024, 1025, 4093, 4095, 4096};
enum { COUNTS = sizeof counts / sizeof *counts };

/* Does this range follow the one that ended at *behind, with a length from `least` to least + 1? */
static bool follows(struct range range, uint64_t *behind, uint64_t least)
{
	bool good = range.begin == *behind && range.end >= range.begin && range.end - range.begin >= least &&
	            range.end - range.begin - least <= 1;
	*behind = range.end;
	return good;
}

Test(leaves, cover_every_unit_once_in_order_in_equal_lengths)
{
	for (int i = 0; i < SIZES; i++) {
		for (int j = 0; j < COUNTS; j++) {
			uint64_t behind = 0;
			for (uint32_t leaf = 0; leaf < counts[j]; leaf++)
				cr_assert(
				        follows(leaves_units(sizes[i], counts[j], leaf), &behind, sizes[i] / counts[j]),
				        "leaf %u of %u over %llu", leaf, counts[j], (unsigned long long)sizes[i]);
			cr_assert_eq(behind, sizes[i], "%u leaves over %llu", counts[j], (unsigned long long)sizes[i]);
		}
	}
}

Test(leaves, begin_at_the_whole_part_of_their_fraction)
{
	uint64_t state = 1;
	for (int i = 0; i < 100000; i++) {
		uint64_t units = random_next(&state) >> random_below(&state, 64);
		uint32_t count = 1 + random_below(&state, LEAVES_MAX);
		uint32_t leaf = random_below(&state, count);
		__extension__ unsigned __int128 product = (unsigned __int128)units * leaf;
		cr_assert_eq(leaves_units(units, count, leaf).begin, (uint64_t)(product / count), "%u of %u over %llu",
		        leaf, count, (unsigned long long)units);
	}
}

Test(leaves, go_to_workers_in_contiguous_runs_of_equal_lengths)
{
	static const uint32_t some_workers[] = {1, 2, 3, 7, 39, 64, 70, 1000, 4095, 4096, 4097, 10000};
	for (int i = 0; i < COUNTS; i++) {
		for (size_t j = 0; j < sizeof some_workers / sizeof *some_workers; j++) {
			uint32_t workers = some_workers[j];
			uint64_t behind = 0;
			for (uint32_t worker = 0; worker < workers; worker++)
				cr_assert(
				        follows(leaves_chunk(counts[i], workers, worker), &behind, counts[i] / workers),
				        "worker %u of %u over %u leaves", worker, workers, counts[i]);
			cr_assert_eq(behind, counts[i]);
		}
	}
}

Test(leaves, are_cut_for_any_number_of_workers_without_overflow)
{
	struct range first = leaves_chunk(LEAVES_MAX, UINT32_MAX, 0);
	struct range last = leaves_chunk(LEAVES_MAX, UINT32_MAX, UINT32_MAX - 1);
	cr_expect(first.begin == 0 && first.end == 0);
	cr_expect(last.begin == LEAVES_MAX - 1 && last.end == LEAVES_MAX);
}

Test(leaves, are_as_many_as_the_rows_say)
{
	/* These are part of the contract: with another number of leaves the same data has another sum. */
	static const struct {
		uint64_t rows;
		uint32_t count;
	} cases[] = {{0, 0}, {1, 1}, {2, 2}, {63, 63}, {127, 127}, {128, 128}, {129, 128}, {1000, 128}, {8192, 128},
	        {8255, 128}, {8256, 129}, {16384, 256}, {64000, 1000}, {65536, 1024}, {100000, 1562}, {262143, 4095},
	        {262144, 4096}, {1000000, 4096}, {UINT64_C(1) << 32, 4096}, {UINT64_C(1) << 40, 4096},
	        {UINT64_MAX, 4096}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		cr_expect_eq(
		        leaves_count(cases[i].rows), cases[i].count, "%llu rows", (unsigned long long)cases[i].rows);
}

Test(leaves, never_get_fewer_with_more_rows_nor_outnumber_them)
{
	uint32_t before = 0;
	for (uint64_t rows = 0; rows < 300000; rows++) {
		uint32_t count = leaves_count(rows);
		cr_assert(count >= before && count <= rows && count <= LEAVES_MAX && (count > 0) == (rows > 0), "%llu",
		        (unsigned long long)rows);
		before = count;
	}
}
