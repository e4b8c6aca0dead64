#include "worker/chunk.h"

#include "tests/unit/config_reading.h"
#include "tests/unit/dataset_files.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(chunk, .init = scratch_enter, .fini = scratch_leave, .timeout = 60);

/* Few features and many, and datasets from one row to several rows a leaf. */
static const uint32_t feature_counts[] = {1, 2, 9};
static const size_t row_counts[] = {1, 5, 1024, 3000};
static const uint32_t worker_counts[] = {1, 2, 3, 7};
enum { COUNTS = 3 };

Test(chunk, hands_out_the_rows_of_an_array_leaf_by_leaf)
{
	for (int i = 0; i < COUNTS; i++) {
		for (size_t j = 0; j < sizeof row_counts / sizeof *row_counts; j++) {
			for (int kind = 0; kind < 4; kind++) {
				struct dataset_file file;
				enum element_type element = kind % 2 == 0 ? ELEMENT_F8 : ELEMENT_F4;
				dataset_file_init_npy(
				        &file, "a.npy", row_counts[j], feature_counts[i], element, kind >= 2);
				for (size_t k = 0; k < sizeof worker_counts / sizeof *worker_counts; k++)
					cr_expect(dataset_file_is_read(&file, worker_counts[k], 0),
					        "%u features, %zu rows, kind %d, %u workers", feature_counts[i],
					        row_counts[j], kind, worker_counts[k]);
				dataset_file_release(&file);
			}
		}
	}
}

Test(chunk, hands_out_the_rows_of_a_csv_leaf_by_leaf_cached_or_not)
{
	static const uint64_t cache_bytes[] = {0, 100, 5000, UINT64_MAX};
	for (int i = 0; i < COUNTS; i++) {
		for (size_t j = 0; j < sizeof row_counts / sizeof *row_counts; j++) {
			struct dataset_file file;
			enum csv_filling filling = (i + j) % 2 == 0 ? CSV_PLAIN : CSV_QUOTED;
			dataset_file_init_csv(&file, "a.csv", row_counts[j], feature_counts[i], filling, j % 2 * 3);
			for (size_t k = 0; k < sizeof worker_counts / sizeof *worker_counts; k++)
				cr_expect(dataset_file_is_read(&file, worker_counts[k], cache_bytes[k]),
				        "%u features, %zu rows, %u workers", feature_counts[i], row_counts[j],
				        worker_counts[k]);
			dataset_file_release(&file);
		}
	}
}

/* One worker's chunk of a whole file. */
struct loaded {
	struct assignment assignment;
	struct chunk *chunk;
	struct chunk_facts facts;
	struct worker_error error;
};

static void load(struct loaded *loaded, const struct dataset_file *file)
{
	loaded->assignment = dataset_file_assign(file, 1, 0);
	loaded->chunk = chunk_new(&loaded->assignment, &loaded->facts, &loaded->error);
}

Test(chunk, counts_rows_and_those_it_leaves_out)
{
	struct dataset_file file;
	struct loaded loaded;
	dataset_file_init_csv(&file, "a.csv", 100, 2, CSV_PLAIN, 4);
	load(&loaded, &file);
	cr_assert_not_null(loaded.chunk);
	cr_expect(loaded.facts.rows == 75 && loaded.facts.skipped == 25 && !loaded.facts.starts_doubted);
	chunk_free(loaded.chunk);
	dataset_file_release(&file);
	dataset_file_init_npy(&file, "a.npy", 100, 2, ELEMENT_F8, false);
	load(&loaded, &file);
	cr_assert_not_null(loaded.chunk);
	cr_expect(loaded.facts.rows == 100 && loaded.facts.skipped == 0 && !loaded.facts.starts_doubted);
	chunk_free(loaded.chunk);
	dataset_file_release(&file);
}

Test(chunk, can_be_empty)
{
	for (int csv = 0; csv < 2; csv++) {
		struct dataset_file file;
		struct chunk_facts facts;
		struct worker_error error;
		if (csv)
			dataset_file_init_csv(&file, "a", 3, 2, CSV_PLAIN, 0);
		else
			dataset_file_init_npy(&file, "a", 3, 2, ELEMENT_F8, true);
		struct assignment assignment = dataset_file_assign(&file, file.leaf_count + 1, 0);
		cr_assert_eq(assignment.leaves.begin, assignment.leaves.end);
		struct chunk *chunk = chunk_new(&assignment, &facts, &error);
		cr_assert_not_null(chunk);
		cr_expect(facts.rows == 0 && facts.skipped == 0);
		cr_expect(!chunk_find_not_finite(chunk, &error));
		chunk_free(chunk);
		dataset_file_release(&file);
	}
}

