#include "coordinator/loader.h"

#include "tests/unit/config_reading.h"
#include "tests/unit/npy_file.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

TestSuite(loader, .init = scratch_enter, .fini = scratch_leave, .timeout = 30);

static struct config config_for(char *path)
{
	struct config config = {.source = "run.json"};
	config.dataset.path = path;
	config.dataset.given_path = path;
	return config;
}

static void write_text(const char *path, const char *text)
{
	write_file(path, text, strlen(text));
}

/* With `data_bytes` zeros behind the header. */
static void write_npy(const char *path, const char *dictionary, size_t data_bytes)
{
	char *zeros = calloc(1, data_bytes + 1);
	cr_assert(zeros != NULL);
	npy_file_write(path, dictionary, zeros, data_bytes);
	free(zeros);
}

static void expect_refused(const struct config *config, enum exit_code code, const char *message)
{
	struct loader loader;
	struct error error;
	bool opened = loader_open(&loader, config, &error);
	cr_expect_not(opened, "opened, instead of: %s", message);
	if (opened) {
		loader_release(&loader);
		return;
	}
	cr_expect_str_eq(error.message, message);
	cr_expect_eq(error.code, code);
	cr_expect_eq(loader.descriptor, -1);
}

static struct loader open_good(const struct config *config)
{
	struct loader loader;
	struct error error = {0};
	cr_assert(loader_open(&loader, config, &error), "%s", error.message);
	return loader;
}

Test(loader, describes_a_csv)
{
	struct stat status;
	write_text("d.csv", "a;\"b \"\"c\"\"\";note;y\n1;2;hello;3\n4;5;;6\n");
	struct config config = config_for("d.csv");
	config.dataset.missing = MISSING_SKIP_ROW;
	struct loader loader = open_good(&config);
	const struct dataset *dataset = &loader.dataset;
	cr_assert_eq(stat("d.csv", &status), 0);
	cr_expect_str_eq(dataset->path, "d.csv");
	cr_expect_eq(dataset->identity.bytes, (uint64_t)status.st_size);
	cr_expect_eq(dataset->identity.inode, status.st_ino);
	cr_expect_eq(
	        dataset->identity.modified_ns, (int64_t)status.st_mtim.tv_sec * 1000000000 + status.st_mtim.tv_nsec);
	cr_expect_eq(dataset->format, DATASET_CSV);
	cr_expect_eq(dataset->missing, MISSING_SKIP_ROW);
	cr_expect_eq(dataset->delimiter, ';');
	cr_expect_eq(dataset->data_offset, strlen("a;\"b \"\"c\"\"\";note;y\n"));
	cr_expect_eq(dataset->file_columns, 4);
	cr_expect_eq(dataset->features, 2);
	cr_expect(dataset->columns[0] == 0 && dataset->columns[1] == 1 && dataset->columns[2] == 3);
	cr_expect_str_eq(loader_used_name(&loader, 1), "b \"c\"");
	cr_expect_str_eq(loader_used_name(&loader, 2), "y");
	cr_expect_str_eq(loader.left_out, "columns left out because they are not numeric: note");
	cr_expect_str_eq(loader.name, "d.csv");
	loader_release(&loader);
}

Test(loader, describes_an_npy)
{
	static const struct {
		char descr[4];
		bool fortran;
		enum element_type element;
		size_t bytes;
	} rows[] = {{"<f8", false, ELEMENT_F8, 8}, {"<f4", true, ELEMENT_F4, 4}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char dictionary[128];
		snprintf(dictionary, sizeof dictionary, "{'descr': '%s', 'fortran_order': %s, 'shape': (5000, 3), }",
		        rows[i].descr, rows[i].fortran ? "True" : "False");
		write_npy("d.npy", dictionary, 15000 * rows[i].bytes);
		struct config config = config_for("d.npy");
		struct loader loader = open_good(&config);
		cr_expect_eq(loader.dataset.format, DATASET_NPY);
		cr_expect_eq(loader.dataset.rows, 5000);
		cr_expect_eq(loader.dataset.file_columns, 3);
		cr_expect_eq(loader.dataset.features, 2);
		cr_expect_eq(loader.dataset.element, rows[i].element);
		cr_expect_eq(loader.dataset.fortran_order, rows[i].fortran);
		cr_expect_eq(loader.dataset.data_offset, 256);
		cr_expect_eq(loader.leaf_count, leaves_count(5000));
		cr_expect_str_eq(loader_used_name(&loader, 0), "c0");
		cr_expect_str_eq(loader_used_name(&loader, 2), "c2");
		cr_expect_null(loader.left_out);
		loader_release(&loader);
	}
}