/* Catches the mutation identity_unchecked. */
Test(chunk, refuses_a_file_that_is_not_the_one_of_the_start)
{
	for (int csv = 0; csv < 2; csv++) {
		for (int change = 0; change < 3; change++) {
			struct dataset_file file;
			struct loaded loaded;
			if (csv)
				dataset_file_init_csv(&file, "a", 10, 2, CSV_PLAIN, 0);
			else
				dataset_file_init_npy(&file, "a", 10, 2, ELEMENT_F8, false);
			file.dataset.identity.bytes += change == 0;
			file.dataset.identity.inode += change == 1;
			file.dataset.identity.modified_ns += change == 2;
			load(&loaded, &file);
			cr_expect_null(loaded.chunk);
			cr_expect_eq(loaded.error.stage, STAGE_DATASET);
			cr_expect_str_eq(
			        loaded.error.text, "the file was changed or replaced after the run had started");
			cr_expect(loaded.error.offset == -1 && loaded.error.column == -1);
			dataset_file_release(&file);
		}
	}
}

Test(chunk, says_that_the_file_is_gone)
{
	struct dataset_file file;
	struct loaded loaded;
	dataset_file_init_csv(&file, "a.csv", 10, 2, CSV_PLAIN, 0);
	cr_assert_eq(unlink("a.csv"), 0);
	load(&loaded, &file);
	cr_expect_null(loaded.chunk);
	cr_expect(loaded.error.stage == STAGE_DATASET && loaded.error.system_error == ENOENT);
	cr_expect_str_eq(loaded.error.text, "cannot open the dataset: No such file or directory");
	dataset_file_release(&file);
}

Test(chunk, blames_the_system_where_no_file_can_be_opened)
{
	struct dataset_file file;
	struct loaded loaded;
	struct rlimit limit;
	dataset_file_init_csv(&file, "a.csv", 10, 2, CSV_PLAIN, 0);
	cr_assert_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &(struct rlimit){0, limit.rlim_max}), 0);
	load(&loaded, &file);
	cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
	cr_expect_null(loaded.chunk);
	cr_expect(loaded.error.stage == STAGE_SYSTEM && loaded.error.system_error == EMFILE);
	dataset_file_release(&file);
}

/* Overwrites bytes of a file in place, without anybody noticing. */
static void patch_file(struct dataset *dataset, uint64_t offset, const void *bytes, size_t length)
{
	struct stat before;
	int descriptor = open(dataset->path, O_WRONLY);
	cr_assert(descriptor >= 0 && fstat(descriptor, &before) == 0);
	cr_assert_eq(pwrite(descriptor, bytes, length, (off_t)offset), (ssize_t)length);
	const struct timespec times[] = {before.st_atim, before.st_mtim};
	cr_assert(futimens(descriptor, times) == 0 && close(descriptor) == 0);
	dataset_identify(dataset);
}

Test(chunk, finds_a_bad_field_of_a_csv_by_its_offset)
{
	static const uint32_t workers[] = {1, 3};
	struct dataset_file file;
	dataset_file_init_csv(&file, "a.csv", 100, 2, CSV_PLAIN, 0);
	uint64_t offset = file.starts[67]; /* of the row's first field */
	patch_file(&file.dataset, offset, "x", 1);
	for (int i = 0; i < 2; i++) {
		struct chunk_facts facts;
		struct worker_error error;
		struct assignment assignment = dataset_file_assign(&file, workers[i], workers[i] - 1);
		cr_expect_null(chunk_new(&assignment, &facts, &error));
		cr_expect_eq(error.stage, STAGE_DATASET);
		cr_expect_eq(error.system_error, 0);
		cr_expect_eq(error.offset, (int64_t)offset);
		cr_expect_eq(error.column, 0);
		cr_expect(error.text[0] == '\'' && error.text[1] == 'x' && strstr(error.text, "' is not a number"),
		        "%s", error.text);
	}
	dataset_file_release(&file);
}

Test(chunk, doubts_where_records_start_unless_it_is_told_that_quotes_are_allowed_for)
{
	struct dataset_file file;
	struct chunk_facts facts;
	struct worker_error error;
	dataset_file_init_csv(&file, "a.csv", 100, 2, CSV_QUOTED, 0);
	for (int quotes = 0; quotes < 2; quotes++) {
		struct assignment assignment = dataset_file_assign(&file, 1, 0);
		assignment.quotes = quotes;
		struct chunk *chunk = chunk_new(&assignment, &facts, &error);
		cr_assert_not_null(chunk);
		cr_expect_eq(facts.starts_doubted, !quotes);
		chunk_free(chunk);
	}
	dataset_file_release(&file);
}

Test(chunk, doubts_where_records_start_when_a_field_is_bad)
{
	struct dataset_file file;
	struct loaded loaded;
	dataset_file_init_csv(&file, "a.csv", 100, 2, CSV_PLAIN, 0);
	patch_file(&file.dataset, file.starts[67], "x", 1);
	struct assignment assignment = dataset_file_assign(&file, 1, 0);
	assignment.quotes = false;
	loaded.chunk = chunk_new(&assignment, &loaded.facts, &loaded.error);
	cr_assert_not_null(loaded.chunk);
	cr_expect(loaded.facts.starts_doubted);
	chunk_free(loaded.chunk);
	dataset_file_release(&file);
}

Test(chunk, notices_when_a_csv_that_is_parsed_again_has_other_rows)
{
	static const char changes[][4] = {",,,", "\n\n\n"}; /* a bad record; one record more or less */
	for (int i = 0; i < 2; i++) {
		struct dataset_file file;
		struct leaf_rows rows;
		struct chunk_facts facts;
		struct worker_error error;
		dataset_file_init_csv(&file, "a.csv", 100, 1, CSV_PLAIN, 0);
		struct assignment assignment = dataset_file_assign(&file, 1, 0);
		assignment.cache_bytes = 0;
		struct chunk *chunk = chunk_new(&assignment, &facts, &error);
		cr_assert_not_null(chunk);
		cr_expect(dataset_file_is_shown(&file, &assignment, chunk));
		for (uint64_t at = file.starts[0]; at + 3 < file.starts[1]; at += 3)
			patch_file(&file.dataset, at, changes[i], 3);
		cr_expect(!chunk_leaf(chunk, 0, &rows, &error));
		cr_expect_eq(error.stage, STAGE_DATASET);
		cr_expect_str_eq(error.text, "the file was changed while the run was going on");
		chunk_free(chunk);
		dataset_file_release(&file);
	}
}

Test(chunk, does_not_read_a_csv_again_that_is_cached)
{
	struct dataset_file file;
	struct loaded loaded;
	dataset_file_init_csv(&file, "a.csv", 100, 2, CSV_PLAIN, 0);
	load(&loaded, &file);
	cr_assert_not_null(loaded.chunk);
	patch_file(&file.dataset, file.starts[0], "xxxxxxxxxxxx", 12);
	cr_expect(dataset_file_is_shown(&file, &loaded.assignment, loaded.chunk));
	chunk_free(loaded.chunk);
	dataset_file_release(&file);
}

/* How many descriptors are open. */
static int descriptors(void)
{
	int count = 0;
	for (int descriptor = 0; descriptor < 256; descriptor++)
		count += fcntl(descriptor, F_GETFD) >= 0;
	return count;
}

Test(chunk, keeps_no_descriptor_once_all_is_mapped_or_cached)
{
	static const struct {
		enum dataset_format format;
		bool fortran_order;
		uint32_t workers; /* of more than there are leaves the first has nothing */
		uint64_t cache_bytes;
	} cases[] = {
	        {DATASET_CSV, false, 1, 0},
	        {DATASET_CSV, false, 2, UINT64_MAX},
	        {DATASET_CSV, false, 1000, 0},
	        {DATASET_NPY, false, 2, 0},
	        {DATASET_NPY, true, 2, 0},
	        {DATASET_NPY, false, 1000, 0},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dataset_file file;
		struct chunk_facts facts;
		struct worker_error error;
		if (cases[i].format == DATASET_CSV)
			dataset_file_init_csv(&file, "a", 100, 2, CSV_PLAIN, 0);
		else
			dataset_file_init_npy(&file, "a", 100, 2, ELEMENT_F8, cases[i].fortran_order);
		struct assignment assignment = dataset_file_assign(&file, cases[i].workers, 0);
		assignment.cache_bytes = cases[i].cache_bytes;
		int before = descriptors();
		struct chunk *chunk = chunk_new(&assignment, &facts, &error);
		cr_assert_not_null(chunk);
		cr_expect_eq(descriptors(), before, "case %zu", i);
		chunk_free(chunk);
		cr_expect_eq(descriptors(), before, "case %zu", i);
		dataset_file_release(&file);
	}
}