Test(loader, tells_the_format_by_magic_and_by_name)
{
	static struct {
		char path[16];
		enum format_choice choice;
		bool npy; /* what the file holds */
		enum dataset_format format;
	} rows[] = {
	        {"a.csv", FORMAT_DETECT, false, DATASET_CSV},
	        {"a.npy", FORMAT_DETECT, true, DATASET_NPY},
	        {"a.data", FORMAT_DETECT, true, DATASET_NPY},
	        {"a.data", FORMAT_DETECT, false, DATASET_CSV},
	        {"a.npy", FORMAT_CSV, false, DATASET_CSV},
	        {"a.csv", FORMAT_NPY, true, DATASET_NPY},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (rows[i].npy)
			write_npy(rows[i].path, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", 16);
		else
			write_text(rows[i].path, "1,2\n");
		struct config config = config_for(rows[i].path);
		config.dataset.format = rows[i].choice;
		struct loader loader = open_good(&config);
		cr_expect_eq(loader.dataset.format, rows[i].format, "row %zu", i);
		loader_release(&loader);
	}
}

Test(loader, refuses_a_format_that_is_not_the_files)
{
	write_npy("a.data", "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", 16);
	struct config config = config_for("a.data");
	config.dataset.format = FORMAT_CSV;
	expect_refused(&config, EXIT_BAD_DATASET, "a.data: this is an npy file, but dataset.format is \"csv\"");
	write_text("text", "1,2\n3,4\n");
	config = config_for("text");
	config.dataset.format = FORMAT_NPY;
	expect_refused(&config, EXIT_BAD_DATASET, "text: the file does not start with the magic of an npy file");
}

Test(loader, refuses_what_cannot_be_mapped)
{
	cr_assert_eq(mkdir("directory", 0777), 0);
	cr_assert_eq(mkfifo("fifo", 0666), 0);
	struct config config = config_for("nowhere.csv");
	expect_refused(&config, EXIT_INPUT_MISSING, "cannot open the dataset nowhere.csv: No such file or directory");
	config = config_for("directory");
	expect_refused(&config, EXIT_INPUT_MISSING, "cannot map the dataset directory: it is not a regular file");
	config = config_for("fifo");
	expect_refused(&config, EXIT_INPUT_MISSING, "cannot map the dataset fifo: it is not a regular file");
	config = config_for("/dev/null");
	expect_refused(&config, EXIT_INPUT_MISSING, "cannot map the dataset /dev/null: it is not a regular file");
}

Test(loader, names_the_file_as_the_user_did)
{
	struct config config = config_for("/nowhere/at/all.csv");
	config.dataset.given_path = "../all.csv";
	expect_refused(&config, EXIT_INPUT_MISSING, "cannot open the dataset ../all.csv: No such file or directory");
}

Test(loader, refuses_a_csv_without_rows_or_without_features)
{
	static const struct {
		char text[24];
		size_t length; /* 0: the text's */
		char message[112];
	} rows[] = {
	        {"", 0, "d.csv:1:1: the file is empty"},
	        {"a,b\n", 0, "d.csv: there are no rows below the header"},
	        {"a,b", 0, "d.csv: there are no rows below the header"},
	        {"a,b\n\r\n\n", 0, "d.csv: there are no rows below the header"},
	        {"1\n2\n", 0, "d.csv: there is only one column where ',' delimits; a feature and a target are needed"},
	        {"a,b\0c\n1,2\n", 10, "d.csv: this is not UTF-8 text: there are NUL bytes in the first line"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		write_file("d.csv", rows[i].text, rows[i].length > 0 ? rows[i].length : strlen(rows[i].text));
		struct config config = config_for("d.csv");
		expect_refused(&config, EXIT_BAD_DATASET, rows[i].message);
	}
}

Test(loader, explains_which_npy_it_cannot_use)
{
	static const struct {
		char descr[48];
		char order[8];
		char shape[48];
		size_t bytes;
		char message[256];
	} rows[] = {
	        {"'>f8'", "False", "(4, 2)", 64,
	                "d.npy: the dtype is '>f8', and only '<f8' and '<f4' can be read; convert it with numpy: "
	                "np.save(path, a.astype('<f8'))"},
	        {"'<i8'", "False", "(4, 2)", 64,
	                "d.npy: the dtype is '<i8', and only '<f8' and '<f4' can be read; convert it with numpy: "
	                "np.save(path, a.astype('<f8'))"},
	        {"[('x', '<f8'), ('y', '<f8')]", "False", "(4,)", 64,
	                "d.npy: the dtype is structured; convert it with numpy: np.save(path, "
	                "numpy.lib.recfunctions.structured_to_unstructured(a).astype('<f8'))"},
	        {"'<f8'", "False", "(8,)", 64,
	                "d.npy: the array has 1 dimension, and rows × columns are needed; with numpy: "
	                "np.save(path, a.reshape(rows, columns))"},
	        {"'<f8'", "False", "()", 8,
	                "d.npy: the array has 0 dimensions, and rows × columns are needed; with numpy: "
	                "np.save(path, a.reshape(rows, columns))"},
	        {"'<f8'", "False", "(2, 2, 2)", 64,
	                "d.npy: the array has 3 dimensions, and rows × columns are needed; with numpy: "
	                "np.save(path, a.reshape(rows, columns))"},
	        {"'<f8'", "False", "(0, 2)", 0, "d.npy: the array has no rows"},
	        {"'<f8'", "False", "(2, 0)", 0, "d.npy: the array has no columns"},
	        {"'<f8'", "False", "(4, 1)", 32, "d.npy: there is only one column; a feature and a target are needed"},
	        {"'<f8'", "False", "(1, 65536)", 8 * 65536,
	                "d.npy: 65536 columns are more than the 65535 there may be"},
	        {"'<f8'", "False", "(4, 2)", 63,
	                "d.npy: 4 × 2 numbers of '<f8' do not fill the 63 bytes behind the header: the file is cut "
	                "short"},
	        {"'<f8'", "True", "(4, 2)", 65,
	                "d.npy: 4 × 2 numbers of '<f8' do not fill the 65 bytes behind the header: the file is too "
	                "long"},
	        {"'<f4'", "False", "(4, 2)", 64,
	                "d.npy: 4 × 2 numbers of '<f4' do not fill the 64 bytes behind the header: the file is too "
	                "long"},
	        {"'<f8'", "False", "(9223372036854775808, 2)", 0,
	                "d.npy: 9223372036854775808 × 2 numbers of '<f8' do not fill the 0 bytes behind the header: "
	                "the file is cut short"},
	        {"'<f8'", "False", "(1152921504606846977, 2)", 16,
	                "d.npy: 1152921504606846977 × 2 numbers of '<f8' do not fill the 16 bytes behind the header: "
	                "the file is cut short"},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char dictionary[192];
		snprintf(dictionary, sizeof dictionary, "{'descr': %.48s, 'fortran_order': %.8s, 'shape': %.48s, }",
		        rows[i].descr, rows[i].order, rows[i].shape);
		write_npy("d.npy", dictionary, rows[i].bytes);
		struct config config = config_for("d.npy");
		expect_refused(&config, EXIT_BAD_DATASET, rows[i].message);
	}
}

Test(loader, refuses_an_npy_that_ends_inside_its_header)
{
	write_file("d.npy", "\x93NUMPY\x01\x00\x76\x00{'descr'", 18);
	struct config config = config_for("d.npy");
	expect_refused(&config, EXIT_BAD_DATASET, "d.npy: the file ends inside the npy header");
}

Test(loader, opens_no_more_than_the_file_and_closes_it)
{
	write_text("d.csv", "1,2\n3,4\n");
	struct config config = config_for("d.csv");
	int before = dup(0);
	close(before);
	struct loader loader = open_good(&config);
	cr_expect_eq(loader.descriptor, before);
	cr_expect(fcntl(loader.descriptor, F_GETFD) & FD_CLOEXEC);
	loader_release(&loader);
	write_text("bad.csv", "a,b\n");
	config = config_for("bad.csv");
	expect_refused(&config, EXIT_BAD_DATASET, "bad.csv: there are no rows below the header");
	int after = dup(0);
	close(after);
	cr_expect_eq(after, before);
}

Test(loader, notices_a_file_that_was_cut_short)
{
	write_text("d.csv", "1,2\n3,4\n");
	struct config config = config_for("d.csv");
	struct loader loader = open_good(&config);
	cr_expect_not(loader_was_cut_short(&loader));
	cr_assert_eq(truncate("d.csv", 100), 0);
	cr_expect_not(loader_was_cut_short(&loader), "longer is not shorter");
	cr_assert_eq(truncate("d.csv", 7), 0);
	cr_expect(loader_was_cut_short(&loader));
	loader_release(&loader);
}

Test(loader, finds_use_for_a_worker_for_each_half_mebibyte_and_cpu)
{
	struct loader loader = {.dataset.format = DATASET_NPY, .dataset.rows = 1000000};
	static const struct {
		uint64_t bytes, rows;
		uint32_t cpus, workers;
	} rows[] = {
	        {100, 10, 8, 1},
	        {(1 << 20) - 1, 100000, 8, 1},
	        {1 << 20, 100000, 8, 2},
	        {64 << 20, 100000, 8, 8},
	        {64 << 20, 100000, 1, 1},
	        {64 << 20, 3, 8, 3},
	        {UINT64_C(1) << 60, UINT64_C(1) << 50, 192, 192},
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		loader.dataset.identity.bytes = rows[i].bytes;
		loader.dataset.rows = rows[i].rows;
		cr_expect_eq(loader_useful_workers(&loader, rows[i].cpus), rows[i].workers, "row %zu", i);
	}
}