Test(chunk, keeps_no_descriptor_when_it_fails)
{
	struct dataset_file file;
	struct loaded loaded;
	dataset_file_init_csv(&file, "a.csv", 100, 2, CSV_PLAIN, 0);
	patch_file(&file.dataset, file.starts[67], "x", 1);
	int before = descriptors();
	load(&loaded, &file);
	cr_expect_null(loaded.chunk);
	cr_expect_eq(descriptors(), before);
	file.dataset.identity.bytes++;
	load(&loaded, &file);
	cr_expect_null(loaded.chunk);
	cr_expect_eq(descriptors(), before);
	dataset_file_release(&file);
}

/* Puts a number into an array's first used column. */
static void spoil(struct dataset_file *file, size_t row, double value)
{
	const struct dataset *dataset = &file->dataset;
	uint64_t element = dataset->columns[0] + row * dataset->file_columns;
	patch_file(&file->dataset, dataset->data_offset + element * sizeof value, &value, sizeof value);
}

Test(chunk, finds_the_first_number_that_is_not_finite)
{
	static const struct {
		double values[2]; /* in rows 12 and 77 */
		enum missing_policy missing;
		int64_t row; /* -1: nothing is wrong */
		char text[40];
	} cases[] = {
	        {{1, 2}, MISSING_ERROR, -1, ""},
	        {{NAN, INFINITY}, MISSING_ERROR, 12, "nan is a missing value"},
	        {{1, NAN}, MISSING_ERROR, 77, "nan is a missing value"},
	        {{-INFINITY, NAN}, MISSING_ERROR, 12, "inf is not a finite number"},
	        {{NAN, NAN}, MISSING_SKIP_ROW, -1, ""},
	        {{NAN, INFINITY}, MISSING_SKIP_ROW, 77, "inf is not a finite number"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dataset_file file;
		struct loaded loaded;
		dataset_file_init_npy(&file, "a.npy", 100, 2, ELEMENT_F8, false);
		spoil(&file, 12, cases[i].values[0]);
		spoil(&file, 77, cases[i].values[1]);
		file.dataset.missing = cases[i].missing;
		load(&loaded, &file);
		cr_assert_not_null(loaded.chunk);
		cr_expect_eq(chunk_find_not_finite(loaded.chunk, &loaded.error), cases[i].row >= 0, "case %zu", i);
		if (cases[i].row >= 0) {
			cr_expect_eq(loaded.error.stage, STAGE_DATASET);
			cr_expect_eq(loaded.error.offset, cases[i].row, "case %zu", i);
			cr_expect_eq(loaded.error.column, file.dataset.columns[0], "case %zu", i);
			cr_expect_str_eq(loaded.error.text, cases[i].text);
		}
		chunk_free(loaded.chunk);
		dataset_file_release(&file);
	}
}

Test(chunk, does_not_mind_an_infinity_in_a_row_that_is_skipped)
{
	struct dataset_file file;
	struct loaded loaded;
	const double infinity = INFINITY;
	dataset_file_init_npy(&file, "a.npy", 100, 2, ELEMENT_F8, false);
	spoil(&file, 12, NAN);
	uint64_t target = file.dataset.columns[2] + 12 * file.dataset.file_columns;
	patch_file(&file.dataset, file.dataset.data_offset + 8 * target, &infinity, sizeof infinity);
	file.dataset.missing = MISSING_SKIP_ROW;
	load(&loaded, &file);
	cr_assert_not_null(loaded.chunk);
	cr_expect(!chunk_find_not_finite(loaded.chunk, &loaded.error));
	chunk_free(loaded.chunk);
	dataset_file_release(&file);
}

Test(chunk, puts_the_text_of_errno_behind_a_failure)
{
	struct worker_error error;
	cr_expect(!chunk_fail(&error, STAGE_SYSTEM, ENOMEM, "no way"));
	cr_expect_str_eq(error.text, "no way: Cannot allocate memory");
	cr_expect(error.stage == STAGE_SYSTEM && error.system_error == ENOMEM);
	cr_expect(error.offset == -1 && error.column == -1);
	cr_expect(!chunk_fail(&error, STAGE_PROTOCOL, 0, "no way"));
	cr_expect_str_eq(error.text, "no way");
}
